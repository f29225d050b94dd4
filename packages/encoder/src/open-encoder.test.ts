import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EncodeResult, Encoder } from './encoder.ts';
import { resolveModel } from './models.ts';
import { openEncoder } from './open-encoder.ts';
import { blackPng, cosine, PICTURES_FOLDER, testPicture, testPictureNames } from './test-pictures.ts';

const NAMES = testPictureNames();
const PICTURES = NAMES.map(testPicture);
let model: string;
let encoder: Encoder;
/** Of each picture, encoded alone. */
let alone: Float32Array[];

function embeddings(results: EncodeResult[]): Float32Array[] {
  return results.map((result) => {
    if (!result.ok) throw new Error(result.error.message);
    return result.embedding;
  });
}

beforeAll(async () => {
  model = await resolveModel();
  encoder = await openEncoder(model, { threads: 1 });
  alone = [];
  for (const picture of PICTURES) alone.push(...embeddings(await encoder.encode([picture])));
});
afterAll(() => encoder.close());

test('embeddings are of the dimension of the model, of length one, and tell pictures apart', () => {
  alone.forEach((embedding, i) => {
    expect(embedding).toHaveLength(encoder.model.output.dimension);
    expect(Math.hypot(...embedding)).toBeCloseTo(1, 6);
    for (const other of alone.slice(i + 1)) expect(cosine(embedding, other)).toBeLessThan(0.9);
  });
});

test('a copy is nearer to its source than any other picture is', async () => {
  const copies = PICTURES.map((bytes) => sharp(bytes).resize(200).webp({ quality: 60 }).toBuffer());
  const copied = embeddings(await encoder.encode(await Promise.all(copies)));
  copied.forEach((copy, i) => {
    const similarities = alone.map((embedding) => cosine(copy, embedding));
    expect(similarities.indexOf(Math.max(...similarities)), NAMES[i]).toBe(i);
  });
});

test('the same bytes give the same bits, alone or in a batch, on one thread or three', async () => {
  const three = await openEncoder(model, { threads: 3 });
  try {
    const batch = [...PICTURES, ...[...PICTURES].reverse()];
    const [one, many] = [embeddings(await encoder.encode(batch)), embeddings(await three.encode(batch))];
    const expected = [...alone, ...[...alone].reverse()];
    expect(one).toEqual(expected);
    expect(many).toEqual(expected);
    expect(three.hash).toBe(encoder.hash);
  } finally {
    await three.close();
  }
});

test('results keep their order, and a bad picture fails alone', async () => {
  const cat = testPicture('cat.jpg');
  const pictures = [
    cat,
    new Uint8Array(),
    Buffer.from('text named .jpg'),
    blackPng(30_000, 30_000),
    cat.subarray(0, cat.length >> 1),
    testPicture('coffee.jpg'),
  ];
  const results = await encoder.encode(pictures);
  expect(results.map((result) => (result.ok ? 'ok' : result.error.code))).toEqual([
    'ok',
    'picture-empty',
    'picture-unsupported-format',
    'picture-too-many-pixels',
    'picture-damaged',
    'ok',
  ]);
  expect(results[0]).toMatchObject({
    picture: { format: 'jpeg', width: 451, height: 300, lowInformation: false },
  });
  expect(embeddings([results[0], results[5]] as EncodeResult[])).toEqual([
    alone[NAMES.indexOf('cat.jpg')],
    alone[NAMES.indexOf('coffee.jpg')],
  ]);
  expect(await encoder.encode([])).toEqual([]);
});

test('limits of the encoder hold', async () => {
  const strict = await openEncoder(model, { threads: 1, limits: { maxBytes: 30_000 } });
  try {
    const results = await strict.encode([testPicture('cat.jpg'), testPicture('coffee.jpg')]);
    expect(results[0]?.ok).toBe(true);
    expect(results[1]).toMatchObject({ ok: false, error: { code: 'picture-too-large' } });
  } finally {
    await strict.close();
  }
});

test('timings grow with the work', async () => {
  const before = { ...encoder.timings };
  await encoder.encode(PICTURES);
  expect(encoder.timings.pictures).toBe(before.pictures + PICTURES.length);
  for (const stage of ['decode', 'preprocess', 'inference'] as const) {
    expect(encoder.timings[stage]).toBeGreaterThan(before[stage]);
  }
});

describe('abort and close', () => {
  test('an abort rejects with its reason, and the encoder goes on', async () => {
    const controller = new AbortController();
    const batch = encoder.encode([...PICTURES, ...PICTURES], { signal: controller.signal });
    setImmediate(() => controller.abort(new Error('enough')));
    await expect(batch).rejects.toThrow('enough');
    await expect(encoder.encode(PICTURES, { signal: AbortSignal.abort(new Error('never')) })).rejects.toThrow(
      'never',
    );
    expect(embeddings(await encoder.encode([PICTURES[0] as Buffer]))).toEqual([alone[0]]);
  });

  test('close waits for what is under way; further calls are refused', async () => {
    const own = await openEncoder(model, { threads: 2 });
    const batch = own.encode(PICTURES);
    const closed = own.close();
    expect(embeddings(await batch)).toEqual(alone);
    await closed;
    await own.close();
    await expect(own.encode(PICTURES)).rejects.toMatchObject({ code: 'closed' });
  });

  test('a single picture does not wait for a batch', async () => {
    const many = Array.from({ length: 60 }, (_, i) => PICTURES[i % PICTURES.length] as Buffer);
    let batchDone = false;
    const batch = encoder.encode(many).then(() => {
      batchDone = true;
    });
    await encoder.encode([PICTURES[0] as Buffer]);
    expect(batchDone).toBe(false);
    await batch;
  });

  test.each(['closed', 'forgotten'])('a process whose encoder is %s ends', async (how) => {
    const folder = mkdtempSync(join(tmpdir(), 'lookalike-encoder-'));
    const script = join(folder, 'script.ts');
    const source = pathToFileURL(join(import.meta.dirname, 'open-encoder.ts')).href;
    writeFileSync(
      script,
      `import { readFileSync } from 'node:fs';
       import { openEncoder } from ${JSON.stringify(source)};
       const encoder = await openEncoder(${JSON.stringify(model)}, { threads: 2 });
       const [result] = await encoder.encode([readFileSync(${JSON.stringify(`${PICTURES_FOLDER}cat.jpg`)})]);
       ${how === 'closed' ? 'await encoder.close();' : ''}
       console.log(result.embedding.length);`,
    );
    try {
      const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: 45_000 });
      expect(Number(stdout)).toBe(encoder.model.output.dimension);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('a thread that dies', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'lookalike-encoder-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function workerFile(name: string, source: string): URL {
    const file = join(folder, name);
    writeFileSync(file, `import { parentPort } from 'node:worker_threads';\n${source}`);
    return pathToFileURL(file);
  }

  test('at work: the call fails, the next one has a new thread', async () => {
    const worker = workerFile(
      'dies-once-a-thread.mjs',
      `let jobs = 0;
       parentPort.on('message', () => {
         if (jobs++ > 0) process.exit(7);
         const embedding = Float32Array.of(1, 0);
         parentPort.postMessage({ embedding, milliseconds: { preprocess: 1, inference: 1 } });
       });
       parentPort.postMessage({ ready: true });`,
    );
    const own = await openEncoder(model, { threads: 1, files: { worker } });
    const encodeCat = () => own.encode([testPicture('cat.jpg')]);
    try {
      for (let thread = 0; thread < 2; thread++) {
        expect(await encodeCat()).toMatchObject([{ ok: true, embedding: Float32Array.of(1, 0) }]);
        await expect(encodeCat()).rejects.toMatchObject({
          code: 'encoder-failed',
          message: expect.stringContaining('code 7'),
        });
      }
    } finally {
      await own.close();
    }
  });

  test('at the start: opening fails', async () => {
    for (const source of ['process.exit(3);', 'throw new Error("no runtime");']) {
      const worker = workerFile(`fails-${source.length}.mjs`, source);
      await expect(openEncoder(model, { files: { worker } })).rejects.toMatchObject({
        code: 'encoder-failed',
      });
    }
  });
});
