// hnswlib.h asks for <cpuid.h> wherever it has SSE. Only its AVX checks call this, and they are compiled out here.
#pragma once

#define __cpuid_count(leaf, subleaf, a, b, c, d) ((a) = (b) = (c) = (d) = 0)
