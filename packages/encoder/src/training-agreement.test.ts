import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { listModels } from './models.ts';
import { openEncoder } from './open-encoder.ts';
import { cosine } from './test-pictures.ts';

const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));

/** What the training side computed with its own decoder, resize and runtime. */
interface Reference {
  pictures: { path: string; embedding: number[] }[];
}

const referenced = (await listModels()).filter(({ directory }) =>
  existsSync(join(directory, 'reference.json')),
);

/**
 * Least cosine of both sides' embeddings. `faces` resamples a picture by the landmarks it sees in it; these pictures show no face
 * of the size that it is made for, and where its softmax has no place to settle on, a grey step moves the landmarks.
 */
const leastAgreement = (model: string) => (model === 'faces' ? 0.98 : 0.999);

describe('training and product read a picture alike', () => {
  test('there are reference embeddings', () => expect(referenced).not.toEqual([]));

  test.each(referenced)('$model.name', async ({ directory, model }) => {
    const reference: Reference = JSON.parse(readFileSync(join(directory, 'reference.json'), 'utf8'));
    expect(reference.pictures.length).toBeGreaterThan(0);
    const encoder = await openEncoder(directory, { threads: 1 });
    try {
      const results = await encoder.encode(
        reference.pictures.map(({ path }) => readFileSync(join(REPOSITORY, path))),
      );
      reference.pictures.forEach(({ path, embedding }, i) => {
        const result = results[i];
        expect(result?.ok, path).toBe(true);
        if (result?.ok)
          expect(cosine(result.embedding, embedding), path).toBeGreaterThanOrEqual(
            leastAgreement(model.name),
          );
      });
    } finally {
      await encoder.close();
    }
  });
});
