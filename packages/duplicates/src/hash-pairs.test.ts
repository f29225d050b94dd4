import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findHashPairs } from './index.ts';

const hex = (value: bigint) => value.toString(16).padStart(16, '0');

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
        fc.constantFrom(0n, 0xffffffffffffffffn, 0x0123456789abcdefn),
        fc.array(fc.nat(63), { maxLength: 4 }),
      )
      .map(([base, bits]) => hex(bits.reduce<bigint>((hash, bit) => hash ^ (1n << BigInt(bit)), base))),
  ),
  { maxLength: 40 },
);

test('pairs of hashes are those that differ in at most 4 bits, each once', async () => {
  await fc.assert(
    fc.asyncProperty(hashes, fc.option(fc.nat(40), { nil: undefined }), async (list, boundary) => {
      const expected: string[] = [];
      for (const [a, first] of list.entries())
        for (const [b, second] of list.entries())
          if (a < b && first !== undefined && second !== undefined && distance(first, second) <= 4)
            if (boundary === undefined || (a < boundary && b >= boundary)) expected.push(`${a}-${b}`);
      const options = boundary === undefined ? {} : { boundary };
      expect(listed(await findHashPairs(list, options))).toEqual(expected.sort());
    }),
    { numRuns: 300 },
  );
});

test('a thousand hashes without a pair, and what is no hash', async () => {
  let state = 1n;
  const apart = Array.from({ length: 1000 }, () => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
    return hex(state);
  });
  expect(listed(await findHashPairs(apart))).toEqual([]);
  expect(listed(await findHashPairs([...apart, apart[17]]))).toEqual(['17-1000']);
  await expect(findHashPairs(['xyz'])).rejects.toThrow(expect.objectContaining({ code: 'invalid-hash' }));
  const same = Array.from({ length: 10 }, () => hex(1n));
  await expect(findHashPairs(same, { maxPairs: 40 })).rejects.toThrow(
    expect.objectContaining({ code: 'too-many-pairs' }),
  );
});
