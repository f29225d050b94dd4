import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { withClient } from './connection.ts';
import { ingestPictures } from './ingest-pictures.ts';
import type { IngestSource } from './ingest-sources.ts';
import { sha256 } from './picture-scan.ts';
import { BIN, runCommand, TEST_PICTURES, temporaryFolder } from './test-command.ts';

test('Ctrl-C in the middle of an ingest says one line, and the same command again stores the rest', async () => {
  const folder = await temporaryFolder();
  try {
    const picture = sharp(join(TEST_PICTURES, 'raccoon.jpg'));
    for (let copy = 0; copy < 80; copy++)
      await folder.write(
        `photos/${copy}.jpg`,
        await picture
          .clone()
          .resize(300 + copy)
          .toBuffer(),
      );
    const data = join(folder.root, 'data');
    const args = ['ingest', join(folder.root, 'photos'), '-c', 'c', '--data', data];
    const log = join(data, 'collections/c/log');
    const child = spawn(process.execPath, [BIN, ...args], { env: { ...process.env, ...folder.env } });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const errors = text(child.stderr);
    // The first commit makes the collection.
    while (!(existsSync(log) && readdirSync(log).length > 2) && child.exitCode === null) await setTimeout(10);
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    const lines = (await errors).trimEnd().split('\n');
    expect(lines.pop()).toBe('Stopped. What was done is kept; the same command goes on from there.');
    // On a slow machine there is progress before it, and nothing else.
    for (const line of lines) expect(line).toMatch(/^\w+ \d+\/80 /);

    const { stdout } = await runCommand([...args, '--json'], { env: folder.env });
    const { stored, unchanged, errors: failed } = JSON.parse(stdout);
    expect({ all: stored + unchanged, failed }).toEqual({ all: 80, failed: [] });
    expect(unchanged).toBeGreaterThan(0);
    expect(unchanged).toBeLessThan(80);
  } finally {
    await folder.remove();
  }
});

test.skipIf(process.platform === 'win32')(
  'a file whose name cannot be an id is its own error, the others are stored',
  async () => {
    const folder = await temporaryFolder();
    try {
      const cat = await readFile(join(TEST_PICTURES, 'cat.jpg'));
      const long = `${'x'.repeat(200)}/`.repeat(3);
      for (const name of ['two\nlines.jpg', `${long}cat.jpg`, '#?%&.JPG', '__proto__/toString.jpg'])
        await folder.write(`photos/${name}`, cat);
      const data = join(folder.root, 'data');
      const { status, stdout } = await runCommand(
        ['ingest', join(folder.root, 'photos'), '-c', 'c', '--data', data, '--json'],
        { env: folder.env },
      );
      expect(status).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({
        stored: 2,
        errors: [
          { path: 'two\nlines.jpg', error: expect.stringContaining('control characters') },
          { path: `${long}cat.jpg`, error: expect.stringContaining('512') },
        ],
      });
    } finally {
      await folder.remove();
    }
  },
);

test('an edited picture keeps what was said of it, and every file is counted once', async () => {
  const folder = await temporaryFolder();
  try {
    const data = join(folder.root, 'data');
    const photos = join(folder.root, 'photos');
    const ingest = async () => {
      const { stdout } = await runCommand(['ingest', photos, '-c', 'c', '--data', data, '--json'], {
        env: folder.env,
      });
      const { stored, replaced, unchanged, errors } = JSON.parse(stdout);
      return { stored, replaced, unchanged, errors: errors.length };
    };
    const cat = join(TEST_PICTURES, 'cat.jpg');
    await folder.write('photos/a.jpg', await readFile(cat));
    await folder.write('photos/b.jpg', await sharp(cat).resize(200).toBuffer());
    expect(await ingest()).toEqual({ stored: 2, replaced: 0, unchanged: 0, errors: 0 });

    await withClient({ url: '', data }, (client) =>
      client.patchItem('c', 'a.jpg', { label: 'Tom', seen: [1, 2] }),
    );
    const edited = await sharp(cat).negate().toBuffer();
    await folder.write('photos/a.jpg', edited);
    await folder.write('photos/c.jpg', 'no picture');
    await folder.write('photos/d.jpg', await readFile(join(TEST_PICTURES, 'rocket.jpg')));
    expect(await ingest()).toEqual({ stored: 1, replaced: 1, unchanged: 1, errors: 1 });

    const { metadata } = await withClient({ url: '', data }, (client) => client.getItem('c', 'a.jpg'));
    expect(metadata).toMatchObject({ label: 'Tom', seen: [1, 2], picture: { bytes: edited.length } });
  } finally {
    await folder.remove();
  }
});

test('--prefix keeps pictures of the same name in two folders apart; without it the answer says what was replaced', async () => {
  const folder = await temporaryFolder();
  try {
    const data = join(folder.root, 'data');
    const run = (card: string, ...more: string[]) =>
      runCommand(['ingest', join(folder.root, card), '-c', 'c', '--data', data, ...more], {
        env: folder.env,
      });
    await folder.write('one/IMG_1.jpg', await readFile(join(TEST_PICTURES, 'cat.jpg')));
    await folder.write('two/IMG_1.jpg', await readFile(join(TEST_PICTURES, 'rocket.jpg')));
    expect((await run('one', '--prefix', 'one/')).stdout).toContain('1 stored in c, 0 there already');
    expect((await run('two', '--prefix', 'two/')).stdout).toContain('1 stored in c, 0 there already');
    expect((await run('two', '--prefix', 'two/')).stdout).toContain('0 stored in c, 1 there already');
    const { items } = await withClient({ url: '', data }, (client) => client.listItemsPage('c'));
    expect(items.map(({ id }) => id)).toEqual(['one/IMG_1.jpg', 'two/IMG_1.jpg']);
    const { stdout } = await run('one', '--prefix', 'two/');
    expect(stdout).toContain('0 stored in c, 1 replaced others of the same path, 0 there already');
  } finally {
    await folder.remove();
  }
});

test('what somebody says of a picture while it is replaced is kept too', async () => {
  const folder = await temporaryFolder();
  try {
    const cat = await readFile(join(TEST_PICTURES, 'cat.jpg'));
    await withClient(
      { url: '', data: join(folder.root, 'data') },
      async (client) => {
        await client.createCollection('c');
        await client.putPicture('c', 'a.jpg', await sharp(cat).negate().toBuffer());
        let reads = 0;
        const source: IngestSource = {
          path: 'a.jpg',
          contentHash: async () => sha256(cat),
          // Between the look at what is there and the write.
          read: async () => {
            if (reads++ === 0) await client.patchItem('c', 'a.jpg', { label: 'Tom' });
            return cat;
          },
        };
        const options = { collection: 'c', concurrency: 1, signal: new AbortController().signal };
        expect(await ingestPictures(client, [source], options)).toMatchObject({ replaced: 1, errors: [] });
        const { metadata } = await client.getItem('c', 'a.jpg');
        expect(metadata).toMatchObject({ label: 'Tom', picture: { sha256: sha256(cat) } });
      },
      { creates: true },
    );
  } finally {
    await folder.remove();
  }
});
