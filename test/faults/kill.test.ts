import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { openEngine } from '@lookalike/index';
import { openFolderStore } from '@lookalike/store';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

const rounds = Number(process.env.LOOKALIKE_KILLS ?? 50);
let folder: string;
/** Of temporary files. */
let temporary: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookalike-kill-'));
  temporary = await mkdtemp(join(tmpdir(), 'lookalike-kill-tmp-'));
  vi.stubEnv('TMPDIR', temporary);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  for (const path of [folder, temporary]) await rm(path, { recursive: true, force: true });
});

/** Runs the process until it has acknowledged so many batches, kills it within the next, and gives what it said. */
function runAndKill(first: number, batches: number, delay: number): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const script = join(import.meta.dirname, 'ingest-process.ts');
    const child = spawn(process.execPath, [script, folder, String(first)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const lines: string[] = [];
    let errors = '';
    let acknowledged = 0;
    child.stderr.on('data', (data) => {
      errors += data;
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      if (line.startsWith('stored') && ++acknowledged === batches)
        setTimeout(() => child.kill('SIGKILL'), delay);
    });
    child.on('close', (_, signal) => {
      if (signal === 'SIGKILL') resolve(lines);
      else reject(new Error(`the process ended by itself: ${errors}`));
    });
  });
}

test(`a process killed ${rounds} times in the middle of its work loses nothing that it acknowledged`, async () => {
  const stored = new Set<string>();
  const deleted = new Set<string>();
  const maybeDeleted = new Set<string>();
  let next = 0;
  for (let round = 0; round < rounds; round++) {
    const lines = await runAndKill(next, 3 + ((round * 7) % 12), (round * 13) % 50);
    for (const line of lines) {
      const [what, number] = line.split(' ');
      const n = Number(number);
      const doomed = [`id-${n + 1}`, `id-${n + 2}`];
      if (what === 'stored') for (let i = 0; i < 10; i++) stored.add(`id-${n + i}`);
      if (what === 'stored') next = n + 10;
      if (what === 'deleting') for (const id of doomed) maybeDeleted.add(id);
      if (what === 'deleted') for (const id of doomed) deleted.add(id);
    }
    // A batch may have been stored without its author's knowing.
    next += 10;
    // Every few rounds by looking, at the end by all means: a reader who knows nothing.
    if (round % 10 !== 9 && round !== rounds - 1) continue;
    const engine = openEngine({ store: await openFolderStore(folder), maintenance: false });
    const collection = await engine.collection('c');
    const found = new Set<string>();
    for (let after: string | undefined; ; ) {
      const page = await collection.scan({ limit: 10_000, ...(after && { after }) });
      for (const { id, metadata } of page.items) {
        expect(id).toBe(`id-${metadata.n}`);
        found.add(id);
      }
      after = page.next;
      if (after === undefined) break;
    }
    expect([...stored].filter((id) => !found.has(id) && !maybeDeleted.has(id))).toEqual([]);
    expect([...deleted].filter((id) => found.has(id))).toEqual([]);
    expect((await engine.verify('c')).damaged).toEqual([]);
    const [sample] = [...found];
    const query = Float32Array.of(Number(sample?.slice(3)), 1, 2, 3);
    expect((await collection.query({ vector: query, topK: 1, exact: true })).matches[0]).toMatchObject({
      id: sample,
      distance: 0,
    });
    await engine.close();
  }
  const engine = openEngine({ store: await openFolderStore(folder), maintenance: false });
  await engine.collection('c').then((collection) => collection.delete({ ids: ['id-0'] }));
  await engine.compact('c', { full: true });
  await engine.close();
  // What the killed builds left is gone with the next one.
  expect((await readdir(temporary)).filter((name) => name.startsWith('lookalike-build-'))).toEqual([]);
  expect(stored.size).toBeGreaterThan(rounds * 30);
  expect(deleted.size).toBeGreaterThan(0);
}, 1_800_000);
