import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LookalikeClient } from '@lookalike/client';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { filesOf, pngOfPgm, researchData, skipped } from './research-data.ts';
import { type RunningServer, runningServer } from './running-server.ts';

const faces = researchData('faces', 'orl_faces');
/** People of the test: the model never saw them. */
const people = ['s29', 's31', 's33', 's35', 's37', 's39'];

describe.skipIf(faces === undefined)(`faces of unseen people${skipped(faces)}`, () => {
  let server: RunningServer;
  const picture = (person: string, number: number) =>
    pngOfPgm(join(faces as string, person, `${number}.pgm`));

  beforeAll(async () => {
    server = await runningServer();
    for (const person of people) {
      await server.write(join('people', person, '1.png'), await picture(person, 1));
      await server.write(join('asked', `${person}.png`), await picture(person, 2));
    }
    const { status, stderr } = await server.run(
      'ingest',
      'people',
      '--collection',
      'people',
      '--model',
      'faces',
    );
    expect(status, stderr).toBe(0);
  });
  afterAll(() => server?.close());

  test('one picture enrolled a person is enough to find most of them', async () => {
    const client = new LookalikeClient(server.url);
    let right = 0;
    for (const person of people)
      for (const number of [2, 6]) {
        const asked = await picture(person, number);
        const { matches } = await client.query('people', { picture: asked, topK: 1 });
        if (matches[0]?.id === `${person}/1.png`) right++;
      }
    expect(right).toBeGreaterThanOrEqual(10);
  });

  test('identify names the person and tells the error rates', async () => {
    const { stdout } = await server.run('identify', 'asked/s29.png', '--collection', 'people', '--json');
    const answer = JSON.parse(stdout);
    expect(answer.candidates[0]).toMatchObject({ label: 's29', examples: 1, nearest: 's29/1.png' });
    expect(answer.falsePositiveRate).toBe(0.001);
    expect(answer.falseRejectRate).toBeGreaterThan(0);
  });
});

describe('one face in three frames, of the free pictures', () => {
  let server: RunningServer;
  const photo = sharp(join(import.meta.dirname, '../pictures/astronaut.jpg'));
  const framed = (left: number, top: number, width: number, height: number) =>
    photo.clone().extract({ left, top, width, height });

  beforeAll(async () => {
    server = await runningServer();
    await server.write('close.png', await framed(150, 10, 155, 180).png().toBuffer());
    await server.write('loose.png', await framed(100, 0, 260, 260).png().toBuffer());
    const turned = await framed(150, 10, 155, 180).rotate(15, { background: '#888' }).png().toBuffer();
    await server.write('turned.png', turned);
    await server.write('rocket.png', await framed(360, 0, 150, 180).png().toBuffer());
  });
  afterAll(() => server?.close());

  test.each([
    ['loose.png', true],
    ['turned.png', true],
    ['rocket.png', false],
  ])('%s shows who the close one shows: %s', async (name, same) => {
    const { stdout, stderr } = await server.run('compare', '--model', 'faces', 'close.png', name, '--json');
    expect(JSON.parse(stdout).same, stderr).toBe(same);
  });
});

const signatures = researchData('signatures');

describe.skipIf(signatures === undefined)(`signatures of unseen writers${skipped(signatures)}`, () => {
  let server: RunningServer;
  const of = (writer: string, kind: 'genuine' | 'forged') =>
    filesOf(join(signatures as string, writer, kind));

  beforeAll(async () => {
    server = await runningServer();
    for (const writer of ['049', '052', '055'])
      for (const [i, file] of of(writer, 'genuine').slice(0, 5).entries())
        await server.write(join('enrolled', writer, `${i}.png`), readFileSync(file));
    const { status, stderr } = await server.run(
      ...['ingest', 'enrolled', '--collection', 'signatures', '--model', 'signatures'],
    );
    expect(status, stderr).toBe(0);
  });
  afterAll(() => server?.close());

  test('POST /v1/compare answers distance, verdict and both error rates of it', async () => {
    const client = new LookalikeClient(server.url);
    const [a, b] = of('049', 'genuine').map((file) => readFileSync(file)) as [Buffer, Buffer];
    const answer = await client.compare(a, b, { model: 'signatures' });
    expect(answer.model).toBe('signatures');
    expect(answer.same).toBe(answer.similarity >= answer.threshold);
    expect(answer.falsePositiveRate).toBeGreaterThan(0);
    expect(answer.falseRejectRate).toBeGreaterThan(0);
  });

  test('the command says the same', async () => {
    const [a, b] = of('049', 'genuine') as [string, string];
    const { stdout } = await server.run('compare', a, b, '--model', 'signatures', '--json');
    const client = new LookalikeClient(server.url);
    const answer = await client.compare(readFileSync(a), readFileSync(b), { model: 'signatures' });
    expect(JSON.parse(stdout)).toMatchObject({
      same: answer.same,
      falsePositiveRate: answer.falsePositiveRate,
      falseRejectRate: answer.falseRejectRate,
    });
  });

  test('several references are scored together, and another writer is told apart', async () => {
    const asked = of('049', 'genuine')[7] as string;
    const claim = async (writer: string) => {
      const { stdout } = await server.run(
        ...['identify', asked, '--collection', 'signatures', '--as', writer, '--references', '5', '--json'],
      );
      return JSON.parse(stdout).candidates[0];
    };
    const [own, other] = [await claim('049'), await claim('052')];
    expect(own).toMatchObject({ label: '049', examples: 5 });
    expect(own.similarity).toBeGreaterThan(other.similarity);
  });

  test('a claim is judged by how alike the references are among each other', async () => {
    const { referenceThresholds } = JSON.parse(readFileSync('models/signatures/model.json', 'utf8'));
    const margin = referenceThresholds.find((point: { references: number }) => point.references === 5);
    const verdicts: { genuine: boolean; accepted: boolean }[] = [];
    for (const writer of ['049', '052', '055'])
      for (const kind of ['genuine', 'forged'] as const)
        for (const file of of(writer, kind).slice(5, 9)) {
          const { status, stdout } = await server.run(
            ...['identify', file, '--collection', 'signatures', '--as', writer, '--json'],
          );
          const answer = JSON.parse(stdout);
          expect(answer.candidates[0]).toMatchObject({ label: writer, examples: 5 });
          expect(answer.threshold).toBeCloseTo(answer.among + margin.margin, 6);
          expect(answer.falsePositiveRate).toBeCloseTo(margin.falsePositiveRate, 4);
          expect(answer.falseRejectRate).toBeGreaterThan(0);
          expect(status).toBe(answer.similarity >= answer.threshold ? 0 : 1);
          verdicts.push({ genuine: kind === 'genuine', accepted: status === 0 });
        }
    // The card promises 92 % over all writers; these three are among its harder ones.
    const right = verdicts.filter(({ genuine, accepted }) => genuine === accepted).length;
    expect(right / verdicts.length).toBeGreaterThanOrEqual(0.75);
    const steeper = await server.run(
      ...['identify', of('049', 'genuine')[7] as string, '--collection', 'signatures'],
      ...['--as', '049', '--margin', '0.9'],
    );
    expect(steeper.status).toBe(1);
    expect(steeper.stdout).toContain('not 049');
  });
});
