import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { StatementSync } from 'node:sqlite';
import type { LedgerStore } from '@lookalike/duplicates';
import type { PictureFacts } from '@lookalike/encoder';
import type { FileStamp } from './file-stamp.ts';
import { DatabaseSync } from './sqlite.ts';

export interface CachedEmbedding {
  embedding: Float32Array;
  picture: PictureFacts;
}

// A row of a table without rowid that takes more than a quarter of a page gets pages of its own: an embedding of 256 numbers is 1.3 kB.
const SCHEMA = `
  pragma page_size = 16384;
  pragma auto_vacuum = incremental;
  pragma journal_mode = wal;
  pragma synchronous = normal;
  pragma busy_timeout = 10000;
  create table if not exists files (
    path text primary key, size integer not null, modified real not null, changed real not null, inode real not null,
    seen real not null, content text not null
  ) without rowid;
  create table if not exists embeddings (
    content text not null, encoder text not null, used integer not null, picture text not null, embedding blob not null,
    primary key (content, encoder)
  ) without rowid;
  create table if not exists pixels (content text primary key, hash text not null) without rowid;
  create table if not exists frames (content text primary key, hashes text not null) without rowid;
  create table if not exists ledgers (name text primary key, used integer not null, pairs blob not null);
`;
const WRITES_A_TRANSACTION = 200;
const MILLISECONDS_A_TRANSACTION = 1000;
// A file changed within this of being looked at may change again under the same stamp.
const SETTLING_MS = 2000;
const DEFAULT_MAX_BYTES = 2_000_000_000;
/** What is left of the limit after making room: not to do it again at every end. */
const LEFT_AFTER_EVICTION = 0.8;
const ROWS_AN_EVICTION = 1000;

/** Use is remembered by the day: a run over known pictures then writes hardly anything. */
const today = () => Math.floor(Date.now() / 86_400_000);

export interface PictureCacheOptions {
  /** Of the file, kept at the end of a run by letting go what was not used for longest. Default 2 GB: more than a million pictures. */
  maxBytes?: number;
}

/**
 * What was learnt of pictures in earlier runs: a file's content hash by path and stamp, an embedding and fingerprints by content
 * hash and encoder hash, a pixel hash and the hashes of frames by content hash, and the pairs that a search had found. Several processes may use it
 * at once; killing one loses its last second. Everything in it can be made again.
 */
export class PictureCache {
  readonly #database: DatabaseSync;
  readonly #maxBytes: number;
  readonly #statements: Record<
    | 'file'
    | 'putFile'
    | 'embedding'
    | 'putEmbedding'
    | 'useEmbedding'
    | 'pixels'
    | 'putPixels'
    | 'frames'
    | 'putFrames'
    | 'ledger'
    | 'putLedger',
    StatementSync
  >;
  /** Writes not yet in the database: a transaction held open would keep other processes waiting. */
  #pending: (() => void)[] = [];
  #flushedAt = performance.now();

  private constructor(database: DatabaseSync, { maxBytes = DEFAULT_MAX_BYTES }: PictureCacheOptions) {
    this.#database = database;
    this.#maxBytes = maxBytes;
    this.#statements = {
      file: database.prepare(
        'select size, modified, changed, inode, seen, content from files where path = ?',
      ),
      putFile: database.prepare('insert or replace into files values (?, ?, ?, ?, ?, ?, ?)'),
      embedding: database.prepare(
        'select used, picture, embedding from embeddings where content = ? and encoder = ?',
      ),
      putEmbedding: database.prepare('insert or replace into embeddings values (?, ?, ?, ?, ?)'),
      useEmbedding: database.prepare('update embeddings set used = ? where content = ? and encoder = ?'),
      pixels: database.prepare('select hash from pixels where content = ?'),
      putPixels: database.prepare('insert or replace into pixels values (?, ?)'),
      frames: database.prepare('select hashes from frames where content = ?'),
      putFrames: database.prepare('insert or replace into frames values (?, ?)'),
      ledger: database.prepare('select pairs from ledgers where name = ?'),
      putLedger: database.prepare('insert or replace into ledgers values (?, ?, ?)'),
    };
  }

  /** Opens or creates the cache in `folder`. A damaged one is moved aside and begun anew. */
  static open(folder: string, options: PictureCacheOptions = {}): PictureCache {
    mkdirSync(folder, { recursive: true });
    const path = join(folder, 'pictures-5.sqlite');
    try {
      return new PictureCache(openDatabase(path), options);
    } catch (error) {
      if (!/not a database|malformed/.test(String(error))) throw error;
      for (const suffix of ['-wal', '-shm', '']) {
        try {
          renameSync(path + suffix, `${path}.damaged${suffix}`);
        } catch (missing) {
          if ((missing as NodeJS.ErrnoException).code !== 'ENOENT') throw missing;
        }
      }
      return new PictureCache(openDatabase(path), options);
    }
  }

  /** One that nothing stays of. */
  static inMemory(): PictureCache {
    return new PictureCache(openDatabase(':memory:'), {});
  }

  /** The content hash of a file that has not changed since it was read. */
  contentHash(absolutePath: string, stamp: FileStamp): string | undefined {
    const row = this.#statements.file.get(absolutePath);
    const { size, modified, changed = 0, inode = 0 } = stamp;
    if (row?.size !== size || row.modified !== modified) return undefined;
    if (row.changed !== changed || row.inode !== inode) return undefined;
    if ((row.seen as number) - Math.max(modified, changed) < SETTLING_MS) return undefined;
    return row.content as string;
  }

  putContentHash(absolutePath: string, stamp: FileStamp, contentHash: string): void {
    const { size, modified, changed = 0, inode = 0 } = stamp;
    this.#write(() =>
      this.#statements.putFile.run(absolutePath, size, modified, changed, inode, Date.now(), contentHash),
    );
  }

  embedding(contentHash: string, encoderHash: string): CachedEmbedding | undefined {
    const row = this.#statements.embedding.get(contentHash, encoderHash);
    if (!row) return undefined;
    if (row.used !== today())
      this.#write(() => this.#statements.useEmbedding.run(today(), contentHash, encoderHash));
    const bytes = (row.embedding as Uint8Array).slice();
    return {
      embedding: new Float32Array(bytes.buffer),
      picture: JSON.parse(row.picture as string) as PictureFacts,
    };
  }

  putEmbedding(contentHash: string, encoderHash: string, { embedding, picture }: CachedEmbedding): void {
    const bytes = new Uint8Array(embedding.buffer, embedding.byteOffset, embedding.byteLength);
    this.#write(() =>
      this.#statements.putEmbedding.run(contentHash, encoderHash, today(), JSON.stringify(picture), bytes),
    );
  }

  pixelHash(contentHash: string): string | undefined {
    return this.#statements.pixels.get(contentHash)?.hash as string | undefined;
  }

  putPixelHash(contentHash: string, pixelHash: string): void {
    this.#write(() => this.#statements.putPixels.run(contentHash, pixelHash));
  }

  frameHashes(contentHash: string): string[] | undefined {
    const row = this.#statements.frames.get(contentHash);
    return row && (JSON.parse(row.hashes as string) as string[]);
  }

  putFrameHashes(contentHash: string, frameHashes: readonly string[]): void {
    this.#write(() => this.#statements.putFrames.run(contentHash, JSON.stringify(frameHashes)));
  }

  /** The pairs found by searches of one name, which says all that decides them but the pictures. */
  ledger(name: string): LedgerStore {
    return {
      load: async () => this.#statements.ledger.get(name)?.pairs as Uint8Array | undefined,
      save: async (pairs) => {
        this.#flush();
        this.#statements.putLedger.run(name, today(), pairs);
      },
    };
  }

  close(): void {
    this.#flush();
    this.#makeRoom();
    this.#database.close();
  }

  get #bytes(): number {
    const number = (pragma: string) =>
      Object.values(this.#database.prepare(`pragma ${pragma}`).get() ?? {})[0] as number;
    return (number('page_count') - number('freelist_count')) * number('page_size');
  }

  /** Embeddings go by the day of their last use, ledgers with the day's embeddings, and what belonged to them with them. */
  #makeRoom(): void {
    if (this.#bytes <= this.#maxBytes) return;
    const oldest = this.#database.prepare(
      'select content, encoder, used from embeddings order by used limit ?',
    );
    const remove = this.#database.prepare('delete from embeddings where content = ? and encoder = ?');
    const removeLedgers = this.#database.prepare('delete from ledgers where used <= ?');
    while (this.#bytes > LEFT_AFTER_EVICTION * this.#maxBytes) {
      const rows = oldest.all(ROWS_AN_EVICTION);
      const last = rows.at(-1);
      if (!last) break;
      this.#database.exec('begin immediate');
      for (const { content, encoder } of rows) remove.run(content as string, encoder as string);
      removeLedgers.run(last.used as number);
      this.#database.exec('commit');
    }
    this.#database.exec(`
      delete from files where content not in (select content from embeddings);
      delete from pixels where content not in (select content from embeddings);
      delete from frames where content not in (select content from embeddings);
      pragma incremental_vacuum;
    `);
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
