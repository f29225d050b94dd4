/**
 * The entry of an inference thread: one session of one thread. It imports nothing but the runtime and the preprocessing,
 * so that a bundler makes one small file of it.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import * as ort from 'onnxruntime-web';
import type { ModelDescription } from './model.ts';
import { createPreprocessor } from './preprocess.ts';

export interface WorkerStart {
  model: Pick<ModelDescription, 'input' | 'output'>;
  modelFile: Uint8Array<SharedArrayBuffer>;
  wasmPaths: { mjs: string; wasm: string } | undefined;
}

export type WorkerAnswer =
  | { ready: true }
  | { embedding: Float32Array<ArrayBuffer>; milliseconds: { preprocess: number; inference: number } }
  /** The model is not what model.json says. */
  | { mismatch: string }
  | { failed: string };

const port = parentPort as MessagePort;
const { model, modelFile, wasmPaths } = workerData as WorkerStart;

/** `undefined` where the graph leaves a size open. */
function sizes(metadata: ort.InferenceSession.ValueMetadata): (number | undefined)[] {
  if (!metadata.isTensor) return [];
  return metadata.shape.map((size) => (typeof size === 'number' && size > 0 ? size : undefined));
}

function checkTensor(
  kind: 'input' | 'output',
  name: string,
  expected: number[],
  found: readonly ort.InferenceSession.ValueMetadata[],
): string | undefined {
  const metadata = found.find((candidate) => candidate.name === name);
  if (!metadata)
    return `no ${kind} named "${name}"; there: ${found.map((candidate) => candidate.name).join(', ')}`;
  const shape = sizes(metadata);
  const fits =
    metadata.isTensor &&
    metadata.type === 'float32' &&
    shape.length === expected.length &&
    shape.every((size, axis) => size === undefined || size === expected[axis]);
  if (fits) return undefined;
  const is = metadata.isTensor
    ? `${metadata.type} [${shape.map((size) => size ?? 'n').join(', ')}]`
    : 'no tensor';
  return `${kind} "${name}" is ${is}; model.json says float32 [${expected.join(', ')}]`;
}

function inputShape(): number[] {
  const { width, height, colorOrder, layout } = model.input;
  const channels = colorOrder === 'gray' ? 1 : 3;
  return layout === 'nchw' ? [1, channels, height, width] : [1, height, width, channels];
}

async function openSession(): Promise<ort.InferenceSession> {
  ort.env.wasm.numThreads = 1;
  if (wasmPaths) ort.env.wasm.wasmPaths = wasmPaths;
  return ort.InferenceSession.create(modelFile, { executionProviders: ['wasm'], logSeverityLevel: 3 });
}

/** L2-normalised, whatever the graph does. */
function normalised(vector: Float32Array): Float32Array<ArrayBuffer> {
  let squares = 0;
  for (const value of vector) squares += value * value;
  const norm = Math.sqrt(squares);
  if (!Number.isFinite(norm) || norm === 0)
    throw new Error('the model gave no finite embedding other than zero');
  return Float32Array.from(vector, (value) => value / norm);
}

async function embed(session: ort.InferenceSession, pixels: Uint8Array): Promise<WorkerAnswer> {
  const started = performance.now();
  const tensor = new ort.Tensor('float32', preprocess(pixels), inputShape());
  const preprocessed = performance.now();
  const outputs = await session.run({ [model.input.name]: tensor }, [model.output.name]);
  const output = outputs[model.output.name] as ort.Tensor;
  const vector = output.data as Float32Array;
  if (vector.length !== model.output.dimension) {
    return {
      mismatch: `output "${model.output.name}" has ${vector.length} numbers; model.json says ${model.output.dimension}`,
    };
  }
  const embedding = normalised(vector);
  output.dispose();
  const inference = performance.now() - preprocessed;
  return { embedding, milliseconds: { preprocess: preprocessed - started, inference } };
}

function answer(message: WorkerAnswer): void {
  port.postMessage(message, 'embedding' in message ? [message.embedding.buffer] : []);
}

const preprocess = createPreprocessor(model.input);
try {
  const session = await openSession();
  const mismatch =
    checkTensor('input', model.input.name, inputShape(), session.inputMetadata) ??
    checkTensor('output', model.output.name, [1, model.output.dimension], session.outputMetadata);
  if (mismatch) {
    answer({ mismatch });
  } else {
    port.on('message', (pixels: Uint8Array) => {
      embed(session, pixels).then(answer, (error: Error) => answer({ failed: error.message }));
    });
    answer({ ready: true });
  }
} catch (error) {
  answer({ failed: (error as Error).message });
}
