import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LookalikeClient } from '@lookalike/client';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TEST_PICTURES } from '../../packages/cli/src/test-command.ts';
import { gridOfMeans } from './onnx-file.ts';
import { type RunningServer, runningServer } from './running-server.ts';

/** As a user's face model comes: an ONNX file from elsewhere, other names and sizes, its output not of unit length. */
const SIDE = 32;

describe('a model of your own', () => {
  let server: RunningServer;
  let model: string;
  const faces = ['astronaut.jpg', 'cat.jpg', 'photographer.jpg'];

  beforeAll(async () => {
    const onnx = gridOfMeans({ input: 'face', output: 'features', side: SIDE, cell: 4 });
    server = await runningServer();
    await server.write('strong-faces/net.onnx', onnx);
    const described = {
      formatVersion: 1,
      name: 'strong-faces',
      description: 'Made in a test.',
      file: 'net.onnx',
      sha256: createHash('sha256').update(onnx).digest('hex'),
      bytes: onnx.length,
      input: {
        name: 'face',
        width: SIDE,
        height: SIDE,
        colorOrder: 'bgr',
        layout: 'nchw',
        mean: [0.5, 0.5, 0.5],
        std: [0.5, 0.5, 0.5],
        resize: { fit: 'cover', kernel: 'linear' },
      },
      output: { name: 'features', dimension: 3 * (SIDE / 4) ** 2 },
      metric: 'cosine',
      thresholds: [{ similarity: 0.9, falsePositiveRate: 0.01, recall: 0.95, calibratedOn: 'a test' }],
      defaultThreshold: 0.9,
      trainingData: [],
      license: 'Apache-2.0',
      recipe: { command: 'none', seed: 0, version: '1' },
    };
    model = join(server.root, 'strong-faces');
    await server.write('strong-faces/model.json', JSON.stringify(described));
    await server.write('copies/net.onnx', onnx);
    await server.write(
      'copies/model.json',
      JSON.stringify({ ...described, name: 'copies', purpose: 'near-duplicates' }),
    );
    for (const name of faces)
      await server.write(
        join('people', name.replace('.jpg', ''), name),
        readFileSync(join(TEST_PICTURES, name)),
      );
    await server.write(
      'visitor.png',
      await sharp(join(TEST_PICTURES, 'cat.jpg')).resize(300).png().toBuffer(),
    );
    await server.write('stranger.jpg', readFileSync(join(TEST_PICTURES, 'galaxies.jpg')));
  });
  afterAll(() => server?.close());

  const onFolder = (...args: string[]) => server.run(...args, '--data', 'people-data', '--model', model);

  test('enrols and identifies, or says unknown', async () => {
    const enrolled = await onFolder('ingest', 'people', '--collection', 'people', '--json');
    expect(JSON.parse(enrolled.stdout)).toMatchObject({ stored: faces.length, errors: [] });
    const known = await onFolder('identify', 'visitor.png', '--collection', 'people', '--json');
    expect(known.status).toBe(0);
    expect(JSON.parse(known.stdout)).toMatchObject({
      label: 'cat',
      threshold: 0.9,
      falsePositiveRate: 0.01,
      falseRejectRate: 0.05,
    });
    const unknown = await onFolder('identify', 'stranger.jpg', '--collection', 'people');
    expect(unknown.status).toBe(1);
    expect(unknown.stdout).toMatch(/^unknown: similarity 0\.\d{4}, threshold 0\.9\n/);
  });

  test('verifies a claim against the examples of one person', async () => {
    const claimed = (who: string) =>
      onFolder('identify', 'visitor.png', '--collection', 'people', '--as', who, '--json');
    expect((await claimed('cat')).status).toBe(0);
    const refused = await claimed('astronaut');
    expect(refused.status).toBe(1);
    expect(JSON.parse(refused.stdout)).toMatchObject({ label: null, candidates: [{ label: 'astronaut' }] });
    const nobody = await claimed('nobody');
    expect(nobody.status).toBe(2);
    expect(nobody.stderr).toContain(
      'nothing in people is enrolled as nobody; there: astronaut, cat, photographer',
    );
  });

  test('verifies a claim where ten thousand others are nearer than the examples of it', async () => {
    const own = await runningServer(['--model', model]);
    try {
      const client = new LookalikeClient(own.url);
      await client.createCollection('crowd', { model: 'strong-faces' });
      await client.putPicture('crowd', 'cat/1', readFileSync(join(server.root, 'visitor.png')));
      const { vector = [] } = await client.getItem('crowd', 'cat/1', { include: ['vector'] });
      const encoder = (await client.getCollection('crowd')).encoder?.hash ?? '';
      const others = Array.from({ length: 10_000 }, (_, at) => ({ id: `cat/${at + 2}`, vector }));
      const opposite = vector.map((value) => -value);
      const claimed = [1, 2].map((at) => ({ id: `dog/${at}`, vector: opposite }));
      let stored = 0;
      for await (const line of client.ingest('crowd', [...others, ...claimed], { encoder }))
        stored += line.stored;
      expect(stored).toBe(10_002);
      const asked = async (...more: string[]) => {
        const visitor = join(server.root, 'visitor.png');
        const { status, stdout } = await own.run(
          ...['identify', visitor, '--collection', 'crowd', '--as', 'dog', '--json', ...more],
        );
        return { status, ...JSON.parse(stdout) };
      };
      const refused = { status: 1, label: null, similarity: 0, candidates: [{ label: 'dog', examples: 1 }] };
      expect(await asked()).toMatchObject(refused);
      // As alike as its examples are among each other, less what is allowed.
      const together = await asked('--margin', '-0.1');
      expect(together).toMatchObject({ ...refused, candidates: [{ label: 'dog', examples: 2 }] });
      expect(together.threshold).toBeCloseTo(0.9);
    } finally {
      await own.close();
    }
  });

  test('compares, with both error rates', async () => {
    const { status, stdout } = await server.run(
      ...['compare', join('people', 'cat', 'cat.jpg'), 'visitor.png', '--model', model, '--json'],
    );
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      same: true,
      threshold: 0.9,
      falsePositiveRate: 0.01,
      falseRejectRate: 0.05,
    });
  });

  test('compares as a search for duplicates does where that is its purpose', async () => {
    const cat = join(server.root, 'people', 'cat', 'cat.jpg');
    await server.write('same.png', await sharp(cat).png().toBuffer());
    const by = async (own: string) => {
      const { stdout } = await server.run('compare', cat, 'same.png', '--model', own, '--json');
      return JSON.parse(stdout);
    };
    expect(await by(join(server.root, 'copies'))).toMatchObject({ same: true, by: 'pixels' });
    expect(await by(model)).toMatchObject({ same: true, by: 'embedding' });

    const own = await runningServer(['--model', join(server.root, 'copies')]);
    try {
      const client = new LookalikeClient(own.url);
      const [jpeg, png] = [readFileSync(cat), readFileSync(join(server.root, 'same.png'))];
      expect(await client.compare(jpeg, png)).toMatchObject({ model: 'copies', same: true, by: 'pixels' });
      const { models } = await client.models();
      expect(models.map(({ name, purpose }) => [name, purpose])).toContainEqual([
        'copies',
        'near-duplicates',
      ]);
    } finally {
      await own.close();
    }
  });

  test('over HTTP the server that has it answers the same rates', async () => {
    const own = await runningServer(['--model', model]);
    try {
      const client = new LookalikeClient(own.url);
      const cat = readFileSync(join(TEST_PICTURES, 'cat.jpg'));
      expect(await client.compare(cat, cat)).toMatchObject({
        model: 'strong-faces',
        same: true,
        falsePositiveRate: 0.01,
        falseRejectRate: 0.05,
      });
    } finally {
      await own.close();
    }
  });
});
