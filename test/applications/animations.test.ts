import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { type DedupeJson, runCommand, temporaryFolder } from '../../packages/cli/src/test-command.ts';
import { animatedGif, resized } from '../made-animation.ts';
import { filesOf, researchData, skipped } from './research-data.ts';

const films = researchData('tracking');

/** Cuts of 16 frames: in `crossing` the camera stands still, and each begins nearly as the others do. */
const CUTS = [
  { film: 'bag', folder: 'bag', starts: [0, 80] },
  { film: 'crossing', folder: 'crossing/img', starts: [0, 30, 80] },
  { film: 'tennis', folder: 'tennis', starts: [0, 40] },
] as const;

describe.skipIf(films === undefined)(`copies of animations of real films${skipped(films)}`, () => {
  test('are found in another size and container, and no other time of a film with them', async () => {
    const folder = await temporaryFolder();
    try {
      const expected: string[][] = [];
      for (const { film, folder: path, starts } of CUTS) {
        const pictures = filesOf(join(films as string, path)).filter((file) => file.endsWith('.jpg'));
        for (const start of starts) {
          const frames = await Promise.all(
            pictures
              .slice(start, start + 16)
              .map((file) => sharp(file).resize(240, 160, { fit: 'fill' }).png().toBuffer()),
          );
          const gif = await animatedGif(frames);
          const name = `${film}-${start}`;
          await folder.write(`cuts/${name}.gif`, gif);
          await folder.write(`cuts/${name}.webp`, await resized(gif, 120).webp({ quality: 50 }).toBuffer());
          await folder.write(
            `cuts/${name}-small.gif`,
            await resized(gif, 100).gif({ colours: 64, effort: 1 }).toBuffer(),
          );
          expected.push([`${name}-small.gif`, `${name}.gif`, `${name}.webp`]);
        }
      }
      const { stdout } = await runCommand(['dedupe', join(folder.root, 'cuts'), '--json'], {
        env: folder.env,
      });
      const { groups } = JSON.parse(stdout) as DedupeJson;
      expect(groups.map(({ items }) => items.map(({ path }) => path).sort()).sort()).toEqual(expected.sort());
    } finally {
      await folder.remove();
    }
  });
});
