import { randomUUID } from 'node:crypto';
import { type Dirent, constants as fsConstants, statSync } from 'node:fs';
import { type FileHandle, link, mkdir, open, readdir, rename, rmdir, stat, unlink } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { LookalikeError } from './errors.ts';
import { checkKey, checkPrefix, compareUtf8 } from './keys.ts';
import type {
  GetOptions,
  ListOptions,
  ListPage,
  ObjectBody,
  ObjectInfo,
  ObjectStore,
  PutOptions,
  StoredObject,
} from './object-store.ts';

/**
 * Unfinished files live here, apart from every key; `open` removes those of crashed processes. Every folder store has it from its
 * first opening on, which is how one is known.
 */
export const TEMPORARY_FOLDER = '.lookalike-tmp';
const abandonedAfterMilliseconds = 24 * 60 * 60 * 1000;

/**
 * Objects as files of a folder, a key part a folder. A key cannot be a folder of another one (`a` and `a/b`).
 * Safe among processes on one machine and on network file systems with an atomic `link(2)`.
 */
export class FolderStore implements ObjectStore {
  readonly description: string;
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
    this.description = `folder ${root}`;
  }

  static async open(path: string): Promise<FolderStore> {
    const root = resolve(path);
    const temporary = join(root, TEMPORARY_FOLDER);
    await makeFolder(temporary).catch((cause: unknown) => {
      throw new LookalikeError('store-unavailable', `cannot use ${root} as a data folder: ${reason(cause)}`, {
        cause,
      });
    });
    const now = Date.now();
    for (const name of await readdir(temporary)) {
      const path = join(temporary, name);
      const info = await stat(path).catch(() => undefined);
      if (info !== undefined && now - info.mtimeMs > abandonedAfterMilliseconds)
        await unlink(path).catch(() => undefined);
    }
    return new FolderStore(root);
  }

  get(key: string, options?: GetOptions & { ifNoneMatch?: never }): Promise<StoredObject | undefined>;
  get(key: string, options?: GetOptions): Promise<StoredObject | undefined | 'not-modified'>;
  async get(key: string, options: GetOptions = {}): Promise<StoredObject | undefined | 'not-modified'> {
    options.signal?.throwIfAborted();
    // Whether there is a next commit is asked before every query: a look takes microseconds, a turn through the thread pool
    // many times that.
    if (statSync(this.#path(key), { throwIfNoEntry: false }) === undefined) return undefined;
    const file = await this.#openForReading(key);
    if (file === undefined) return undefined;
    try {
      const info = await this.#describe(key, file);
      if (info === undefined) return undefined;
      if (options.ifNoneMatch === info.etag) return 'not-modified';
      const start = Math.min(options.range?.start ?? 0, info.size);
      const end = Math.min(Math.max(options.range?.end ?? info.size, start), info.size);
      const body = new Uint8Array(end - start);
      let filled = 0;
      while (filled < body.length) {
        const { bytesRead } = await file.read(body, filled, body.length - filled, start + filled);
        if (bytesRead === 0)
          throw new LookalikeError(
            'short-read',
            `${key} ended after ${start + filled} of ${info.size} bytes`,
          );
        filled += bytesRead;
      }
      return { ...info, body };
    } finally {
      await file.close();
    }
  }

  async stream(
    key: string,
    options: Pick<GetOptions, 'range' | 'signal'> = {},
  ): Promise<AsyncIterable<Uint8Array> | undefined> {
    options.signal?.throwIfAborted();
    const file = await this.#openForReading(key);
    if (file === undefined) return undefined;
    const info = await this.#describe(key, file);
    if (info === undefined) {
      await file.close();
      return undefined;
    }
    const start = Math.min(options.range?.start ?? 0, info.size);
    const end = Math.min(Math.max(options.range?.end ?? info.size, start), info.size);
    const { signal } = options;
    return (async function* () {
      try {
        let at = start;
        while (at < end) {
          signal?.throwIfAborted();
          const chunk = new Uint8Array(Math.min(1 << 20, end - at));
          const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
          if (bytesRead === 0)
            throw new LookalikeError('short-read', `${key} ended after ${at} of ${info.size} bytes`);
          at += bytesRead;
          yield chunk.subarray(0, bytesRead);
        }
      } finally {
        await file.close();
      }
    })();
  }

  async put(key: string, body: ObjectBody, options: PutOptions = {}): Promise<{ etag: string }> {
    const path = this.#path(key);
    options.signal?.throwIfAborted();
    const temporary = join(this.#root, TEMPORARY_FOLDER, randomUUID());
    const writing = async <T>(work: Promise<T>): Promise<T> => {
      try {
        return await work;
      } catch (cause) {
        if (cause instanceof LookalikeError) throw cause;
        // A full disk, a folder that has become read-only, and the like.
        throw new LookalikeError(
          'store-unavailable',
          `cannot write ${key} to ${this.description}: ${reason(cause)}`,
          { cause },
        );
      }
    };
    const file = await writing(open(temporary, 'wx'));
    let finished = false;
    try {
      for await (const chunk of body instanceof Uint8Array ? [body] : body) {
        options.signal?.throwIfAborted();
        for (let at = 0; at < chunk.length; ) {
          const { bytesWritten } = await writing(file.write(chunk, at, chunk.length - at));
          at += bytesWritten;
        }
      }
      await writing(file.sync());
      const info = await file.stat({ bigint: true });
      await file.close();
      finished = true;
      await writing(this.#publish(key, temporary, path, options.ifAbsent === true));
      return { etag: etagOf(info) };
    } finally {
      if (!finished) await file.close();
      await unlink(temporary).catch(() => undefined);
    }
  }

  async #publish(key: string, temporary: string, path: string, ifAbsent: boolean): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        if (ifAbsent) await link(temporary, path);
        else await rename(temporary, path);
        break;
      } catch (cause) {
        const code = errorCode(cause);
        if (code === 'EEXIST' && ifAbsent)
          throw new LookalikeError('object-exists', `${key} exists already`, { cause });
        // The folder is missing, or was removed as empty between our making and using it.
        if (code === 'ENOENT' && attempt < 20) await this.#makeFolder(key, dirname(path));
        else if (isFolderConflict(code)) throw folderConflict(key, cause);
        else throw cause;
      }
    }
    await syncFolder(dirname(path));
  }

  /** Made durable too: a file in a folder that a power cut forgets is lost. */
  async #makeFolder(key: string, folder: string): Promise<void> {
    try {
      const first = await mkdir(folder, { recursive: true });
      if (first === undefined) return;
      for (let made = folder; made.length >= first.length; made = dirname(made))
        await syncFolder(dirname(made));
    } catch (cause) {
      const code = errorCode(cause);
      if (code === 'EEXIST' || isFolderConflict(code)) throw folderConflict(key, cause);
      if (code !== 'ENOENT') throw cause;
    }
  }

  async list(prefix: string, options: ListOptions = {}): Promise<ListPage> {
    checkPrefix(prefix);
    options.signal?.throwIfAborted();
    const { startAfter = '', limit = 1000 } = options;
    const slash = prefix.lastIndexOf('/');
    const base = slash < 0 ? '' : prefix.slice(0, slash + 1);
    const objects: ObjectInfo[] = [];
    let truncated = false;

    /** Returns false when the page is full. */
    const walk = async (folder: string): Promise<boolean> => {
      let entries: Dirent[];
      try {
        entries = await readdir(join(this.#root, ...folder.split('/')), { withFileTypes: true });
      } catch (cause) {
        const code = errorCode(cause);
        if (code === 'ENOENT' || code === 'ENOTDIR') return true;
        throw cause;
      }
      const keys: string[] = [];
      for (const entry of entries) {
        if (folder === '' && entry.name === TEMPORARY_FOLDER) continue;
        const key = folder + entry.name + (entry.isDirectory() ? '/' : '');
        if (!key.startsWith(prefix) && !prefix.startsWith(key)) continue;
        const below = entry.isDirectory() && startAfter.startsWith(key);
        if (!below && compareUtf8(key, startAfter) <= 0) continue;
        keys.push(key);
      }
      keys.sort(compareUtf8);
      for (const key of keys) {
        if (key.endsWith('/')) {
          if (!(await walk(key))) return false;
          continue;
        }
        if (!key.startsWith(prefix)) continue;
        if (objects.length === limit) {
          truncated = true;
          return false;
        }
        const info = await stat(this.#path(key), { bigint: true }).catch((cause: unknown) => {
          if (errorCode(cause) === 'ENOENT') return undefined;
          throw cause;
        });
        // Deleted since the folder was read.
        if (info === undefined) continue;
        objects.push(objectInfo(key, info));
      }
      return true;
    };
    await walk(base);
    return { objects, truncated };
  }

  async delete(keys: readonly string[]): Promise<void> {
    const paths = keys.map((key) => this.#path(key));
    const folders = new Set<string>();
    for (const path of paths) {
      try {
        await unlink(path);
        folders.add(dirname(path));
      } catch (cause) {
        const code = errorCode(cause);
        if (code !== 'ENOENT' && code !== 'ENOTDIR' && code !== 'EISDIR' && code !== 'EPERM') throw cause;
      }
    }
    for (const folder of folders) {
      await syncFolder(folder);
      for (let empty = folder; empty !== this.#root && empty.startsWith(this.#root); empty = dirname(empty)) {
        if (
          !(await rmdir(empty).then(
            () => true,
            () => false,
          ))
        )
          break;
      }
    }
  }

  async localPath(key: string): Promise<string | undefined> {
    const path = this.#path(key);
    const info = await stat(path).catch(() => undefined);
    return info?.isFile() ? path : undefined;
  }

  #path(key: string): string {
    checkKey(key);
    const parts = key.split('/');
    if (parts[0] === TEMPORARY_FOLDER)
      throw new LookalikeError('invalid-key', `key ${JSON.stringify(key)} begins with a reserved name`);
    if (sep !== '/' && /[\\:*?"<>|]/.test(key))
      throw new LookalikeError('invalid-key', `key ${JSON.stringify(key)} cannot be a file name here`);
    return join(this.#root, ...parts);
  }

  async #openForReading(key: string): Promise<FileHandle | undefined> {
    try {
      return await open(this.#path(key), fsConstants.O_RDONLY);
    } catch (cause) {
      const code = errorCode(cause);
      if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return undefined;
      throw cause;
    }
  }

  async #describe(key: string, file: FileHandle): Promise<ObjectInfo | undefined> {
    const info = await file.stat({ bigint: true });
    return info.isFile() ? objectInfo(key, info) : undefined;
  }
}

/** Opens the folder as an object store, making it where it is missing. */
export function openFolderStore(path: string): Promise<ObjectStore> {
  return FolderStore.open(path);
}

interface FileFacts {
  ino: bigint;
  size: bigint;
  mtimeNs: bigint;
}

/** A file is never changed in place, so a new content is a new inode or time. */
function etagOf(info: FileFacts): string {
  return `${info.ino.toString(36)}-${info.size.toString(36)}-${info.mtimeNs.toString(36)}`;
}

function objectInfo(key: string, info: FileFacts): ObjectInfo {
  return {
    key,
    size: Number(info.size),
    etag: etagOf(info),
    lastModified: new Date(Number(info.mtimeNs / 1_000_000n)),
  };
}

async function syncFolder(folder: string): Promise<void> {
  let handle: FileHandle;
  try {
    handle = await open(folder, fsConstants.O_RDONLY);
  } catch (cause) {
    const code = errorCode(cause);
    // Removed as empty by a delete meanwhile; Windows does not open folders at all.
    if (code === 'ENOENT' || code === 'EPERM' || code === 'EISDIR') return;
    throw cause;
  }
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * With all above it. Node's own `recursive` tries for ever where a file system has a folder and says of what is to be made in it that there
 * is no such file, as that of /proc does (24.21).
 */
async function makeFolder(path: string): Promise<void> {
  const make = () =>
    mkdir(path).catch(async (cause: unknown) => {
      const isThere = errorCode(cause) === 'EEXIST' && (await stat(path)).isDirectory();
      if (!isThere) throw cause;
    });
  try {
    await make();
  } catch (cause) {
    if (errorCode(cause) !== 'ENOENT' || dirname(path) === path) throw cause;
    await makeFolder(dirname(path));
    await make();
  }
}

function isFolderConflict(code: string | undefined): boolean {
  return code === 'ENOTDIR' || code === 'EISDIR' || code === 'ENOTEMPTY';
}

function folderConflict(key: string, cause: unknown): LookalikeError {
  return new LookalikeError(
    'invalid-key',
    `key ${JSON.stringify(key)} is a folder of other keys, or another key is a folder of it`,
    { cause },
  );
}
