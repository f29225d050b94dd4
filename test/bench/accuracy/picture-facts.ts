import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type DecodeTarget, decodePicture, type PictureFacts } from '@lookalike/encoder';
import { hash, writeWhole } from './copies.ts';

const BATCH = 16;
const encoderSources = resolve(import.meta.dirname, '../../../packages/encoder/src');

/** What the product knows of a picture besides its embedding, of each file; made anew whenever the encoder's code changes. */
export async function cachedFacts(
  target: DecodeTarget,
  cache: string,
  files: readonly string[],
): Promise<PictureFacts[]> {
  const folder = join(cache, 'facts', hash([target, sourceHash()]));
  mkdirSync(folder, { recursive: true });
  const facts: PictureFacts[] = [];
  for (let start = 0; start < files.length; start += BATCH)
    facts.push(
      ...(await Promise.all(
        files.slice(start, start + BATCH).map(async (file): Promise<PictureFacts> => {
          const stored = join(folder, hash([file]));
          if (existsSync(stored)) return JSON.parse(readFileSync(stored, 'utf8'));
          const decoded = await decodePicture(readFileSync(file), target);
          writeWhole(stored, Buffer.from(JSON.stringify(decoded.facts)));
          return decoded.facts;
        }),
      )),
    );
  return facts;
}

function sourceHash(): string {
  const sources = createHash('sha256');
  for (const name of readdirSync(encoderSources).sort())
    if (name.endsWith('.ts') && !name.endsWith('.test.ts'))
      sources.update(name).update(readFileSync(join(encoderSources, name)));
  return sources.digest('hex');
}
