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

describe('training and product read a picture alike', () => {
  test('there are reference embeddings', () => expect(referenced).not.toEqual([]));

  test.each(referenced)('$model.name', async ({ directory }) => {
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
        if (result?.ok) expect(cosine(result.embedding, embedding), path).toBeGreaterThanOrEqual(0.999);
      });
    } finally {
      await encoder.close();
    }
  });
});
