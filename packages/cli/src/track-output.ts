import { mkdir, readdir, realpath, rm, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve, sep } from 'node:path';
import { Readable } from 'node:stream';
import { LookalikeError } from '@lookalike/store';
import { animatedWebp, annotatedFrame, checkAnimation } from './annotated-frames.ts';
import { writeWholeFile } from './output.ts';
import type { FoundFile } from './walk-pictures.ts';

export interface TrackedFrame {
  path: string;
  box: { x: number; y: number; width: number; height: number };
  /** 1 in the first frame, where the box was given. */
  score: number;
}

export interface TrackOutput {
  path: string;
  add(bytes: Uint8Array, frame: TrackedFrame, lost: boolean): Promise<void>;
  finish(report: string): Promise<void>;
}

interface Frames {
  folder: string;
  files: readonly FoundFile[];
}

const REPORT = 'boxes.json';
/** There from the first frame to the report: a run that was stopped, in whatever way, left a folder that the next one may write over. */
const UNFINISHED = `${REPORT}.unfinished`;
/** Of a name that asks for a file which is not made, and would become a folder. */
const OTHER_FILES = new Set(
  'apng avi avif bmp gif jpeg jpg json m4v mkv mov mp4 mpeg mpg ogv png tif tiff webm wmv zip'.split(' '),
);

/**
 * Where frames with the box drawn in go: by the ending of its name an animation, or a folder. What cannot be written, and what
 * would write over files that are not its own, is said before any work is done.
 * @throws LookalikeError `bad-output`; what `checkAnimation` throws.
 */
export async function openTrackOutput(path: string, frames: Frames): Promise<TrackOutput> {
  if (path.toLowerCase().endsWith('.webp')) {
    await assertFreeFile(path, frames);
    checkAnimation(frames.files.length);
    const drawn: Buffer[] = [];
    return {
      path,
      async add(bytes, { box, score }, lost) {
        drawn.push(await annotatedFrame(bytes, box, { score, lost, format: 'png' }));
      },
      async finish() {
        await writeWholeFile(path, Readable.from([await animatedWebp(drawn)]));
      },
    };
  }
  await assertFreeFolder(path, frames);
  await mkdir(path, { recursive: true });
  await writeWholeFile(join(path, UNFINISHED), []);
  return {
    path,
    async add(bytes, { path: frame, box, score }, lost) {
      const name = `${frame.replaceAll('/', '-').replace(/\.[^.]+$/, '')}.jpg`;
      const drawn = await annotatedFrame(bytes, box, { score, lost, format: 'jpeg' });
      await writeWholeFile(join(path, name), Readable.from([drawn]));
    },
    async finish(report) {
      await writeWholeFile(join(path, REPORT), [report]);
      await rm(join(path, UNFINISHED));
    },
  };
}

async function assertFreeFile(path: string, { folder, files }: Frames): Promise<void> {
  const there = await stat(path).catch(() => undefined);
  if (there?.isDirectory()) throw new LookalikeError('bad-output', `${path} is a folder, expected a file`);
  const [real, root] = await Promise.all([realPlace(path), realpath(folder)]);
  if (files.some((file) => join(root, file.path) === real))
    throw new LookalikeError('bad-output', `${path} is one of the frames, expected another file`);
  assertOutside(path, real, root);
}

async function assertFreeFolder(path: string, { folder }: Frames): Promise<void> {
  const there = await stat(path).catch(() => undefined);
  const ending = extname(path).slice(1).toLowerCase();
  if (!there && OTHER_FILES.has(ending))
    throw new LookalikeError(
      'bad-output',
      `${path} ends in .${ending}, expected a file that ends in .webp, or a folder`,
    );
  if (there && !there.isDirectory())
    throw new LookalikeError('bad-output', `${path} is a file that does not end in .webp, expected a folder`);
  const [real, root] = await Promise.all([realPlace(path), realpath(folder)]);
  if (real === root)
    throw new LookalikeError('bad-output', `${path} is the folder of the frames, expected another one`);
  assertOutside(path, real, root);
  const names = there ? await readdir(path) : [];
  if (names.length > 0 && !names.includes(REPORT) && !names.includes(UNFINISHED))
    throw new LookalikeError(
      'bad-output',
      `${path} holds other files, expected a new or empty folder, or one with the ${REPORT} of an earlier run`,
    );
}

/** The real path of what is there, or of where it would be. */
async function realPlace(path: string): Promise<string> {
  const absolute = resolve(path);
  try {
    return await realpath(absolute);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return join(await realPlace(dirname(absolute)), basename(absolute));
  }
}

function assertOutside(path: string, real: string, root: string): void {
  if (real.startsWith(root + sep))
    throw new LookalikeError(
      'bad-output',
      `${path} is in the folder of the frames, where the next run would read it as frames; expected a place outside of it`,
    );
}
