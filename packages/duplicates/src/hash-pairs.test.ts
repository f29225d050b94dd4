import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findHashPairs } from './index.ts';

const hex = (value: bigint) => value.toString(16).padStart(64, '0');

function distance(a: string, b: string): number {
  let count = 0;
  for (let bits = BigInt(`0x${a}`) ^ BigInt(`0x${b}`); bits > 0n; bits &= bits - 1n) count++;
  return count;
}

const listed = ({ left, right }: { left: Uint32Array; right: Uint32Array }) =>
  Array.from(left, (a, pair) => `${a}-${right[pair]}`).sort();

/** Few base hashes with some bits turned over, so that many are near each other and many just too far. */
const hashes = fc.array(
  fc.oneof(
    fc.constant(undefined),
    fc
      .tuple(
        fc.constantFrom(0n, (1n << 256n) - 1n, BigInt(`0x${'0123456789abcdef'.repeat(4)}`)),
        fc.array(fc.nat(255), { maxLength: 75 }),
      )
      .map(([base, bits]) => hex(bits.reduce<bigint>((hash, bit) => hash ^ (1n << BigInt(bit)), base))),
  ),
  { maxLength: 40 },
);

test('pairs of hashes are those that differ in at most 63 bits, each once', async () => {
  await fc.assert(
    fc.asyncProperty(hashes, fc.option(fc.nat(40), { nil: undefined }), async (list, boundary) => {
      const expected: string[] = [];
      for (const [a, first] of list.entries())
        for (const [b, second] of list.entries())
          if (a < b && first !== undefined && second !== undefined && distance(first, second) <= 63)
            if (boundary === undefined || (a < boundary && b >= boundary)) expected.push(`${a}-${b}`);
      const options = boundary === undefined ? {} : { boundary };
      expect(listed(await findHashPairs(list, options))).toEqual(expected.sort());
    }),
    { numRuns: 300 },
  );
});

/** As far apart as hashes of strangers. */
const apart = (count: number) =>
  Array.from({ length: count }, (_, n) => createHash('sha256').update(`${n}`).digest('hex'));

/** `count` of 256 bits, `step` apart. */
const spread = (count: number, step: number) =>
  Array.from({ length: count }, (_, n) => 1n << BigInt((n * step) % 256)).reduce((a, b) => a | b, 0n);
const turned = (hash: string | undefined, bits: bigint) => hex(BigInt(`0x${hash}`) ^ bits);

test('a thousand hashes without a pair, and what is no hash', async () => {
  const thousand = apart(1000);
  expect(listed(await findHashPairs(thousand))).toEqual([]);
  expect(listed(await findHashPairs([...thousand, thousand[17]]))).toEqual(['17-1000']);
  for (const step of [1, 7, 9, 33]) {
    const copies = [turned(thousand[17], spread(63, step)), turned(thousand[18], spread(64, step))];
    const all = [...thousand, ...copies];
    expect(listed(await findHashPairs(all))).toEqual(['17-1000']);
    expect(listed(await findHashPairs(all, { mostBits: 62 }))).toEqual([]);
    expect(listed(await findHashPairs(all, { mostBits: 64 }))).toEqual(['17-1000', '18-1001']);
  }
  // What was a hash once has a quarter of the digits.
  for (const bad of ['xyz', '0f0f0f0f0f0f0f0f'])
    await expect(findHashPairs([bad])).rejects.toThrow(expect.objectContaining({ code: 'invalid-hash' }));
  const same = Array.from({ length: 10 }, () => hex(1n));
  await expect(findHashPairs(same, { maxPairs: 40 })).rejects.toThrow(
    expect.objectContaining({ code: 'too-many-pairs' }),
  );
});

test('of more hashes than are compared one with another those are pairs that differ in at most 15 bits, each once', async () => {
  const many = apart(3000);
  // 16 bits apart they lie in a part each, so that one part is left that agrees.
  const steps = [1, 7, 16, 17, 33];
  const copies = steps.flatMap((step, n) => [
    turned(many[n], spread(15, step)),
    turned(many[100 + n], spread(16, step)),
  ]);
  const all = [...many, ...copies];
  expect(listed(await findHashPairs(all, { exactUpTo: all.length }))).toHaveLength(2 * steps.length);
  const found = listed(await findHashPairs(all, { exactUpTo: all.length - 1 }));
  expect(found).toEqual(steps.map((_, n) => `${n}-${3000 + 2 * n}`).sort());
});

test('it stops where its signal is aborted', async () => {
  const reason = new Error('stopped');
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), 1);
  await expect(findHashPairs(apart(30_000), { signal: controller.signal })).rejects.toBe(reason);
});
