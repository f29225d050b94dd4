import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findNearPairs, type LedgerStore, type NearPairs, type PictureRow } from './index.ts';

const DIMENSION = 3;

/** A row on a circle: near rows have near angles. */
function row(key: string, angle: number, facts: Partial<PictureRow> = {}): PictureRow {
  return { key, embedding: Float32Array.of(Math.cos(angle), Math.sin(angle), 0), ...facts };
}

function memoryLedger(): LedgerStore & { bytes?: Uint8Array; saves: number } {
  const ledger: LedgerStore & { bytes?: Uint8Array; saves: number } = {
    saves: 0,
    load: async () => ledger.bytes,
    save: async (bytes) => {
      ledger.bytes = bytes;
      ledger.saves++;
    },
  };
  return ledger;
}

function keyed(rows: readonly PictureRow[], { left, right }: NearPairs['pairs']): string[] {
  return Array.from(left, (a, pair) =>
    [rows[a]?.key, rows[right[pair] as number]?.key].sort().join('~'),
  ).sort();
}

const search = (rows: readonly PictureRow[], ledger?: LedgerStore, more = {}) =>
  findNearPairs(rows, { minSimilarity: 0.9, dimension: DIMENSION, ...(ledger && { ledger }), ...more });

const many = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => row(`p${from + n}`, ((from + n) % 17) / 3));

describe('a search that goes on from an earlier one', () => {
  test('compares new rows only, and finds what one from the beginning finds', async () => {
    const ledger = memoryLedger();
    const first = await search(many(0, 200), ledger);
    expect(first).toMatchObject({ known: 0, compared: (200 * 199) / 2 });
    const again = await search(many(0, 200), ledger);
    expect(again).toMatchObject({ known: 200, compared: 0 });
    expect(keyed(many(0, 200), again.pairs)).toEqual(keyed(many(0, 200), first.pairs));

    // Some are gone, one has another content, ten are new, and the order is another one.
    const rows = [...many(0, 209).slice(20), row('other', 1)].reverse();
    const third = await search(rows, ledger);
    expect(third).toMatchObject({ known: 180, compared: 10 * 180 + 45 });
    const fresh = await search(rows);
    expect(keyed(rows, third.pairs)).toEqual(keyed(rows, fresh.pairs));
  });

  test('goes on where an interrupted one stopped', async () => {
    const ledger = memoryLedger();
    const rows = many(0, 300);
    const abort = new AbortController();
    const stopping: LedgerStore = {
      load: ledger.load,
      save: async (bytes) => {
        await ledger.save(bytes);
        if (ledger.saves === 3) abort.abort(new Error('enough'));
      },
    };
    const options = { pairsBetweenSaves: 5000 };
    await expect(search(rows, stopping, { ...options, signal: abort.signal })).rejects.toThrow('enough');
    const rest = await search(rows, ledger, options);
    expect(rest.known).toBeGreaterThan(100);
    expect(rest.compared).toBe((300 * 299) / 2 - (rest.known * (rest.known - 1)) / 2);
    expect(keyed(rows, rest.pairs)).toEqual(keyed(rows, (await search(rows)).pairs));
  });

  test('takes the pairs of a lower similarity for a higher one, and begins anew for a lower one', async () => {
    const ledger = memoryLedger();
    const rows = many(0, 50);
    await search(rows, ledger, { minSimilarity: 0.5 });
    const higher = await search(rows, ledger, { minSimilarity: 0.95 });
    expect(higher.compared).toBe(0);
    expect(keyed(rows, higher.pairs)).toEqual(
      keyed(rows, (await search(rows, undefined, { minSimilarity: 0.95 })).pairs),
    );
    const more = [...rows, ...many(50, 60)];
    await search(more, ledger, { minSimilarity: 0.95 });
    expect((await search(more, ledger, { minSimilarity: 0.5 })).compared).toBe(0);
    const lower = await search(rows, ledger, { minSimilarity: 0.4 });
    expect(lower.compared).toBe((50 * 49) / 2);
  });

  test('goes through a graph where there are too many new rows, and from there as ever', async () => {
    const ledger = memoryLedger();
    const rows = [...many(0, 100), { key: 'none' }, ...many(100, 200)].reverse();
    const exact = keyed(rows, (await search(rows)).pairs);
    const first = await search(rows, ledger, { exactUpTo: 100 });
    expect(first).toMatchObject({ complete: false, recall: 1, known: 0 });
    expect(keyed(rows, first.pairs)).toEqual(exact);
    const more = [...rows, ...many(200, 205)];
    const second = await search(more, ledger, { exactUpTo: 100 });
    expect(second).toMatchObject({ complete: false, known: rows.length });
    // A graph knows of no sides, and of no turned pictures.
    const turned = rows.map((one) => ({ ...one, turned: [row('', 3).embedding as Float32Array] }));
    for (const [pictures, options] of [
      [rows, { boundary: 150 }],
      [turned, {}],
    ] as const) {
      const all = await search(pictures, undefined, options);
      const few = await search(pictures, undefined, { ...options, exactUpTo: 100 });
      expect(few.complete).toBe(true);
      expect(keyed(pictures, few.pairs)).toEqual(keyed(pictures, all.pairs));
    }
    expect(keyed(more, second.pairs)).toEqual(keyed(more, (await search(more)).pairs));
  });

  test('makes nothing of a damaged ledger', async () => {
    const ledger = memoryLedger();
    await search(many(0, 30), ledger);
    const bytes = ledger.bytes as Uint8Array;
    for (const damage of [
      bytes.subarray(0, bytes.length - 1),
      Uint8Array.from(bytes, (byte, at) => (at === bytes.length - 5 ? byte ^ 1 : byte)),
      Buffer.from('{"format":1}'),
      new Uint8Array(),
    ]) {
      ledger.bytes = damage;
      expect(await search(many(0, 30), ledger)).toMatchObject({ known: 0, compared: (30 * 29) / 2 });
    }
  });

  test('is right between two sides and with turned pictures, whatever came when', async () => {
    // Few pictures, so that most of a run are known from an earlier one.
    const lists = fc.uniqueArray(fc.integer({ min: 0, max: 30 }), { maxLength: 16 });
    const rowsOf = (list: readonly number[]) =>
      list.map((picture) => {
        const turned = ((picture * 7) % 31) / 5;
        return row(`picture ${picture}`, picture / 5, {
          turned: [row('', turned).embedding as Float32Array, row('', turned + 2).embedding as Float32Array],
        });
      });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(lists, lists), { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        async (runs, sides) => {
          const ledger = memoryLedger();
          for (const [own, other] of runs) {
            const rows = sides ? [...rowsOf(own), ...rowsOf(other)] : rowsOf(own);
            const options = sides ? { boundary: own.length } : {};
            const found = await search(rows, ledger, { ...options, pairsBetweenSaves: 10 });
            const fresh = await search(rows, undefined, options);
            expect(keyed(rows, found.pairs)).toEqual(keyed(rows, fresh.pairs));
            // In however many ways two pictures are alike, they are one pair; across the boundary one in both sides is two rows.
            const ends = Array.from(found.pairs.left, (a, pair) => `${a} ${found.pairs.right[pair]}`);
            expect(new Set(ends).size).toBe(ends.length);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

test('turned pictures are as alike as in the best of the ways to turn them', async () => {
  const turned = (...angles: number[]) => angles.map((angle) => row('', angle).embedding as Float32Array);
  const rows = [
    row('a', 0, { turned: turned(1, 2) }),
    row('b', 0.4, { turned: turned(0.2, 0.1) }),
    row('c', 2, { turned: turned(2.1, 2.2) }),
  ];
  const { pairs } = await search(rows);
  // c and a: upright against a turned by 2.
  expect([...pairs.left]).toEqual([0, 0]);
  expect([...pairs.right]).toEqual([1, 2]);
  expect(pairs.similarity[0]).toBeCloseTo(Math.cos(0.1), 6);
  expect(pairs.similarity[1]).toBeCloseTo(1, 6);
  const across = await search(rows, undefined, { boundary: 1 });
  expect([...across.pairs.right]).toEqual([1]);
});

test('two pages are a pair only where their perceptual hashes agree too', async () => {
  const hash = '00ff00ff00ff00ff'.repeat(4);
  const flipped = (bits: bigint) => (BigInt(`0x${hash}`) ^ bits).toString(16).padStart(64, '0');
  const rows = [
    row('letter', 0, { perceptualHash: hash, page: true }),
    row('copy', 0.01, { perceptualHash: flipped((1n << 31n) - 1n), page: true }),
    row('other letter', 0.02, { perceptualHash: flipped(((1n << 32n) - 1n) << 224n), page: true }),
    row('no hash', 0.03, { page: true }),
    row('photograph', 0.04, { perceptualHash: flipped(((1n << 32n) - 1n) << 100n) }),
  ];
  const { pairs } = await search(rows, undefined, { minHashSimilarity: 0 });
  expect(keyed(rows, pairs)).toEqual([
    'copy~letter',
    'copy~photograph',
    'letter~photograph',
    'no hash~photograph',
    'other letter~photograph',
  ]);
  const { pairs: byEmbedding, hashPairs } = await search(rows);
  expect(keyed(rows, byEmbedding)).toHaveLength(10);
  expect(keyed(rows, hashPairs)).toEqual([]);
});

test('perceptual hashes find pairs whose embeddings are unlike, and say how alike they are', async () => {
  const rows = [
    { key: 'no vector', perceptualHash: '00ff00ff00ff00ff'.repeat(4) },
    row('a', 0, { perceptualHash: '00ff00ff00ff00ff'.repeat(4) }),
    row('b', 1, { perceptualHash: '00ff00ff00ff00f0'.repeat(4) }),
    row('c', 3, { perceptualHash: 'ff00ff00ff00ff00'.repeat(4) }),
    row('blank', 0, { perceptualHash: '00ff00ff00ff00ff'.repeat(4), lowInformation: true }),
  ];
  const { pairs, hashPairs } = await search(rows, undefined, { minHashSimilarity: 0 });
  expect(keyed(rows, pairs)).toEqual([]);
  expect(keyed(rows, hashPairs)).toEqual(['a~b']);
  expect(hashPairs.similarity[0]).toBeCloseTo(Math.cos(1), 6);
  const closer = await search(rows, undefined, { minHashSimilarity: 0.6 });
  expect(keyed(rows, closer.hashPairs)).toEqual([]);
  await expect(search([row('a', 0), row('a', 1)])).rejects.toThrow(
    expect.objectContaining({ code: 'duplicate-key' }),
  );
});
