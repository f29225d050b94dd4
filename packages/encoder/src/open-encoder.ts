import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { LookalikeError } from '@lookalike/store';
import { DEFAULT_LIMITS, decodePicture } from './decode.ts';
import type { EncodeResult, Encoder, PictureBytes, PictureLimits } from './encoder.ts';
import { InferencePool } from './inference-pool.ts';
import type { ModelDescription } from './model.ts';
import { readModelDescription, readModelFile } from './model-description.ts';
import { PictureError } from './picture-error.ts';
import { PREPROCESSING_VERSION } from './preprocess.ts';
import { WeightedGate } from './weighted-gate.ts';

export interface EncoderOptions {
  /** Inference threads, each with a session of its own (about 120 MB). Default: one a core, at most 4. */
  threads?: number;
  /** Where they differ from the defaults. */
  limits?: Partial<PictureLimits>;
  /** Where a bundle keeps what it cannot hold; by default all of it is found in the packages. */
  files?: {
    /** The bundled `inference-worker`. */
    worker?: URL | string;
    /** `file://` URLs of onnxruntime-web's `ort-wasm-simd-threaded.mjs` and `.wasm`. */
    wasm?: { mjs: string; wasm: string };
  };
}

/**
 * Opens the model of a directory (see `resolveModel` for names). The model file is checked against `model.json`, and its
 * input and output against what that says.
 * @throws `LookalikeError`: `'unknown-model'`, `'invalid-model'`, `'model-file-damaged'`, `'encoder-failed'`
 */
export async function openEncoder(modelDirectory: string, options: EncoderOptions = {}): Promise<Encoder> {
  const { threads = Math.min(availableParallelism(), 4), limits, files } = options;
  if (!Number.isInteger(threads) || threads < 1 || threads > 64) {
    throw new RangeError(`threads must be a whole number from 1 to 64, got ${threads}`);
  }
  const model = await readModelDescription(modelDirectory);
  const modelFile = await readModelFile(modelDirectory, model);
  const start = { model: { input: model.input, output: model.output }, modelFile, wasmPaths: files?.wasm };
  const pool = await InferencePool.open({ threads, workerFile: files?.worker, start });
  return new PooledEncoder(model, pool, threads, limits);
}

/** `Encoder.hash` of a model, without opening it: enough to look embeddings up that were made before. */
export function embeddingHash(model: ModelDescription): string {
  const { input, output } = model;
  const decisive = [
    PREPROCESSING_VERSION,
    model.sha256,
    input.name,
    input.width,
    input.height,
    input.colorOrder,
  ]
    .concat([input.layout, ...input.mean, ...input.std, input.resize.fit, input.resize.kernel])
    .concat([output.name, output.dimension]);
  return createHash('sha256').update(JSON.stringify(decisive)).digest('hex');
}

/** What is known of a model without starting it. Throws what `readModelDescription` throws. */
export async function describeModel(directory: string): Promise<Pick<Encoder, 'model' | 'hash'>> {
  const model = await readModelDescription(directory);
  return { model, hash: embeddingHash(model) };
}

class PooledEncoder implements Encoder {
  readonly model: ModelDescription;
  readonly hash: string;
  readonly limits: PictureLimits;
  readonly timings = { pictures: 0, decode: 0, preprocess: 0, inference: 0 };
  readonly #pool: InferencePool;
  /** Pictures between their bytes and their embedding: enough that no thread waits for a decoder, and bounded. */
  readonly #pipelineSlots: number;
  readonly #pipeline: WeightedGate;
  readonly #underWay = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  constructor(
    model: ModelDescription,
    pool: InferencePool,
    threads: number,
    limits: Partial<PictureLimits> = {},
  ) {
    this.model = model;
    this.hash = embeddingHash(model);
    this.#pool = pool;
    this.limits = { ...DEFAULT_LIMITS, ...limits };
    this.#pipelineSlots = 2 * threads + 2;
    this.#pipeline = new WeightedGate(this.#pipelineSlots);
  }

  async encode(
    pictures: readonly PictureBytes[],
    options: { signal?: AbortSignal } = {},
  ): Promise<EncodeResult[]> {
    if (this.#closing) throw new LookalikeError('closed', 'the encoder is closed');
    const { signal } = options;
    const results: EncodeResult[] = new Array(pictures.length);
    let next = 0;
    // A few lanes a call, so that calls share the pipeline picture by picture: a single one never waits for a batch.
    const lane = async () => {
      for (let index = next++; index < pictures.length; index = next++) {
        const picture = pictures[index] as PictureBytes;
        results[index] = await this.#pipeline.run(1, () => this.#encodeOne(picture, signal), signal);
      }
    };
    const lanes = Array.from({ length: Math.min(this.#pipelineSlots, pictures.length) }, lane);
    const settled = Promise.allSettled(lanes);
    this.#underWay.add(settled);
    try {
      await Promise.all(lanes);
    } finally {
      // One lane's failure ends the call at once; the others stop after the picture they are at.
      next = pictures.length;
      settled.then(() => this.#underWay.delete(settled));
    }
    return results;
  }

  async #encodeOne(bytes: PictureBytes, signal: AbortSignal | undefined): Promise<EncodeResult> {
    signal?.throwIfAborted();
    const started = performance.now();
    try {
      const options = { limits: this.limits, ...(signal && { signal }) };
      const { pixels, facts } = await decodePicture(bytes, this.model.input, options);
      this.timings.decode += performance.now() - started;
      signal?.throwIfAborted();
      const { embedding, milliseconds } = await this.#pool.run(pixels);
      this.timings.pictures += 1;
      this.timings.preprocess += milliseconds.preprocess;
      this.timings.inference += milliseconds.inference;
      return { ok: true, embedding, picture: facts };
    } catch (error) {
      if (!(error instanceof PictureError)) throw error;
      return { ok: false, error: { code: error.code, message: error.message } };
    }
  }

  close(): Promise<void> {
    this.#closing ??= Promise.all(this.#underWay).then(() => this.#pool.close());
    return this.#closing;
  }
}
