import { readFileSync } from 'node:fs';
import { resolveModel } from '@lookalike/encoder';
import { openTracker } from '@lookalike/tracking';
import { expect, test } from 'vitest';
import { trackingFigures } from '../bench/tracking/measures.ts';
import { testSequences } from '../bench/tracking/sequences.ts';

const sequences = testSequences();

if (sequences.length === 0) test.skip('tracking on real films (skipped: no data)', () => {});

test.each(sequences)('tracks $name', { timeout: 600_000 }, async ({ frames, truth }) => {
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
