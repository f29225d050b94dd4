import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { LookalikeError } from '@lookalike/store';

/** Writes to standard output and waits where the reader is slow. A reader that went away (`| head`) ends the work quietly. */
export async function print(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}

/** For a person, beside the result. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** `color` where standard output is a terminal that wants it. */
export function stdoutHasColor(): boolean {
  return process.stdout.isTTY === true && process.stdout.hasColors();
}

/** Writes a file beside its place and then moves it there, so that an interrupted run leaves no half file. Throws `cannot-write`. */
export async function writeWholeFile(
  path: string,
  chunks: AsyncIterable<string | Uint8Array> | Iterable<string>,
): Promise<void> {
  await assertWritable(path);
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await pipeline(chunks, createWriteStream(temporary, { flags: 'wx' }));
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    const { syscall, path: at, message } = error as NodeJS.ErrnoException;
    // Others are of where the content comes from.
    throw syscall === 'write' || at === temporary ? cannotWrite(path, message) : error;
  }
}

/** Before long work, whether its result will have a place. Throws `cannot-write` where it will not. */
export async function assertWritable(path: string): Promise<void> {
  const folder = await stat(dirname(path)).catch(() => undefined);
  if (!folder?.isDirectory()) throw cannotWrite(path, `there is no folder ${dirname(path)}`);
  const there = await stat(path).catch(() => undefined);
  if (there?.isDirectory()) throw cannotWrite(path, 'it is a folder, expected a file');
}

const cannotWrite = (path: string, why: string) =>
  new LookalikeError('cannot-write', `cannot write ${path}: ${why}`);
