import { compareUtf8, LookalikeError, listPages, type ObjectStore } from '@lookalike/store';
import { beforeAll, describe, expect, test } from 'vitest';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (body: Uint8Array | undefined) =>
  body === undefined ? undefined : new TextDecoder().decode(body);

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'no error';
  } catch (error) {
    return error instanceof LookalikeError ? error.code : `not a LookalikeError: ${error}`;
  }
}

async function* chunks(size: number, count: number): AsyncIterable<Uint8Array> {
  for (let i = 0; i < count; i++) yield new Uint8Array(size).fill(i & 255);
}

/** What every `ObjectStore` must do. `open` gives an empty store, or one opened anew on what `reopen` names. */
export function objectStoreConformance(
  name: string,
  open: () => Promise<ObjectStore>,
  options: {
    /** Another handle on the same objects, as another process would have. */
    another?: (store: ObjectStore) => Promise<ObjectStore>;
    /**
     * The store overwrites where a large stream is put with `ifAbsent`. Collections do without: only commits race for a key, and
     * those are single bodies; what is streamed has a random key.
     */
    overwritesByStream?: boolean;
  } = {},
): void {
  describe(`object store: ${name}`, () => {
    let store: ObjectStore;
    beforeAll(async () => {
      store = await open();
    });

    test('reads what was written, at once, also through another handle', async () => {
      await store.put('a/one', bytes('1'));
      await store.put('a/one', bytes('two'));
      expect(text((await store.get('a/one'))?.body)).toBe('two');
      const other = (await options.another?.(store)) ?? store;
      const found = await other.get('a/one');
      expect(found).toMatchObject({ key: 'a/one', size: 3 });
      expect(Math.abs((found?.lastModified.getTime() ?? 0) - Date.now())).toBeLessThan(3_600_000);
    });

    test('what is not there is undefined, and deleting it is no error', async () => {
      expect(await store.get('nothing/here')).toBeUndefined();
      expect(await store.stream('nothing/here')).toBeUndefined();
      await store.delete(['nothing/here', 'nothing']);
      expect(await store.get('a')).toBeUndefined();
    });

    test('holds empty objects', async () => {
      await store.put('empty', new Uint8Array(0), { ifAbsent: true });
      const found = await store.get('empty');
      expect(found).toMatchObject({ size: 0 });
      expect(found?.body.length).toBe(0);
      expect(await codeOf(store.put('empty', new Uint8Array(0), { ifAbsent: true }))).toBe('object-exists');
    });

    test('lists all there is, and nothing of what is still written', async () => {
      const fresh = await open();
      const listed = async () => (await fresh.list('')).objects.map(({ key }) => key);
      await fresh.put('b/c', bytes('1'));
      let meanwhile: string[] = [];
      async function* slow(): AsyncIterable<Uint8Array> {
        yield bytes('2');
        meanwhile = await listed();
      }
      await fresh.put('a', slow());
      expect(meanwhile).toEqual(['b/c']);
      expect(await listed()).toEqual(['a', 'b/c']);
    });

    test('creates only once with ifAbsent and keeps the first body', async () => {
      await store.put('once', bytes('first'), { ifAbsent: true });
      expect(await codeOf(store.put('once', bytes('second'), { ifAbsent: true }))).toBe('object-exists');
      expect(text((await store.get('once'))?.body)).toBe('first');
      await store.delete(['once']);
      await store.put('once', bytes('third'), { ifAbsent: true });
      expect(text((await store.get('once'))?.body)).toBe('third');
    });

    test('of 50 writers racing to create one key exactly one wins, and its body is what is read', async () => {
      for (let round = 0; round < 5; round++) {
        const key = `race/${round}`;
        const handles = await Promise.all(
          Array.from({ length: 50 }, async () => (await options.another?.(store)) ?? store),
        );
        const outcomes = await Promise.all(
          handles.map((handle, i) => codeOf(handle.put(key, bytes(`writer ${i}`), { ifAbsent: true }))),
        );
        const winners = outcomes.flatMap((outcome, i) => (outcome === 'no error' ? [i] : []));
        expect(winners).toHaveLength(1);
        expect(outcomes.filter((outcome) => outcome === 'object-exists')).toHaveLength(49);
        expect(text((await store.get(key))?.body)).toBe(`writer ${winners[0]}`);
      }
    });

    test('a reader sees whole objects while they are replaced', async () => {
      await store.put('swap', new Uint8Array(100_000).fill(1));
      let writing = true;
      const writer = (async () => {
        for (let i = 0; i < 20; i++) await store.put('swap', new Uint8Array(100_000 + i).fill(i + 1));
        writing = false;
      })();
      let reads = 0;
      do {
        const body = (await store.get('swap'))?.body;
        expect(body?.every((byte) => byte === body[0])).toBe(true);
        expect(body?.length).toBeGreaterThanOrEqual(100_000);
        reads++;
      } while (writing);
      await writer;
      expect(reads).toBeGreaterThan(0);
    });

    test('reads ranges, cut at the end of the object', async () => {
      await store.put('range', bytes('0123456789'));
      const range = async (start: number, end: number) =>
        text((await store.get('range', { range: { start, end } }))?.body);
      expect(await range(0, 4)).toBe('0123');
      expect(await range(3, 7)).toBe('3456');
      expect(await range(8, 100)).toBe('89');
      expect(await range(0, 10)).toBe('0123456789');
      expect((await store.get('range', { range: { start: 2, end: 4 } }))?.size).toBe(10);
      expect(await range(10, 20)).toBe('');
    });

    test('answers not-modified for the etag it gave', async () => {
      const { etag } = await store.put('tagged', bytes('a'));
      expect((await store.get('tagged'))?.etag).toBe(etag);
      expect(await store.get('tagged', { ifNoneMatch: etag })).toBe('not-modified');
      await store.put('tagged', bytes('b'));
      const changed = await store.get('tagged', { ifNoneMatch: etag });
      expect(changed === 'not-modified' ? changed : text(changed?.body)).toBe('b');
    });

    test('streams large bodies in and out', async () => {
      await store.put('large', chunks(1 << 20, 12), { ifAbsent: true });
      let size = 0;
      let wrong = 0;
      for await (const chunk of (await store.stream('large')) ?? []) {
        for (let i = 0; i < chunk.length; i += 4096) if (chunk[i] !== ((size + i) >> 20) % 256) wrong++;
        size += chunk.length;
      }
      expect(size).toBe(12 << 20);
      expect(wrong).toBe(0);
      let part = 0;
      for await (const chunk of (await store.stream('large', { range: { start: 5, end: 3_000_000 } })) ?? [])
        part += chunk.length;
      expect(part).toBe(2_999_995);
      const again = await codeOf(store.put('large', chunks(1 << 20, 12), { ifAbsent: true }));
      expect(again).toBe(options.overwritesByStream ? 'no error' : 'object-exists');
    });

    test('a body that fails half-way leaves nothing behind', async () => {
      async function* failing(): AsyncIterable<Uint8Array> {
        yield new Uint8Array(1 << 20);
        throw new Error('the source broke');
      }
      await expect(store.put('half/way', failing())).rejects.toThrow();
      expect(await store.get('half/way')).toBeUndefined();
      expect((await store.list('half/')).objects).toEqual([]);
    });

    test('lists in UTF-8 byte order with prefix, startAfter, limit and truncated', async () => {
      const keys = ['l/a', 'l/a-b/x', 'l/a.b', 'l/aa', 'l/b/c', 'l/b/d/e', 'l/b0', 'l/é', 'l/\uffee', 'l/😀'];
      for (const key of [...keys].reverse()) await store.put(key, bytes(key));
      const sorted = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      expect([...keys].sort(compareUtf8)).toEqual(sorted);
      const all = await store.list('l/');
      expect(all.objects.map((object) => object.key)).toEqual(sorted);
      expect(all.truncated).toBe(false);
      for (const prefix of ['l/a', 'l/aa', 'l/b', 'l/b/', 'l/bb', 'm'])
        expect((await store.list(prefix)).objects.map((object) => object.key)).toEqual(
          sorted.filter((key) => key.startsWith(prefix)),
        );
      const paged: string[] = [];
      for (let pages = 0; pages < 20; pages++) {
        const last = paged.at(-1);
        const page = await store.list('l/', { limit: 3, ...(last && { startAfter: last }) });
        expect(page.objects.length).toBeLessThanOrEqual(3);
        paged.push(...page.objects.map((object) => object.key));
        expect(page.truncated).toBe(paged.length < sorted.length);
        if (!page.truncated) break;
      }
      expect(paged).toEqual(sorted);
      // A startAfter that is no key, inside a folder, before it and after it.
      for (const after of ['l/a-b', 'l/b/', 'l/b/c', 'l/b/zzz', 'l', 'l/zzzz', 'm'])
        expect((await store.list('l/', { startAfter: after })).objects.map((object) => object.key)).toEqual(
          sorted.filter((key) => compareUtf8(key, after) > 0),
        );
      expect((await store.list('l/', { limit: sorted.length })).truncated).toBe(false);
      expect(all.objects.every((object) => object.size === bytes(object.key).length)).toBe(true);
    });

    test('lists more than one page of a thousand', async () => {
      const count = 1203;
      const names = Array.from({ length: count }, (_, i) => `many/${String(i).padStart(6, '0')}`);
      for (let at = 0; at < count; at += 100)
        await Promise.all(names.slice(at, at + 100).map((key) => store.put(key, bytes('x'))));
      const first = await store.list('many/');
      expect(first.objects.map((object) => object.key)).toEqual(names.slice(0, 1000));
      expect(first.truncated).toBe(true);
      const rest = await store.list('many/', { startAfter: names[999] as string });
      expect(rest.objects.map((object) => object.key)).toEqual(names.slice(1000));
      expect(rest.truncated).toBe(false);
      const all: string[] = [];
      for await (const page of listPages(store, 'many/')) {
        all.push(...page.map(({ key }) => key));
        await store.delete(page.map(({ key }) => key));
      }
      expect(all).toEqual(names);
      expect((await store.list('many/')).objects).toEqual([]);
    });

    test('takes unusual keys as they are', async () => {
      const keys = [
        'u/ space ',
        'u/%2F%2e%2e',
        'u/a+b&c=d?e#f',
        'u/quote\'"',
        'u/ünïcödé/日本',
        `u/${'x'.repeat(255)}`,
      ];
      keys.push('u/.hidden', 'u/...', 'u/back\\slash', 'u/<xml>&amp;', `${'long/'.repeat(200)}end`);
      for (const key of keys) await store.put(key, bytes(key), { ifAbsent: true });
      for (const key of keys) expect(text((await store.get(key))?.body)).toBe(key);
      const listed = (await store.list('u/')).objects.map((object) => object.key);
      expect(listed).toEqual(keys.filter((key) => key.startsWith('u/')).sort(compareUtf8));
      await store.delete(keys);
      expect((await store.list('u/')).objects).toEqual([]);
    });

    test('refuses keys outside the rules, and so every way out of its folder', async () => {
      const bad = [
        '',
        '/',
        '/a',
        'a/',
        'a//b',
        '.',
        '..',
        '../a',
        'a/../b',
        'a/./b',
        'a/..',
        'a\u0000b',
        'a\nb',
      ];
      bad.push('x'.repeat(1025), `p/${'x'.repeat(256)}`, 'a\ud800');
      for (const key of bad) {
        expect([key, await codeOf(store.put(key, bytes('x')))]).toEqual([key, 'invalid-key']);
        expect([key, await codeOf(store.get(key))]).toEqual([key, 'invalid-key']);
        expect([key, await codeOf(store.stream(key))]).toEqual([key, 'invalid-key']);
        expect([key, await codeOf(store.delete([key]))]).toEqual([key, 'invalid-key']);
      }
      for (const prefix of ['../', '/', 'a//', 'a/../'])
        expect([prefix, await codeOf(store.list(prefix))]).toEqual([prefix, 'invalid-key']);
    });

    test('stops on an aborted signal', async () => {
      const signal = AbortSignal.abort();
      await expect(store.get('a/one', { signal })).rejects.toThrow();
      await expect(store.put('aborted', bytes('x'), { signal })).rejects.toThrow();
      expect(await store.get('aborted')).toBeUndefined();
    });

    test('what was returned is not changed by later writes to the caller’s arrays', async () => {
      const body = bytes('mine');
      await store.put('copy', body);
      body.fill(0);
      const first = await store.get('copy');
      expect(text(first?.body)).toBe('mine');
      first?.body.fill(0);
      expect(text((await store.get('copy'))?.body)).toBe('mine');
    });
  });
}
