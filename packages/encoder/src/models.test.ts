import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_MODEL, listModels, modelsFolder, resolveModel } from './models.ts';
import { openEncoder } from './open-encoder.ts';

describe('names and paths', () => {
  test('the default is a model of the folder', async () => {
    expect(await resolveModel()).toBe(join(modelsFolder(), DEFAULT_MODEL));
    const defaults = (await listModels()).filter((installed) => installed.isDefault);
    expect(defaults).toHaveLength(1);
    expect(defaults[0]?.model.name).toBe(DEFAULT_MODEL);
  });

  test('every installed model is named as its folder', async () => {
    for (const { model, directory } of await listModels())
      expect(join(modelsFolder(), model.name)).toBe(directory);
  });

  test('a path is taken as it is', async () => {
    const path = join(modelsFolder(), DEFAULT_MODEL);
    expect(await resolveModel(path)).toBe(path);
    await expect(resolveModel('./no-such-model')).rejects.toMatchObject({ code: 'unknown-model' });
  });

  test.each(['no-such-model', '', 'training'])(
    'an unknown name (%j) is answered with those there are',
    async (name) => {
      await expect(resolveModel(name)).rejects.toMatchObject({
        code: 'unknown-model',
        message: expect.stringContaining(DEFAULT_MODEL),
      });
    },
  );
});

describe('a model that is not what it says', () => {
  let folder: string;
  let valid: Record<string, unknown> & { input: Record<string, unknown>; output: Record<string, unknown> };
  let made = 0;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'lookalike-models-'));
    valid = JSON.parse(readFileSync(join(await resolveModel(), 'model.json'), 'utf8'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** A copy of the default model with `change` made to its description. */
  async function modelWith(change: object | string): Promise<string> {
    const directory = join(folder, `model-${made++}`);
    mkdirSync(directory);
    cpSync(join(await resolveModel(), String(valid.file)), join(directory, String(valid.file)));
    const text = typeof change === 'string' ? change : JSON.stringify({ ...valid, ...change });
    writeFileSync(join(directory, 'model.json'), text);
    return directory;
  }

  const wrongDescriptions: [string, () => object | string, string[]][] = [
    ['no JSON', () => '{"formatVersion": 1,', ['not JSON']],
    ['another format', () => ({ formatVersion: 2 }), ['formatVersion']],
    ['several fields', () => ({ sha256: 'short', bytes: -1 }), ['sha256: must be 64', 'bytes']],
    ['a file outside', () => ({ file: '../model.onnx' }), ['file: must be the plain name']],
    ['a file outside, absolute', () => ({ file: '/etc/hostname' }), ['file: must be the plain name']],
    ['the folder itself', () => ({ file: '..' }), ['file: must be the plain name']],
    [
      'too few means',
      () => ({ input: { ...valid.input, mean: [0.5] } }),
      ['input.mean: must hold 3 numbers'],
    ],
    ['a std of zero', () => ({ input: { ...valid.input, std: [1, 0, 1] } }), ['input.std.1']],
    [
      'margins of similarities that are no cosines',
      () => ({
        metric: 'l2',
        referenceThresholds: [
          { references: 3, margin: -0.1, falsePositiveRate: 0.1, calibratedOn: 'a test' },
        ],
      }),
      ['referenceThresholds: needs the metric cosine'],
    ],
    [
      'near-duplicates by another metric than dedupe has',
      () => ({ metric: 'l2', purpose: 'near-duplicates' }),
      ['purpose: needs the metric cosine'],
    ],
    ['a purpose that is none', () => ({ purpose: 'copies' }), ['purpose']],
    [
      'a default threshold that is none',
      () => ({ defaultThreshold: 0.123 }),
      ['defaultThreshold: must be the similarity'],
    ],
  ];
  test.each(wrongDescriptions)('%s', async (_, change, words) => {
    const error = await openEncoder(await modelWith(change())).catch((reason) => reason);
    expect(error).toMatchObject({ code: 'invalid-model' });
    for (const word of words) expect(error.message).toContain(word);
  });

  const wrongGraphs: [string, () => object, string][] = [
    ['dimension', () => ({ output: { ...valid.output, dimension: 100 } }), 'model.json says'],
    ['input size', () => ({ input: { ...valid.input, width: 96 } }), 'model.json says'],
    ['input name', () => ({ input: { ...valid.input, name: 'nothing' } }), 'no input named "nothing"'],
    ['output name', () => ({ output: { ...valid.output, name: 'nothing' } }), 'no output named "nothing"'],
  ];
  test.each(wrongGraphs)('%s that the graph does not have', async (_, change, words) => {
    await expect(openEncoder(await modelWith(change()), { threads: 1 })).rejects.toMatchObject({
      code: 'invalid-model',
      message: expect.stringContaining(words),
    });
  });

  test('a missing, shortened or changed file', async () => {
    const directory = await modelWith({});
    const file = join(directory, String(valid.file));
    const bytes = readFileSync(file);
    const damaged = { code: 'model-file-damaged', message: expect.stringContaining(file) };
    bytes.writeUInt8(bytes.readUInt8(1000) ^ 1, 1000);
    writeFileSync(file, bytes);
    await expect(openEncoder(directory)).rejects.toMatchObject(damaged);
    writeFileSync(file, bytes.subarray(1));
    await expect(openEncoder(directory)).rejects.toMatchObject(damaged);
    rmSync(file);
    await expect(openEncoder(directory)).rejects.toMatchObject(damaged);
  });

  test('a file that is no graph', async () => {
    const directory = await modelWith({
      bytes: 5,
      sha256: '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',
    });
    writeFileSync(join(directory, String(valid.file)), 'hello');
    await expect(openEncoder(directory)).rejects.toMatchObject({ code: 'encoder-failed' });
  });
});
