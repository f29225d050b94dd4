import { createHash } from 'node:crypto';
import type { Metadata } from '@lookalike/index';
import type { PictureSource } from './picture-source.ts';

/** A bucket for tests: versions change with content, and `onRead` runs in the middle of a read. */
export class BucketInMemory implements PictureSource {
  readonly bucket = 'drop';
  readonly objects = new Map<string, { bytes: Uint8Array; metadata: Metadata }>();
  reads = 0;
  onRead: (key: string) => void = () => {};
  broken = new Set<string>();

  put(key: string, content: Uint8Array | string, metadata: Metadata = {}): void {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    this.objects.set(key, { bytes, metadata });
  }

  async read(key: string) {
    if (this.broken.has(key)) throw new Error('connection reset');
    const found = this.#find(key);
    if (found !== undefined) this.reads++;
    this.onRead(key);
    return found;
  }

  async version(key: string) {
    const found = this.#find(key);
    return found === undefined ? undefined : { etag: found.etag };
  }

  async readText(key: string) {
    const found = this.#find(key);
    return found === undefined
      ? undefined
      : { etag: found.etag, text: new TextDecoder().decode(found.bytes) };
  }

  #find(key: string) {
    const found = this.objects.get(key);
    return found === undefined
      ? undefined
      : {
          ...found,
          etag: createHash('md5').update(found.bytes).update(JSON.stringify(found.metadata)).digest('hex'),
        };
  }
}
