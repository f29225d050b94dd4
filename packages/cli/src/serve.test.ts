import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BIN, runCommand, serverGreeting, TEST_PICTURES, temporaryFolder } from './test-command.ts';

type Folder = Awaited<ReturnType<typeof temporaryFolder>>;

interface Running {
  url: string;
  greeting: string;
  child: ChildProcess;
  /** Status once it has ended. */
  ended: Promise<number | null>;
}

/** Starts the real server on a free port and waits for its greeting. */
async function startServer(folder: Folder, args: string[] = [], cwd?: string): Promise<Running> {
  const child = spawn(process.execPath, [BIN, 'serve', '--port', '0', ...args], {
    env: { ...process.env, ...folder.env },
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { ...(await serverGreeting(child)), child, ended };
}

describe('a server, and the commands that use it', () => {
  let folder: Folder;
  let server: Running;
  beforeAll(async () => {
    folder = await temporaryFolder();
    const album = join(folder.root, 'album');
    await mkdir(join(album, 'sub'), { recursive: true });
    for (const name of ['cat.jpg', 'coffee.jpg', 'rocket.jpg', 'clock.png'])
      await copyFile(join(TEST_PICTURES, name), join(album, name));
    await sharp(join(TEST_PICTURES, 'cat.jpg'))
      .resize(300)
      .toFile(join(album, 'sub', 'cat-small.jpg'));
    await writeFile(join(album, 'broken.jpg'), 'not a picture');
    server = await startServer(folder, [], join(TEST_PICTURES, '..', '..'));
  });
  afterAll(async () => {
    server.child.kill('SIGTERM');
    await server.ended;
    await folder.remove();
  });
  /** The collection `album` as every test may expect it. */
  const album = () => run('ingest', 'album', '--collection', 'album', '--json');
  const run = (...args: string[]) =>
    runCommand(args, { env: { ...folder.env, LOOKALIKE_URL: server.url }, cwd: folder.root });

  test('greets with its address, data folder and model', () => {
    expect(server.greeting).toContain(`Lookalike is at ${server.url}`);
    expect(server.greeting).toContain(folder.env.LOOKALIKE_DATA_DIR);
    expect(server.greeting).toMatch(/model {2}\S+, \d+ numbers a picture/);
    expect(server.greeting).toContain('from this machine only, without a key');
  });

  test.skipIf(spawnSync('curl', ['--version']).status !== 0)('the lines to paste work as they stand', () => {
    const lines = server.greeting.split('\n').filter((line) => line.trim().startsWith('curl '));
    expect(lines.length).toBe(4);
    const answers = lines.map((line) => {
      const { stdout } = spawnSync('sh', ['-c', `${line} --silent --fail-with-body`], {
        cwd: join(TEST_PICTURES, '..', '..'),
        encoding: 'utf8',
      });
      return JSON.parse(stdout);
    });
    expect(answers[0]).toMatchObject({ name: 'demo', metric: 'cosine' });
    expect(answers[1]).toMatchObject({ id: 'first', status: 'stored' });
    expect(answers[2]).toMatchObject({ id: 'second', status: 'stored' });
    expect(answers[3].matches.map(({ id }: { id: string }) => id)).toEqual(['first', 'second']);
    expect(answers[3].matches[0].similarity).toBeCloseTo(1, 3);
  });

  test('ingest stores a folder, says what it could not store, and a second time sends nothing', async () => {
    const first = await album();
    expect(first.status).toBe(0);
    expect(JSON.parse(first.stdout)).toEqual({
      collection: 'album',
      stored: 5,
      replaced: 0,
      unchanged: 0,
      similar: [],
      errors: [{ path: 'broken.jpg', error: expect.stringContaining('text') }],
    });
    await copyFile(join(TEST_PICTURES, 'grass.jpg'), join(folder.root, 'album', 'coffee.jpg'));
    const second = await album();
    expect(JSON.parse(second.stdout)).toMatchObject({ stored: 0, replaced: 1, unchanged: 4 });

    const plain = await run('ingest', 'album', '--collection', 'album');
    expect(plain.stdout).toMatch(/^0 stored in album, 5 there already, 1 failed; /);
    expect(plain.stderr).toMatch(/broken\.jpg: .*text/);
  });

  test('query answers with ids, similarity and distance, as a table and as JSON', async () => {
    await album();
    const picture = join(TEST_PICTURES, 'cat.jpg');
    const json = await run('query', picture, '--collection', 'album', '--top-k', '3', '--json');
    expect(json.status).toBe(0);
    const answer = JSON.parse(json.stdout);
    expect(Object.keys(answer)).toEqual(['matches']);
    expect(Object.keys(answer.matches[0])).toEqual(['id', 'distance', 'similarity', 'metadata']);
    expect(answer.matches.map(({ id }: { id: string }) => id).slice(0, 2)).toEqual([
      'cat.jpg',
      'sub/cat-small.jpg',
    ]);
    expect(answer.matches.length).toBe(3);
    const table = await run('query', picture, '-c', 'album', '-k', '1');
    expect(table.stdout).toMatch(/^similarity {2}distance {2}id\n {4}1\.0000 {4}0\.0000 {2}cat\.jpg\n$/);
    const none = await run('query', join(TEST_PICTURES, 'stairs.jpg'), '-c', 'album', '-s', '0.99');
    expect(none).toMatchObject({ status: 1, stdout: 'Nothing found.\n' });
  });

  test('the same commands work on the data folder without a server', async () => {
    const data = join(folder.root, 'own-data');
    const local = (...args: string[]) =>
      runCommand([...args, '--data', data], { env: folder.env, cwd: folder.root });
    expect((await local('ingest', 'album', '-c', 'mine')).stdout).toMatch(/^5 stored/);
    const { stdout } = await local('query', 'album/rocket.jpg', '-c', 'mine', '--json', '-k', '1');
    expect(JSON.parse(stdout).matches[0].id).toBe('rocket.jpg');
    const recall = await local('recall', '-c', 'mine', '--json');
    expect(JSON.parse(recall.stdout)).toMatchObject({ recall: 1, sample: 5 });
  });

  test.each([
    [['query', 'album/broken.jpg', '-c', 'album'], /album\/broken\.jpg: .*text/],
    [['query', 'nothing.jpg', '-c', 'album'], /no such file or folder: .*nothing\.jpg/],
    [['query', 'album/cat.jpg', '-c', 'nowhere'], /no collection.*nowhere/],
    [['query', 'album/cat.jpg'], /required option '-c, --collection <name>'/],
    [['ingest', 'album', '-c', 'Not A Name'], /a name is 1-/],
    [['query', 'album/cat.jpg', '-c', 'album', '--url', 'http://127.0.0.1:9'], /Is it running\?/],
  ])('%j fails in words', async (args, message) => {
    const { status, stdout, stderr } = await run(...args);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n {4}at /);
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });
});

describe('a server', () => {
  let folder: Folder;
  beforeAll(async () => {
    folder = await temporaryFolder();
  });
  afterAll(() => folder.remove());

  test('says so where the port is taken, and where it would be open without keys', async () => {
    const server = await startServer(folder);
    const port = new URL(server.url).port;
    const second = await runCommand(['serve', '--port', port], { env: folder.env });
    expect(second.status).toBe(2);
    expect(second.stderr).toContain(`cannot listen on 127.0.0.1:${port}: something else listens there`);
    const open = await runCommand(['serve', '--port', '0', '--host', '0.0.0.0'], { env: folder.env });
    expect(open.status).toBe(2);
    expect(open.stderr).toMatch(/without keys the server listens on loopback addresses only/);
    server.child.kill('SIGINT');
    expect(await server.ended).toBe(0);
  });

  test('ends what is under way before it stops, and what it acknowledged is there again', async () => {
    const server = await startServer(folder);
    const picture = await readFile(join(TEST_PICTURES, 'coffee.jpg'));
    await fetch(`${server.url}/v1/collections/kept`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    const puts = Array.from({ length: 6 }, (_, index) =>
      fetch(`${server.url}/v1/collections/kept/items/p${index}`, {
        method: 'PUT',
        headers: { 'content-type': 'image/jpeg' },
        body: picture,
      }).then(
        ({ status }) => status,
        () => 0,
      ),
    );
    await puts[0];
    server.child.kill('SIGTERM');
    const statuses = await Promise.all(puts);
    expect(await server.ended).toBe(0);

    const again = await startServer(folder);
    const { items } = (await (await fetch(`${again.url}/v1/collections/kept/items`)).json()) as {
      items: { id: string }[];
    };
    const there = items.map(({ id }) => id);
    for (const [index, status] of statuses.entries())
      if (status === 200) expect(there).toContain(`p${index}`);
    expect(there).toContain('p0');
    again.child.kill('SIGTERM');
    expect(await again.ended).toBe(0);
  });

  test('with keys lets in only those who have one', async () => {
    const { createApiKey } = await import('@lookalike/api');
    const { key, stored } = createApiKey('test', 'admin');
    const file = await folder.write('keys.json', JSON.stringify({ keys: [stored] }));
    const server = await startServer(folder, ['--keys', file]);
    expect(server.greeting).toContain('with a key');
    const args = ['ingest', TEST_PICTURES, '-c', 'locked', '--url', server.url];
    const refused = await runCommand(args, { env: folder.env });
    expect(refused.status).toBe(2);
    expect(refused.stderr).toMatch(/Authorization: Bearer/);
    const admitted = await runCommand(args, { env: { ...folder.env, LOOKALIKE_KEY: key } });
    expect(admitted.stdout).toMatch(/^12 stored/);
    server.child.kill('SIGTERM');
    await server.ended;
  });
});
