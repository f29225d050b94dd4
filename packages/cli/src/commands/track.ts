import { Command, InvalidArgumentError } from 'commander';
import { interruptible } from '../interruption.ts';
import { jsonOption } from '../option-values.ts';

export interface TrackOptions {
  box: { x: number; y: number; width: number; height: number };
  out?: string;
  model: string;
  json?: true;
}

export function trackCommand(): Command {
  return new Command('track')
    .summary('follow an object through the frames of a film')
    .description(
      'Follow an object through the frames of a film, kept as picture files of one size in a folder, from a box ' +
        'around it in the first one. Works without a server.',
    )
    .argument('<frames>', 'a folder of frames, in the order of their names (9.jpg before 10.jpg)')
    .requiredOption(
      '-b, --box <x,y,width,height>',
      'the object in the first frame, in pixels from the upper left corner',
      boxValue,
    )
    .option(
      '-o, --out <file or folder>',
      'also write the frames with the box drawn in: an animated .webp, or a folder that gets boxes.json as well',
    )
    .option('-m, --model <name or folder>', 'the tracking model', 'tracking')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Exit status: 0 done, 1 the object was lost by the last frame, 2 it could not be done.

Examples:
  $ mkdir frames && ffmpeg -i film.mp4 frames/%05d.jpg
  $ lookalike track frames --box 334,128,67,57 --out tracked.webp
  $ lookalike track frames --box 334,128,67,57 --json > boxes.json`,
    )
    .action(async (folder: string, options: TrackOptions) => {
      process.exitCode = await interruptible(async (signal) => {
        const { track } = await import('./track-run.ts');
        return track(folder, options, signal);
      });
    });
}

function boxValue(text: string): TrackOptions['box'] {
  const numbers = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  const [x, y, width, height] = numbers;
  if (numbers.length !== 4 || !numbers.every(Number.isFinite))
    throw new InvalidArgumentError('Expected four numbers, such as 334,128,67,57: x, y, width, height.');
  return { x, y, width, height } as TrackOptions['box'];
}
