import { readFileSync } from 'node:fs';
import { resolveModel } from '@lookalike/encoder';
import { openTracker } from '@lookalike/tracking';
import { describe, expect, test } from 'vitest';
import { trackingFigures } from '../bench/tracking/measures.ts';
import { type Sequence, TEST_SEQUENCES, testSequences } from '../bench/tracking/sequences.ts';
import { researchData, skipped } from './research-data.ts';

const films = researchData('tracking');

describe.skipIf(films === undefined)(`tracking on real films${skipped(films)}`, () => {
  test.each(TEST_SEQUENCES)('tracks %s', { timeout: 600_000 }, async (film) => {
    const { frames, truth } = testSequences().find(({ name }) => name === film) as Sequence;
    const tracker = await openTracker(await resolveModel('tracking'));
    try {
      const first = truth[0] as (typeof truth)[number];
      await tracker.start(readFileSync(frames[0] as string), first);
      const found = [first];
      for (const frame of frames.slice(1)) found.push((await tracker.next(readFileSync(frame))).box);
      const { success, precision20 } = trackingFigures(found, truth);
      expect(success).toBeGreaterThan(0.5);
      expect(precision20).toBeGreaterThan(0.5);
    } finally {
      await tracker.close();
    }
  });
});
