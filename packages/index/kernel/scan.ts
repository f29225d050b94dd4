// AssemblyScript, not TypeScript: compiled by `npm run build-kernel -w @lookalike/index` to src/kernel-module.ts.
// Memory is laid out by the caller (src/code-scan.ts); nothing is allocated here.

/**
 * Scores rows `start` to `end` of int8 codes against a query and keeps those that may reach `threshold`.
 *
 * score = scale[row] x queryScale x dot(code, query) - normFactor x norm[row]^2, in float64. The true score differs from it
 * by at most errorFactor x error[row] + normErrorFactor x norm[row] + normSlack x norm[row]^2.
 *
 * `stride`: dimensions, a multiple of 16, of each code (int8) and of the query (int16). `mask`: one bit a row, lowest
 * first; other rows are skipped. Rows whose score plus bound is at least `threshold` go to `outRows` (uint32), their
 * scores to `outScores` (float64). Returns how many.
 */
export function scan(
  codes: usize,
  stride: i32,
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
  for (let row = start; row < end; row++) {
    const bits = load<u8>(mask + (row >> 3));
    if (bits === 0 && (row & 7) === 0) {
      row += 7;
      continue;
    }
    if (((bits >> u8(row & 7)) & 1) === 0) continue;
    const code = codes + usize(row) * usize(stride);
    let low = i32x4.splat(0);
    let high = i32x4.splat(0);
    for (let at = 0; at < stride; at += 16) {
      const part = query + (usize(at) << 1);
      low = i32x4.add(low, i32x4.dot_i16x8_s(v128.load_ext<i8>(code + at), v128.load(part)));
      high = i32x4.add(high, i32x4.dot_i16x8_s(v128.load_ext<i8>(code + at, 8), v128.load(part, 16)));
    }
    const sums = i32x4.add(low, high);
    const dot =
      i32x4.extract_lane(sums, 0) +
      i32x4.extract_lane(sums, 1) +
      i32x4.extract_lane(sums, 2) +
      i32x4.extract_lane(sums, 3);
    const at = usize(row) << 2;
    const norm = f64(load<f32>(norms + at));
    const score = f64(load<f32>(scales + at)) * queryScale * f64(dot) - normFactor * norm * norm;
    const bound =
      errorFactor * f64(load<f32>(errors + at)) + normErrorFactor * norm + normSlack * norm * norm;
    if (score + bound < threshold) continue;
    store<u32>(outRows + (usize(count) << 2), row);
    store<f64>(outScores + (usize(count) << 3), score);
    count++;
  }
  return count;
}
