// AssemblyScript, not TypeScript: compiled by `npm run build-kernel -w @lookalike/index` to src/kernel-module.ts.
// Memory is laid out by the caller (src/code-scan.ts); nothing is allocated here.

/**
 * Scores rows `start` (a multiple of four) to `end` of codes against a query and keeps those that may reach `threshold`.
 *
 * score = scale[row] x queryScale x dot(code, query) - normFactor x norm[row]^2, in float64. The true score differs from it
 * by at most errorFactor x error[row] + normErrorFactor x norm[row] + normSlack x norm[row]^2.
 *
 * `stride`: bytes of a code, a multiple of 16: int8, or, where `packed`, 4 bits (src/coarse-codes.ts). The query is int16, a number for
 * each of the code. `mask`: one bit a row, lowest
 * first; other rows, and those from `end` on, have none. Rows whose score plus bound is at least `threshold` go to `outRows`
 * (uint32), their scores to `outScores` (float64). Returns how many.
 *
 * Four rows at a time, so that the query is loaded once for them and their sums, scores and bounds are computed side by side:
 * up to three rows behind the last are read, and come to nothing.
 */
export function scan(
  codes: usize,
  stride: i32,
  packed: bool,
  scales: usize,
  errors: usize,
  norms: usize,
  mask: usize,
  start: i32,
  end: i32,
  query: usize,
  queryScale: f64,
  normFactor: f64,
  errorFactor: f64,
  normErrorFactor: f64,
  normSlack: f64,
  threshold: f64,
  outRows: usize,
  outScores: usize,
): i32 {
  let count = 0;
  for (let row = start; row < end; row += 4) {
    let wanted = (i32(load<u8>(mask + (row >> 3))) >> (row & 4)) & 15;
    if (wanted === 0) continue;
    const code = codes + usize(row) * usize(stride);
    let dots: v128;
    if (packed) dots = dotFourPacked(code, usize(stride), query);
    // One of the four, as a filter often leaves: its sum alone, in every lane.
    else if ((wanted & (wanted - 1)) === 0)
      dots = i32x4.splat(dotOne(code + usize(ctz(wanted)) * usize(stride), usize(stride), query));
    else dots = dotFour(code, usize(stride), query);
    const at = usize(row) << 2;
    const scale = v128.load(scales + at);
    const error = v128.load(errors + at);
    const norm = v128.load(norms + at);
    const first = scoreTwo(scale, dots, norm, queryScale, normFactor);
    const second = scoreTwo(upper(scale), upper(dots), upper(norm), queryScale, normFactor);
    const firstBound = boundTwo(error, norm, errorFactor, normErrorFactor, normSlack);
    const secondBound = boundTwo(upper(error), upper(norm), errorFactor, normErrorFactor, normSlack);
    const limit = f64x2.splat(threshold);
    wanted &=
      i64x2.bitmask(f64x2.ge(f64x2.add(first, firstBound), limit)) |
      (i64x2.bitmask(f64x2.ge(f64x2.add(second, secondBound), limit)) << 2);
    if (wanted === 0) continue;
    count = keep(wanted & 1, row, f64x2.extract_lane(first, 0), outRows, outScores, count);
    count = keep(wanted & 2, row + 1, f64x2.extract_lane(first, 1), outRows, outScores, count);
    count = keep(wanted & 4, row + 2, f64x2.extract_lane(second, 0), outRows, outScores, count);
    count = keep(wanted & 8, row + 3, f64x2.extract_lane(second, 1), outRows, outScores, count);
  }
  return count;
}

function dotOne(code: usize, stride: usize, query: usize): i32 {
  let sums = i32x4.splat(0);
  for (let at: usize = 0; at < stride; at += 16)
    sums = addDots(sums, code + at, v128.load(query + (at << 1)), v128.load(query + (at << 1), 16));
  return (
    i32x4.extract_lane(sums, 0) +
    i32x4.extract_lane(sums, 1) +
    i32x4.extract_lane(sums, 2) +
    i32x4.extract_lane(sums, 3)
  );
}

/** Of four codes, one after the other: a lane each. */
function dotFour(code: usize, stride: usize, query: usize): v128 {
  let a = i32x4.splat(0);
  let b = i32x4.splat(0);
  let c = i32x4.splat(0);
  let d = i32x4.splat(0);
  for (let at: usize = 0; at < stride; at += 16) {
    const low = v128.load(query + (at << 1));
    const high = v128.load(query + (at << 1), 16);
    a = addDots(a, code + at, low, high);
    b = addDots(b, code + at + stride, low, high);
    c = addDots(c, code + at + stride * 2, low, high);
    d = addDots(d, code + at + stride * 3, low, high);
  }
  return sumsOf(a, b, c, d);
}

/** The same of codes of 4 bits. */
function dotFourPacked(code: usize, stride: usize, query: usize): v128 {
  let a = i32x4.splat(0);
  let b = i32x4.splat(0);
  let c = i32x4.splat(0);
  let d = i32x4.splat(0);
  for (let at: usize = 0; at < stride; at += 16) {
    const part = query + (at << 2);
    a = addPackedDots(a, code + at, part);
    b = addPackedDots(b, code + at + stride, part);
    c = addPackedDots(c, code + at + stride * 2, part);
    d = addPackedDots(d, code + at + stride * 3, part);
  }
  return sumsOf(a, b, c, d);
}

/** The sum of each vector's lanes, a lane each. */
function sumsOf(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7));
  const cd = i32x4.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7));
  return i32x4.add(v128.shuffle<i64>(ab, cd, 0, 2), v128.shuffle<i64>(ab, cd, 1, 3));
}

/** Thirty-two products of the levels in sixteen bytes and the query there, onto four sums. */
function addPackedDots(sums: v128, code: usize, query: usize): v128 {
  const bytes = v128.load(code);
  const low = i8x16.sub(v128.and(bytes, i8x16.splat(15)), i8x16.splat(8));
  const high = i8x16.sub(i8x16.shr_u(bytes, 4), i8x16.splat(8));
  return i32x4.add(
    i32x4.add(
      sums,
      i32x4.add(
        i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(low), v128.load(query)),
        i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(low), v128.load(query, 16)),
      ),
    ),
    i32x4.add(
      i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(high), v128.load(query, 32)),
      i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(high), v128.load(query, 48)),
    ),
  );
}

/** Sixteen products of a code and the two halves of the query there, onto four sums. */
function addDots(sums: v128, code: usize, low: v128, high: v128): v128 {
  return i32x4.add(
    sums,
    i32x4.add(
      i32x4.dot_i16x8_s(v128.load_ext<i8>(code), low),
      i32x4.dot_i16x8_s(v128.load_ext<i8>(code, 8), high),
    ),
  );
}

function scoreTwo(scale: v128, dots: v128, norm: v128, queryScale: f64, normFactor: f64): v128 {
  const norms = f64x2.promote_low_f32x4(norm);
  return f64x2.sub(
    f64x2.mul(
      f64x2.mul(f64x2.promote_low_f32x4(scale), f64x2.splat(queryScale)),
      f64x2.convert_low_i32x4_s(dots),
    ),
    f64x2.mul(f64x2.mul(f64x2.splat(normFactor), norms), norms),
  );
}

function boundTwo(error: v128, norm: v128, errorFactor: f64, normErrorFactor: f64, normSlack: f64): v128 {
  const norms = f64x2.promote_low_f32x4(norm);
  return f64x2.add(
    f64x2.add(
      f64x2.mul(f64x2.splat(errorFactor), f64x2.promote_low_f32x4(error)),
      f64x2.mul(f64x2.splat(normErrorFactor), norms),
    ),
    f64x2.mul(f64x2.mul(f64x2.splat(normSlack), norms), norms),
  );
}

/** The two upper lanes of four, where the lower ones were. */
function upper(lanes: v128): v128 {
  return v128.shuffle<i64>(lanes, lanes, 1, 1);
}

function keep(wanted: i32, row: i32, score: f64, outRows: usize, outScores: usize, count: i32): i32 {
  if (wanted === 0) return count;
  store<u32>(outRows + (usize(count) << 2), row);
  store<f64>(outScores + (usize(count) << 3), score);
  return count + 1;
}
