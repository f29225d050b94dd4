import { mkdtemp, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openFolderStore, TEMPORARY_FOLDER } from './folder-store.ts';

test('a write that the disk does not take says which object, where and why', async () => {
  const root = await mkdtemp(join(tmpdir(), 'lookalike-store-'));
  const store = await openFolderStore(root);
  await store.put('a/b', Buffer.from('there'));
  // As an unplugged disk.
  await rm(root, { recursive: true });
  await expect(store.put('a/c', Buffer.from('lost'))).rejects.toMatchObject({
    code: 'store-unavailable',
    message: expect.stringMatching(`cannot write a/c to folder ${root}: ENOENT`),
  });
});

test('what the source of a body fails with is not taken for a failure of the store', async () => {
  const root = await mkdtemp(join(tmpdir(), 'lookalike-store-'));
  const store = await openFolderStore(root);
  const failure = Object.assign(new Error('gone'), { code: 'ENOENT', syscall: 'open' });
  // biome-ignore lint/correctness/useYield: it fails before its first chunk.
  async function* body(): AsyncGenerator<Uint8Array> {
    throw failure;
  }
  await expect(store.put('a', body())).rejects.toBe(failure);
  await rm(root, { recursive: true });
});

test.skipIf(process.platform !== 'linux')(
  'a folder that its file system does not make is refused, never waited for',
  async () => {
    await expect(openFolderStore('/proc/lookalike/data')).rejects.toMatchObject({
      code: 'store-unavailable',
      message: expect.stringContaining('cannot use /proc/lookalike/data as a data folder'),
    });
  },
);

test('a key cannot be a folder of another one, whichever comes first', async () => {
  const root = await mkdtemp(join(tmpdir(), 'lookalike-store-'));
  const store = await openFolderStore(root);
  await store.put('a/b', Buffer.from('there'));
  await store.put('c', Buffer.from('there'));
  for (const ifAbsent of [true, false])
    for (const key of ['a', 'a/b/c', 'c/d'])
      await expect(store.put(key, Buffer.from('x'), { ifAbsent }), key).rejects.toMatchObject({
        code: expect.stringMatching(/^(invalid-key|object-exists)$/),
      });
  expect(await store.get('a')).toBeUndefined();
  expect(await store.stream('a')).toBeUndefined();
  expect((await store.list('')).objects.map(({ key }) => key)).toEqual(['a/b', 'c']);
  await expect(openFolderStore(join(root, 'c'))).rejects.toMatchObject({ code: 'store-unavailable' });
  await rm(root, { recursive: true });
});

test('of what is deleted no folder stays', async () => {
  const root = await mkdtemp(join(tmpdir(), 'lookalike-store-'));
  const store = await openFolderStore(root);
  for (const key of ['a/b/c/d/e', 'a/b/c/d/f', 'g/h', 'g/i']) await store.put(key, Buffer.from(key));
  await store.delete(['a/b/c/d/e', 'a/b/c/d/f', 'g/h']);
  expect((await readdir(root)).sort()).toEqual([TEMPORARY_FOLDER, 'g']);
  expect((await store.list('')).objects.map(({ key }) => key)).toEqual(['g/i']);
  await rm(root, { recursive: true });
});

test('a stream of a file that is cut off meanwhile breaks off, it neither ends nor waits', async () => {
  const root = await mkdtemp(join(tmpdir(), 'lookalike-store-'));
  const store = await openFolderStore(root);
  await store.put('a', Buffer.alloc(3 << 20));
  const stream = await store.stream('a');
  const read = async () => {
    for await (const _ of stream ?? []) await truncate(join(root, 'a'), 1 << 20);
  };
  await expect(read()).rejects.toMatchObject({ code: 'short-read' });
  await rm(root, { recursive: true });
});
