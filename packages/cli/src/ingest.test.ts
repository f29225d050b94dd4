import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import sharp from 'sharp';
import { expect, test } from 'vitest';
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
    expect(await errors).toBe('Stopped. What was done is kept; the same command goes on from there.\n');

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
