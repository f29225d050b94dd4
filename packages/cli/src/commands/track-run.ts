import { PictureError, resolveModel } from '@lookalike/encoder';
import { LookalikeError } from '@lookalike/store';
import { openTracker, type Tracker } from '@lookalike/tracking';
import { EXIT } from '../cli-error.ts';
import { note, print } from '../output.ts';
import { readPicture } from '../picture-scan.ts';
import { Progress } from '../progress.ts';
import { openTrackOutput, type TrackedFrame, type TrackOutput } from '../track-output.ts';
import { type FoundFile, walkPictures } from '../walk-pictures.ts';
import type { TrackOptions } from './track.ts';

export async function track(folder: string, options: TrackOptions, signal: AbortSignal): Promise<number> {
  const { files, errors } = await walkPictures(folder);
  // Frames that are missing in between would lead it astray.
  for (const { path, error } of errors) throw new LookalikeError('unreadable-folder', `${path}: ${error}`);
  // A film's frames are counted: 9 before 10, however many digits they are written with.
  const byNumber = new Intl.Collator('en', { numeric: true });
  files.sort((a, b) => byNumber.compare(a.path, b.path));
  const out = options.out === undefined ? undefined : await openTrackOutput(options.out, { folder, files });
  const tracker = await openTracker(await resolveModel(options.model));
  try {
    const { frames, seconds } = await follow(tracker, files, options, out, signal);
    const framesPerSecond = seconds > 0 ? Number((frames.length / seconds).toFixed(1)) : null;
    const { lostSimilarity } = tracker.parameters;
    const report = `${JSON.stringify({ model: tracker.model.name, lostBelow: lostSimilarity, framesPerSecond, frames })}\n`;
    await out?.finish(report);
    if (options.json) await print(report);
    else {
      for (const { path, box, score } of frames)
        await print(
          `${path}\t${boxText(box)}\t${score.toFixed(3)}${score < lostSimilarity ? '\tlost' : ''}\n`,
        );
      note(`${frames.length} frames, ${framesPerSecond} a second${out ? `: ${out.path}` : ''}.`);
    }
    return (frames.at(-1) as TrackedFrame).score < lostSimilarity ? EXIT.nothing : EXIT.ok;
  } finally {
    await tracker.close();
  }
}

const boxText = ({ x, y, width, height }: TrackedFrame['box']) =>
  [x, y, width, height].map((value) => value.toFixed(1)).join(',');

/** `seconds` are those of reading and tracking, without what is drawn. */
async function follow(
  tracker: Tracker,
  files: readonly FoundFile[],
  { box, json }: TrackOptions,
  out: TrackOutput | undefined,
  signal: AbortSignal,
): Promise<{ frames: TrackedFrame[]; seconds: number }> {
  const frames: TrackedFrame[] = [];
  let milliseconds = 0;
  const progress = new Progress({
    label: 'Tracking',
    total: files.length,
    unit: 'frames',
    silentInPipe: json === true,
  });
  try {
    for (const { path, absolute } of files) {
      signal.throwIfAborted();
      const started = performance.now();
      const bytes = await readPicture(absolute);
      const { box: found, score } = await named(path, () =>
        frames.length === 0 ? tracker.start(bytes, box).then(() => ({ box, score: 1 })) : tracker.next(bytes),
      );
      milliseconds += performance.now() - started;
      const frame = { path, box: found, score: Number(score.toFixed(4)) };
      frames.push(frame);
      await out?.add(bytes, frame, score < tracker.parameters.lostSimilarity);
      progress.update(frames.length);
      // Inference holds the thread; between frames a Ctrl-C gets its turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    progress.end();
  }
  return { frames, seconds: milliseconds / 1000 };
}

/** Errors of a frame name the frame. */
async function named<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LookalikeError || error instanceof PictureError)
      throw new LookalikeError(error.code, `${path}: ${error.message}`, { cause: error });
    throw error;
  }
}
