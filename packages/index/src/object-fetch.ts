import { createHash } from 'node:crypto';
import { LookalikeError, type ObjectStore } from '@lookalike/store';
import type { Meter } from './meter.ts';
import type { SegmentFile } from './segment-descriptor.ts';

const partBytes = 8 * 1024 * 1024;
const partsAtOnce = 8;
const attempts = 2;

/**
 * Reads an object that must have this length and SHA-256, large ones in parallel parts, into `target` where one is given.
 * A damaged answer is fetched once more before it is an error. Throws `missing-object` or `damaged-object`, naming the key.
 */
export async function fetchObject(
  store: ObjectStore,
  key: string,
  file: SegmentFile,
  meter: Meter,
  target: Uint8Array = new Uint8Array(file.length),
): Promise<Uint8Array> {
  for (let attempt = 1; ; attempt++) {
    const problem = await fetchInto(store, key, file, meter, target);
    if (problem === undefined) return target;
    if (attempt === attempts)
      throw new LookalikeError('damaged-object', `${key} is damaged: ${problem}`, { details: { key } });
  }
}

async function fetchInto(
  store: ObjectStore,
  key: string,
  file: SegmentFile,
  meter: Meter,
  target: Uint8Array,
): Promise<string | undefined> {
  const hash = createHash('sha256');
  const starts: number[] = [];
  for (let start = 0; start < file.length; start += partBytes) starts.push(start);
  const parts = new Map<number, Promise<string | undefined>>();
  const read = async (start: number): Promise<string | undefined> => {
    const end = Math.min(file.length, start + partBytes);
    meter.requests++;
    const found = await store.get(key, { range: { start, end } });
    if (found === undefined)
      throw new LookalikeError('missing-object', `${key} is missing`, { details: { key } });
    meter.bytes += found.body.length;
    if (found.size !== file.length) return `${found.size} bytes, expected ${file.length}`;
    target.set(found.body, start);
    return undefined;
  };
  let next = 0;
  for (const start of starts) {
    for (; next < starts.length && parts.size < partsAtOnce; next++) {
      const part = read(starts[next] as number);
      // Awaited in order below; until then a failure must not count as unhandled.
      part.catch(() => undefined);
      parts.set(starts[next] as number, part);
    }
    const problem = await parts.get(start);
    parts.delete(start);
    if (problem !== undefined) return problem;
    hash.update(target.subarray(start, Math.min(file.length, start + partBytes)));
  }
  return hash.digest('hex') === file.sha256 ? undefined : 'its SHA-256 does not match';
}

/** Whether an object is damaged or gone, rather than out of reach. */
export function isDamage(error: unknown): error is LookalikeError {
  return (
    error instanceof LookalikeError && ['damaged-object', 'missing-object', 'short-read'].includes(error.code)
  );
}
