import { join } from 'node:path';
import { LookalikeClient } from '@lookalike/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readZip, researchData, skipped } from './research-data.ts';
import { type RunningServer, runningServer } from './running-server.ts';

const archive = researchData('omniglot', 'all_runs.zip');

/** The first of the 20 official runs: 20 characters with one drawing each, and 20 drawings to be classified. */
describe.skipIf(archive === undefined)(`one-shot classification of characters${skipped(archive)}`, () => {
  let server: RunningServer;
  let classes: Map<string, Buffer>;
  let questions: { drawing: Buffer; truth: string }[];

  beforeAll(async () => {
    const files = readZip(archive as string);
    const picture = (path: string) => files.get(path) as Buffer;
    const labels = (files.get('run01/class_labels.txt') as Buffer).toString().trim().split(/\n/);
    const pairs = labels.map((line) => line.trim().split(/\s+/) as [string, string]);
    const nameOf = (path: string) => path.replace(/^.*\/|\.png$/g, '');
    classes = new Map(pairs.map(([, example]) => [nameOf(example), picture(example)]));
    questions = pairs.map(([asked, example]) => ({ drawing: picture(asked), truth: nameOf(example) }));
    server = await runningServer();
    for (const [name, drawing] of classes) await server.write(join('examples', `${name}.png`), drawing);
    for (const [i, { drawing }] of questions.entries())
      await server.write(join('asked', `${i}.png`), drawing);
    const { status, stderr } = await server.run(
      ...['ingest', 'examples', '--collection', 'characters', '--model', 'one-shot-characters'],
    );
    expect(status, stderr).toBe(0);
  });
  afterAll(() => server?.close());

  test('a query answers the class: published error 8%, here at most 2 of 20 wrong', async () => {
    const client = new LookalikeClient(server.url);
    let right = 0;
    for (const { drawing, truth } of questions) {
      const { matches } = await client.query('characters', { picture: drawing, topK: 1 });
      if (matches[0]?.id === `${truth}.png`) right++;
    }
    expect(classes.size).toBe(20);
    expect(right).toBeGreaterThanOrEqual(18);
  });

  test('identify names the class of the nearest example', async () => {
    const client = new LookalikeClient(server.url);
    const { matches } = await client.query('characters', {
      picture: (questions[0] as { drawing: Buffer }).drawing,
      topK: 1,
    });
    const { status, stdout } = await server.run(
      ...['identify', join('asked', '0.png'), '--collection', 'characters', '--threshold', '0.01', '--json'],
    );
    expect(status).toBe(0);
    const answer = JSON.parse(stdout);
    expect(`${answer.label}.png`).toBe(matches[0]?.id);
    expect(answer.candidates).toHaveLength(5);
    expect(answer.falsePositiveRate).toBeNull();
  });

  test('labels may be metadata instead of names', async () => {
    const client = new LookalikeClient(server.url);
    await client.createCollection('labelled', { model: 'one-shot-characters' });
    const items = [...classes].map(([name, drawing], i) => ({
      id: `${i}`,
      image: drawing.toString('base64'),
      metadata: { character: name },
    }));
    await client.upsert('labelled', items);
    const { drawing, truth } = questions[1] as { drawing: Buffer; truth: string };
    const { matches } = await client.query('labelled', { picture: drawing, topK: 3 });
    expect(matches.map(({ metadata }) => metadata?.character)).toContain(truth);
    const { stdout } = await server.run(
      ...['identify', join('asked', '1.png'), '-c', 'labelled', '--field', 'character', '-t', '0.01'],
    );
    expect(stdout).toMatch(new RegExp(`^${matches[0]?.metadata?.character}: similarity`));
  });
});
