import { createHash, randomUUID } from 'node:crypto';
import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import {
  copyFile,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  stat,
  unlink,
  utimes,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LookalikeError, type ObjectStore } from '@lookalike/store';
import type { Meter } from './meter.ts';
import type { SegmentFile } from './segment-descriptor.ts';

const openAtOnce = 128;
/** Of a fetch: what is not written to for this long (milliseconds) is left over of a process that ended. */
const fetchPatience = 3_600_000;

/** Where files are kept unless told otherwise: a folder of this user, as others may write to the one it is in. */
function ownFolder(): string {
  const user = process.getuid?.();
  return join(tmpdir(), user === undefined ? 'lookalike-cache' : `lookalike-cache-${user}`);
}

/**
 * Objects as files on this machine: those of a folder store where they are, others in a cache folder by their SHA-256,
 * bounded by bytes (the longest unused go first), shared by all collections and processes.
 */
export class LocalFiles {
  readonly #store: ObjectStore;
  readonly #folder: string;
  /** The folder is in one that other users may write to. */
  readonly #isShared: boolean;
  readonly #maxBytes: number;
  readonly #open = new Map<string, number>();
  readonly #fetching = new Map<string, Promise<string>>();
  /** Files of the folder that must not go now, with how many need them. */
  readonly #pinned = new Map<string, number>();

  /** `folder`: default one of this user among the temporary files. */
  constructor(store: ObjectStore, options: { folder?: string | undefined; maxBytes: number }) {
    this.#store = store;
    this.#folder = options.folder ?? ownFolder();
    this.#isShared = options.folder === undefined;
    this.#maxBytes = options.maxBytes;
  }

  /** Where the object is a file already, or undefined. */
  async have(key: string, file: SegmentFile): Promise<string | undefined> {
    const own = await this.#store.localPath?.(key);
    if (own !== undefined) return own;
    if (!(await this.#isTrusted())) return undefined;
    const path = join(this.#folder, file.sha256);
    const info = await stat(path).catch(() => undefined);
    if (info?.size !== file.length) return undefined;
    const now = new Date();
    await utimes(path, now, now).catch(() => undefined);
    return path;
  }

  /** The object as a file, fetched where it must be. Its content is checked only when it is fetched. */
  async need(key: string, file: SegmentFile, meter: Meter): Promise<string> {
    const path = await this.have(key, file);
    if (path !== undefined) return path;
    let fetching = this.#fetching.get(file.sha256);
    if (fetching === undefined) {
      fetching = this.#fetch(key, file, meter).finally(() => this.#fetching.delete(file.sha256));
      this.#fetching.set(file.sha256, fetching);
    }
    return fetching;
  }

  /** Does something with the object as a file, which this process leaves in the cache until it is done. */
  async use<T>(key: string, file: SegmentFile, meter: Meter, work: (path: string) => Promise<T>): Promise<T> {
    const name = file.sha256;
    this.#pinned.set(name, (this.#pinned.get(name) ?? 0) + 1);
    try {
      return await work(await this.need(key, file, meter));
    } finally {
      const others = (this.#pinned.get(name) ?? 1) - 1;
      if (others === 0) this.#pinned.delete(name);
      else this.#pinned.set(name, others);
    }
  }

  /**
   * The object as a file that stays when it leaves the cache: linked, or copied, to `path`; where the store has it as a file, that
   * one. Which of them it is.
   */
  async keep(key: string, file: SegmentFile, path: string, meter: Meter): Promise<string> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.use(key, file, meter, async (found) => {
          if (found !== join(this.#folder, file.sha256)) return found;
          await link(found, path).catch((error) => {
            if (isMissing(error)) throw error;
            // On another disk, or one without links.
            return copyFile(found, path);
          });
          return path;
        });
      } catch (error) {
        // Another process made room meanwhile.
        if (!isMissing(error) || attempt === 5) throw error;
      }
    }
  }

  async #fetch(key: string, file: SegmentFile, meter: Meter): Promise<string> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    if (!(await this.#isTrusted()))
      throw new LookalikeError(
        'cache-not-own',
        `the cache folder ${this.#folder} is not safe: expected a folder of this user that no one else can write to; remove it, or name another one`,
      );
    await this.#makeRoom(file.length);
    const stream = await this.#store.stream(key);
    meter.requests++;
    if (stream === undefined)
      throw new LookalikeError('missing-object', `${key} is missing`, { details: { key } });
    const temporary = join(this.#folder, `${randomUUID()}.tmp`);
    const hash = createHash('sha256');
    const handle = await open(temporary, 'wx');
    try {
      let length = 0;
      for await (const chunk of stream) {
        hash.update(chunk);
        await handle.writeFile(chunk);
        length += chunk.length;
      }
      meter.bytes += length;
      await handle.close();
      if (length !== file.length || hash.digest('hex') !== file.sha256)
        throw new LookalikeError(
          'damaged-object',
          `${key} is damaged: its SHA-256 or length does not match`,
          {
            details: { key },
          },
        );
      const path = join(this.#folder, file.sha256);
      await rename(temporary, path);
      return path;
    } catch (error) {
      await handle.close().catch(() => undefined);
      await unlink(temporary).catch(() => undefined);
      throw error;
    }
  }

  /** Files that others may have put there are not to be read. */
  async #isTrusted(): Promise<boolean> {
    if (!this.#isShared || process.getuid === undefined) return true;
    const info = await lstat(this.#folder).catch(() => undefined);
    return info?.isDirectory() === true && info.uid === process.getuid() && (info.mode & 0o022) === 0;
  }

  async #makeRoom(bytes: number): Promise<void> {
    const names = await readdir(this.#folder);
    const files = await Promise.all(
      names.map(async (name) => {
        const path = join(this.#folder, name);
        const info = await stat(path).catch(() => undefined);
        return { name, path, size: info?.size ?? 0, usedAt: info?.mtimeMs ?? 0 };
      }),
    );
    files.sort((a, b) => a.usedAt - b.usedAt);
    let total = bytes + files.reduce((sum, file) => sum + file.size, 0);
    for (const file of files) {
      if (total <= this.#maxBytes) return;
      const isFetched = file.name.endsWith('.tmp') && Date.now() - file.usedAt < fetchPatience;
      if (isFetched || this.#pinned.has(file.name)) continue;
      total -= file.size;
      await rm(file.path, { force: true });
    }
  }

  /** Reads part of a file, without waiting: for files that the system holds in memory, as it does what was just used. */
  readSync(path: string, start: number, length: number): Uint8Array | undefined {
    let file = this.#open.get(path);
    try {
      if (file === undefined) {
        file = openSync(path, 'r');
      } else this.#open.delete(path);
      this.#open.set(path, file);
      for (const [other, descriptor] of this.#open) {
        if (this.#open.size <= openAtOnce) break;
        this.#open.delete(other);
        closeSync(descriptor);
      }
      const bytes = new Uint8Array(length);
      return readSync(file, bytes, 0, length, start) === length ? bytes : undefined;
    } catch {
      return undefined;
    }
  }

  /** Whether the file has this length and SHA-256. Throws where it cannot be read. */
  async check(path: string, file: SegmentFile): Promise<boolean> {
    const hash = createHash('sha256');
    let length = 0;
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
      hash.update(chunk);
      length += chunk.length;
    }
    return length === file.length && hash.digest('hex') === file.sha256;
  }

  close(): void {
    for (const file of this.#open.values()) closeSync(file);
    this.#open.clear();
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
