import type { PictureFacts } from '@lookalike/encoder';
import { expect, test } from 'vitest';
import { type DescribedPicture, productScores } from './product-scores.ts';

const hash = '00ff00ff00ff00ff'.repeat(4);
const otherHash = 'ff00ff00ff00ff00'.repeat(4);

function picture(angle: number, facts: Partial<PictureFacts> = {}): DescribedPicture {
  return {
    embedding: Float32Array.of(Math.cos(angle), Math.sin(angle)),
    facts: {
      format: 'jpeg',
      width: 100,
      height: 100,
      frames: 1,
      sharpness: 0.5,
      lowInformation: false,
      page: false,
      perceptualHash: otherHash,
      ...facts,
    },
  };
}

test('scores are those of the search that dedupe does: hashes first, no unlike pages, no blank pictures', async () => {
  const queries = [
    picture(0, { perceptualHash: hash }),
    picture(0, { page: true }),
    picture(0, { lowInformation: true }),
  ];
  const references = [
    picture(0.5, { perceptualHash: hash }),
    picture(1.5, { perceptualHash: hash }),
    picture(0.1, { perceptualHash: hash, page: true }),
    picture(0.1, { page: true }),
    picture(3),
  ];
  const agreement = queries.map(({ facts }) =>
    Float32Array.from(references, (reference) =>
      facts.perceptualHash === reference.facts.perceptualHash ? 1 : -1,
    ),
  );
  const scores = await productScores(queries, references, agreement, 0.3);
  const near = (value: number) => expect.closeTo(value, 5);
  expect(scores.map((row) => [...row])).toEqual([
    // Hashes that agree are believed only from a similarity of 0.3 on.
    [2, near(Math.cos(1.5)), 2, near(Math.cos(0.1)), -1],
    [near(Math.cos(0.5)), near(Math.cos(1.5)), -1, 2, -1],
    [-1, -1, -1, -1, -1],
  ]);
});
