import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import type { PictureFacts } from '@lookalike/encoder';
import { WeightedGate } from '@lookalike/encoder/weighted-gate';
import { LookalikeError } from '@lookalike/store';
import { errorText } from './cli-error.ts';
import { forEachConcurrently } from './concurrency.ts';
import { fileStamp } from './file-stamp.ts';
import type { EmbeddingSource } from './lazy-encoder.ts';
import type { CachedEmbedding, PictureCache } from './picture-cache.ts';
import type { FoundFile } from './walk-pictures.ts';

/** A file with all that finding duplicates needs of it. */
export interface ScannedFile extends FoundFile {
  contentHash: string;
  bytes: number;
  /** Milliseconds since 1970. */
  modified: number;
  /** Missing where it cannot be decoded, and the embedding with it: its bytes are all there is to compare. */
  picture?: PictureFacts;
  embedding?: Float32Array;
}

/** One that could be decoded. */
export interface ScannedPicture extends ScannedFile {
  picture: PictureFacts;
  embedding: Float32Array;
}

export interface FileError {
  path: string;
  error: string;
}

export interface PictureScan {
  /** In the order of the files given. */
  pictures: ScannedPicture[];
  errors: FileError[];
  /** The files that the errors are of. */
  failed: FoundFile[];
  /** How many files needed no encoding: an earlier run had done it. */
  known: number;
}

export interface ScanOptions {
  encoder: EmbeddingSource;
  cache: PictureCache;
  maxBytes?: number;
  signal?: AbortSignal;
  onProgress?: (done: number) => void;
}

const FILES_AT_ONCE = 8;
const MAX_BYTES = 64 * 1024 * 1024;
/** Of files that are read and not yet encoded: memory is the same for a folder of large files and one of small ones. */
const BYTES_AT_ONCE = 64 * 1024 * 1024;

/** Reads, hashes and encodes files, or remembers them. A bad file is its own error and never stops the others. */
export async function scanPictures(files: readonly FoundFile[], options: ScanOptions): Promise<PictureScan> {
  const { encoder, cache } = options;
  const pictures = new Array<ScannedPicture | undefined>(files.length);
  const errors: FileError[] = [];
  const failed: FoundFile[] = [];
  // Copies of one file are encoded once, even while the first is still under way.
  const known = new Map<string, Promise<CachedEmbedding>>();
  const fromCache = new Set<string>();
  let remembered = 0;
  const held = new WeightedGate(BYTES_AT_ONCE);
  let done = 0;

  const embed = async (contentHash: string, bytes: Uint8Array): Promise<CachedEmbedding> => {
    const [result] = await encoder.encode([bytes], options.signal ? { signal: options.signal } : {});
    if (!result) throw new Error('the encoder gave no result');
    if (!result.ok) throw new LookalikeError(result.error.code, result.error.message);
    const embedding = { embedding: result.embedding, picture: result.picture };
    cache.putEmbedding(contentHash, encoder.hash, embedding);
    return embedding;
  };

  /** As remembered from this run or an earlier one. */
  const recall = (contentHash: string): Promise<CachedEmbedding> | undefined => {
    let embedding = known.get(contentHash);
    if (!embedding) {
      const cached = cache.embedding(contentHash, encoder.hash);
      if (!cached) return undefined;
      embedding = Promise.resolve(cached);
      known.set(contentHash, embedding);
      fromCache.add(contentHash);
    }
    if (fromCache.has(contentHash)) remembered++;
    return embedding;
  };

  const scan = async (file: FoundFile): Promise<ScannedPicture> => {
    const stamp = fileStamp(await stat(file.absolute));
    const { size, modified } = stamp;
    const contentHash = cache.contentHash(file.absolute, stamp);
    const embedding = contentHash === undefined ? undefined : recall(contentHash);
    if (contentHash === undefined || !embedding) {
      const read = async () => {
        const bytes = await readPicture(file.absolute, options.maxBytes ?? MAX_BYTES);
        const hash = sha256(bytes);
        cache.putContentHash(file.absolute, stamp, hash);
        let made = recall(hash);
        if (!made) {
          made = embed(hash, bytes);
          known.set(hash, made);
        }
        return { hash, made: await made };
      };
      const { hash, made } = await held.run(size, read, options.signal);
      return { ...file, contentHash: hash, bytes: size, modified, ...made };
    }
    return { ...file, contentHash, bytes: size, modified, ...(await embedding) };
  };

  await forEachConcurrently(
    files,
    FILES_AT_ONCE,
    async (file, index) => {
      try {
        pictures[index] = await scan(file);
      } catch (error) {
        options.signal?.throwIfAborted();
        errors.push({ path: file.path, error: errorText(error) });
        failed.push(file);
      }
      options.onProgress?.(++done);
    },
    options.signal,
  );
  errors.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { pictures: pictures.filter((picture) => picture !== undefined), errors, failed, known: remembered };
}

/** SHA-256 (hex) of a file's bytes, without reading it where the cache knows it. */
export async function contentHashOf(file: FoundFile, cache: PictureCache): Promise<string> {
  const stamp = fileStamp(await stat(file.absolute));
  const known = cache.contentHash(file.absolute, stamp);
  if (known !== undefined) return known;
  const hash = sha256(await readPicture(file.absolute));
  cache.putContentHash(file.absolute, stamp, hash);
  return hash;
}

/** Hex. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The same of a file of any size, which is not held. */
export async function sha256OfFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(path, signal && { signal })) hash.update(part);
  return hash.digest('hex');
}

/** @throws LookalikeError `picture-too-large` before reading what the encoder would refuse anyway. */
export async function readPicture(path: string, maxBytes = MAX_BYTES): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const found = await file.stat();
    if (found.isDirectory())
      throw new LookalikeError('not-a-picture', `${path} is a folder, expected a picture`);
    const { size } = found;
    if (size > maxBytes)
      throw new LookalikeError('picture-too-large', `${size} bytes, expected at most ${maxBytes}`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}
