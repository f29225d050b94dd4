import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { PictureFacts } from '@lookalike/encoder';

/** What tells that a file is the one seen before without reading it. */
export interface FileStamp {
  size: number;
  /** Milliseconds. */
  modified: number;
}

export interface CachedEmbedding {
  embedding: Float32Array;
  picture: PictureFacts;
}

const SCHEMA = `
  pragma journal_mode = wal;
  pragma synchronous = normal;
  pragma busy_timeout = 10000;
  create table if not exists files (
    path text primary key, size integer not null, modified real not null, seen real not null, content text not null
  ) without rowid;
  create table if not exists embeddings (
    content text not null, encoder text not null, picture text not null, embedding blob not null,
    primary key (content, encoder)
  ) without rowid;
  create table if not exists pixels (content text primary key, hash text not null) without rowid;
`;
const WRITES_A_TRANSACTION = 200;
const MILLISECONDS_A_TRANSACTION = 1000;
// A file changed within this of being looked at may change again under the same stamp.
const SETTLING_MS = 2000;

/**
 * What was learnt of pictures in earlier runs: a file's content hash by path and stamp, an embedding by content hash and
 * encoder hash, a pixel hash by content hash. Several processes may use it at once; killing one loses its last second.
 * Everything in it can be made again.
 */
export class PictureCache {
  readonly #database: DatabaseSync;
  readonly #statements: Record<
    'file' | 'putFile' | 'embedding' | 'putEmbedding' | 'pixels' | 'putPixels',
    StatementSync
  >;
  /** Writes not yet in the database: a transaction held open would keep other processes waiting. */
  #pending: (() => void)[] = [];
  #flushedAt = performance.now();

  private constructor(database: DatabaseSync) {
    this.#database = database;
    this.#statements = {
      file: database.prepare('select size, modified, seen, content from files where path = ?'),
      putFile: database.prepare('insert or replace into files values (?, ?, ?, ?, ?)'),
      embedding: database.prepare(
        'select picture, embedding from embeddings where content = ? and encoder = ?',
      ),
      putEmbedding: database.prepare('insert or replace into embeddings values (?, ?, ?, ?)'),
      pixels: database.prepare('select hash from pixels where content = ?'),
      putPixels: database.prepare('insert or replace into pixels values (?, ?)'),
    };
  }

  /** Opens or creates the cache in `folder`. A damaged one is moved aside and begun anew. */
  static open(folder: string): PictureCache {
    mkdirSync(folder, { recursive: true });
    const path = join(folder, 'pictures-1.sqlite');
    try {
      return new PictureCache(openDatabase(path));
    } catch (error) {
      if (!/not a database|malformed/.test(String(error))) throw error;
      for (const suffix of ['-wal', '-shm', '']) {
        try {
          renameSync(path + suffix, `${path}.damaged${suffix}`);
        } catch (missing) {
          if ((missing as NodeJS.ErrnoException).code !== 'ENOENT') throw missing;
        }
      }
      return new PictureCache(openDatabase(path));
    }
  }

  /** The content hash of a file that has not changed since it was read. */
  contentHash(absolutePath: string, stamp: FileStamp): string | undefined {
    const row = this.#statements.file.get(absolutePath);
    if (!row || row.size !== stamp.size || row.modified !== stamp.modified) return undefined;
    if ((row.seen as number) - stamp.modified < SETTLING_MS) return undefined;
    return row.content as string;
  }

  putContentHash(absolutePath: string, stamp: FileStamp, contentHash: string): void {
    this.#write(() =>
      this.#statements.putFile.run(absolutePath, stamp.size, stamp.modified, Date.now(), contentHash),
    );
  }

  embedding(contentHash: string, encoderHash: string): CachedEmbedding | undefined {
    const row = this.#statements.embedding.get(contentHash, encoderHash);
    if (!row) return undefined;
    const bytes = (row.embedding as Uint8Array).slice();
    return {
      embedding: new Float32Array(bytes.buffer),
      picture: JSON.parse(row.picture as string) as PictureFacts,
    };
  }

  putEmbedding(contentHash: string, encoderHash: string, { embedding, picture }: CachedEmbedding): void {
    const bytes = new Uint8Array(embedding.buffer, embedding.byteOffset, embedding.byteLength);
    this.#write(() =>
      this.#statements.putEmbedding.run(contentHash, encoderHash, JSON.stringify(picture), bytes),
    );
  }

  pixelHash(contentHash: string): string | undefined {
    return this.#statements.pixels.get(contentHash)?.hash as string | undefined;
  }

  putPixelHash(contentHash: string, pixelHash: string): void {
    this.#write(() => this.#statements.putPixels.run(contentHash, pixelHash));
  }

  close(): void {
    this.#flush();
    this.#database.close();
  }

  /** Many writes a transaction: one each would wait for the disk thousands of times. */
  #write(run: () => void): void {
    this.#pending.push(run);
    if (
      this.#pending.length >= WRITES_A_TRANSACTION ||
      performance.now() - this.#flushedAt > MILLISECONDS_A_TRANSACTION
    )
      this.#flush();
  }

  #flush(): void {
    this.#database.exec('begin immediate');
    for (const run of this.#pending) run();
    this.#database.exec('commit');
    this.#pending = [];
    this.#flushedAt = performance.now();
  }
}

function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  try {
    database.exec(SCHEMA);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
