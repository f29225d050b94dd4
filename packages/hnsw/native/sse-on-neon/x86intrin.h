// The SSE intrinsics that hnswlib's vector kernels use, on arm64 NEON. hnswlib has no NEON kernels of its own and is
// scalar on arm64; with these, its SSE kernels compile as they stand. Both are 4 x float32 and add in the same
// order, so distances are equal to the SSE build's to the last bit.
#pragma once

#include <arm_neon.h>

typedef float32x4_t __m128;

#define _MM_HINT_T0 3
#define _mm_prefetch(address, hint) __builtin_prefetch((const void*)(address), 0, (hint))

static inline __m128 _mm_loadu_ps(const float* p) { return vld1q_f32(p); }
static inline void _mm_store_ps(float* p, __m128 a) { vst1q_f32(p, a); }
static inline __m128 _mm_set1_ps(float x) { return vdupq_n_f32(x); }
static inline __m128 _mm_add_ps(__m128 a, __m128 b) { return vaddq_f32(a, b); }
static inline __m128 _mm_sub_ps(__m128 a, __m128 b) { return vsubq_f32(a, b); }
static inline __m128 _mm_mul_ps(__m128 a, __m128 b) { return vmulq_f32(a, b); }
