import { readModelFile } from '@lookalike/encoder';
import { LookalikeError } from '@lookalike/store';
import * as ort from 'onnxruntime-web';
import { readTrackingModel } from './tracking-description.ts';

/** Crops to templates, and templates with a region to a response. Crops hold 0-255, [channel, row, column]. */
export interface SiameseBranches {
  /** [n, dimension], rows of unit length, of `n` crops of the model's input side. */
  embedExemplars(crops: readonly Float32Array[]): Promise<Float32Array>;
  /** Cosines [n, cells, cells] of the `n` templates in a crop of `side` pixels, a multiple of the stride. */
  search(crop: Float32Array, side: number, templates: Float32Array): Promise<Response>;
  close(): Promise<void>;
}

export interface Response {
  /** One [cells, cells] a template. */
  maps: Float32Array[];
  cells: number;
}

export interface WasmPaths {
  mjs: string;
  wasm: string;
}

/**
 * Opens both branches of a tracking model, in this thread, on one core.
 * @throws LookalikeError `unknown-model`, `invalid-model`, `not-a-tracking-model`, `model-file-damaged`
 */
export async function openBranches(directory: string, wasm?: WasmPaths) {
  const { model, tracking } = await readTrackingModel(directory);
  ort.env.wasm.numThreads = 1;
  if (wasm) ort.env.wasm.wasmPaths = wasm;
  const open = async (described: { file: string; sha256: string; bytes: number }) => {
    const file = await readModelFile(directory, { ...model, ...described });
    return ort.InferenceSession.create(file, { executionProviders: ['wasm'], logSeverityLevel: 3 });
  };
  const exemplarBranch = await open(model);
  const searchBranch = await open(tracking.search);
  const { pixels, templates: templatesName, similarity } = tracking.search;
  expectTensors(model.name, 'exemplar', exemplarBranch, [model.input.name], [model.output.name]);
  expectTensors(model.name, 'search', searchBranch, [pixels, templatesName], [similarity]);
  const dimension = model.output.dimension;
  const exemplarSide = model.input.width;

  const normalise = (crop: Float32Array, into: Float32Array, offset: number) => {
    const plane = crop.length / 3;
    for (let channel = 0; channel < 3; channel++) {
      const std = model.input.std[channel] as number;
      const factor = 1 / (255 * std);
      const shift = (model.input.mean[channel] as number) / std;
      for (let i = channel * plane; i < (channel + 1) * plane; i++)
        into[offset + i] = (crop[i] as number) * factor - shift;
    }
  };

  const branches: SiameseBranches = {
    async embedExemplars(crops) {
      const one = 3 * exemplarSide * exemplarSide;
      const input = new Float32Array(crops.length * one);
      crops.forEach((crop, i) => {
        normalise(crop, input, i * one);
      });
      const shape = [crops.length, 3, exemplarSide, exemplarSide];
      const outputs = await exemplarBranch.run({
        [model.input.name]: new ort.Tensor('float32', input, shape),
      });
      return (outputs[model.output.name] as ort.Tensor).data as Float32Array;
    },
    async search(crop, side, templates) {
      const input = new Float32Array(crop.length);
      normalise(crop, input, 0);
      const count = templates.length / dimension;
      const outputs = await searchBranch.run({
        [pixels]: new ort.Tensor('float32', input, [1, 3, side, side]),
        [templatesName]: new ort.Tensor('float32', templates, [count, dimension]),
      });
      const output = outputs[similarity] as ort.Tensor;
      const cells = output.dims[2] as number;
      const all = output.data as Float32Array;
      const maps = Array.from({ length: count }, (_, i) =>
        all.subarray(i * cells * cells, (i + 1) * cells * cells),
      );
      return { maps, cells };
    },
    async close() {
      await exemplarBranch.release();
      await searchBranch.release();
    },
  };
  return { model, tracking, branches };
}

function expectTensors(
  model: string,
  branch: string,
  session: ort.InferenceSession,
  inputs: string[],
  outputs: string[],
): void {
  const missing = [
    ...inputs.filter((name) => !session.inputNames.includes(name)),
    ...outputs.filter((name) => !session.outputNames.includes(name)),
  ];
  if (missing.length === 0) return;
  const there = [...session.inputNames, ...session.outputNames].join(', ');
  throw new LookalikeError(
    'invalid-model',
    `${model}: its ${branch} branch has no ${missing.join(', ')}; there: ${there}`,
  );
}
