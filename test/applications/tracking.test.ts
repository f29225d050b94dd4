import { readFileSync } from 'node:fs';
import { resolveModel } from '@lookalike/encoder';
import { openTracker } from '@lookalike/tracking';
import { describe, expect, test } from 'vitest';
import { trackingFigures } from '../bench/tracking/measures.ts';
import { testSequences } from '../bench/tracking/sequences.ts';

const sequences = testSequences();

describe.skipIf(sequences.length === 0)(
  `tracking on real films${sequences.length === 0 ? ' (skipped: no data)' : ''}`,
  () => {
    test.each(sequences)('$name', { timeout: 600_000 }, async ({ frames, truth }) => {
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
  },
);
