import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEncoder, resolveModel } from '@lookalike/encoder';
import { expect, test } from 'vitest';
import { backboneDescriber } from './backbone-describer.ts';

test('one pass gives the shipped embedding and the average of the feature maps', async () => {
  const cache = mkdtempSync(join(tmpdir(), 'lookalike-tap-'));
  const directory = await resolveModel('efficientnet-lite0-gem');
  const describer = await backboneDescriber(directory, cache, 1);
  const encoder = await openEncoder(directory, { threads: 1 });
  try {
    const files = ['cat.jpg', 'coffee.jpg'].map((name) => join(import.meta.dirname, '../../pictures', name));
    const [embeddings, averages] = (await describer.describe(files)) as [Float32Array[], Float32Array[]];
    const shipped = await encoder.encode(files.map((file) => readFileSync(file)));
    shipped.forEach((result, i) => {
      if (!result.ok) throw new Error(result.error.message);
      result.embedding.forEach((value, d) => {
        expect((embeddings[i] as Float32Array)[d]).toBeCloseTo(value, 5);
      });
    });
    for (const average of averages) {
      expect(average).toHaveLength(1280);
      expect(Math.hypot(...average)).toBeCloseTo(1, 5);
      // Behind a ReLU6: a mean of it is never negative.
      expect(Math.min(...average)).toBeGreaterThanOrEqual(0);
    }
    expect(averages[0]).not.toEqual(averages[1]);
  } finally {
    await Promise.all([describer.close(), encoder.close()]);
    rmSync(cache, { recursive: true, force: true });
  }
});
