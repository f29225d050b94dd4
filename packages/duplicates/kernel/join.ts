// AssemblyScript, not TypeScript: compiled by `npm run build-kernel -w @lookalike/duplicates` to src/join-kernel.ts.
// Memory is laid out by the caller (src/block-join.ts); nothing is allocated here.

/**
 * Finds the pairs of `leftCount` rows at `left` and `rightCount` rows at `right` whose dot product is at least
 * `minSimilarity`. A row has `stride` float32 numbers, a multiple of 4; `rightCount` is a multiple of 4.
 * Found pairs go to `out`, 12 bytes each: row on the left, row on the right (uint32), similarity (float32). Returns how many.
 *
 * Four rows on the right at a time stay in the first-level cache while all rows on the left pass by.
 */
export function join(
  left: usize,
  leftCount: i32,
  right: usize,
  rightCount: i32,
  stride: i32,
  minSimilarity: f32,
  out: usize,
): i32 {
  const bytes = usize(stride) << 2;
  let count = 0;
  for (let j = 0; j < rightCount; j += 4) {
    const right0 = right + usize(j) * bytes;
    const right1 = right0 + bytes;
    const right2 = right1 + bytes;
    const right3 = right2 + bytes;
    for (let i = 0; i < leftCount; i++) {
      const row = left + usize(i) * bytes;
      let sum0 = f32x4.splat(0);
      let sum1 = f32x4.splat(0);
      let sum2 = f32x4.splat(0);
      let sum3 = f32x4.splat(0);
      for (let at: usize = 0; at < bytes; at += 16) {
        const part = v128.load(row + at);
        sum0 = f32x4.add(sum0, f32x4.mul(part, v128.load(right0 + at)));
        sum1 = f32x4.add(sum1, f32x4.mul(part, v128.load(right1 + at)));
        sum2 = f32x4.add(sum2, f32x4.mul(part, v128.load(right2 + at)));
        sum3 = f32x4.add(sum3, f32x4.mul(part, v128.load(right3 + at)));
      }
      count = keep(out, count, i, j, total(sum0), minSimilarity);
      count = keep(out, count, i, j + 1, total(sum1), minSimilarity);
      count = keep(out, count, i, j + 2, total(sum2), minSimilarity);
      count = keep(out, count, i, j + 3, total(sum3), minSimilarity);
    }
  }
  return count;
}

function total(sums: v128): f32 {
  return (
    f32x4.extract_lane(sums, 0) +
    f32x4.extract_lane(sums, 1) +
    f32x4.extract_lane(sums, 2) +
    f32x4.extract_lane(sums, 3)
  );
}

function keep(out: usize, count: i32, i: i32, j: i32, similarity: f32, minSimilarity: f32): i32 {
  if (similarity < minSimilarity) return count;
  const at = out + usize(count) * 12;
  store<u32>(at, i);
  store<u32>(at, j, 4);
  store<f32>(at, similarity, 8);
  return count + 1;
}

/**
 * Finds the pairs of rows `start` to `end` of the `count` hashes at `hashes` with rows after them that differ in at most
 * `mostBits` of their 256 bits. Found pairs go to `out`, 8 bytes each: the two rows (uint32). Returns how many.
 */
export function joinHashes(hashes: usize, start: i32, end: i32, count: i32, mostBits: i32, out: usize): i32 {
  let found = 0;
  for (let i = start; i < end; i++) {
    const row = hashes + (usize(i) << 5);
    const first = load<u64>(row);
    const second = load<u64>(row, 8);
    const third = load<u64>(row, 16);
    const fourth = load<u64>(row, 24);
    for (let j = i + 1; j < count; j++) {
      const other = hashes + (usize(j) << 5);
      let bits = popcnt<u64>(first ^ load<u64>(other));
      bits += popcnt<u64>(second ^ load<u64>(other, 8));
      bits += popcnt<u64>(third ^ load<u64>(other, 16));
      // Unrelated ones are past the limit by now.
      if (i32(bits) > mostBits) continue;
      bits += popcnt<u64>(fourth ^ load<u64>(other, 24));
      if (i32(bits) > mostBits) continue;
      const at = out + (usize(found) << 3);
      store<u32>(at, i);
      store<u32>(at, j, 4);
      found++;
    }
  }
  return found;
}
