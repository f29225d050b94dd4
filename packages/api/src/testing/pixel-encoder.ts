import { createHash } from 'node:crypto';
import type { EncodeResult, Encoder, ModelDescription, PictureLimits } from '@lookalike/encoder';
import { DEFAULT_LIMITS, decodePicture, PictureError } from '@lookalike/encoder';

const side = 8;

function describe(name: string): ModelDescription {
  return {
    formatVersion: 1,
    name,
    description: 'An 8 x 8 picture as its own embedding: quick and deterministic, for tests.',
    file: 'none',
    sha256: createHash('sha256').update(name).digest('hex'),
    bytes: 0,
    input: {
      name: 'input',
      width: side,
      height: side,
      colorOrder: 'rgb',
      layout: 'nhwc',
      mean: [0.5, 0.5, 0.5],
      std: [1, 1, 1],
      resize: { fit: 'squash', kernel: 'linear' },
    },
    output: { name: 'output', dimension: side * side * 3 },
    metric: 'cosine',
    thresholds: [{ similarity: 0.95, falsePositiveRate: 0.01, calibratedOn: 'nothing' }],
    defaultThreshold: 0.95,
    trainingData: [],
    license: 'Apache-2.0',
    recipe: { command: 'none', seed: 0, version: '1' },
  };
}

/**
 * Decodes for real, and embeds by the pixels of the reduced picture instead of a network. Two of different names are two encoders
 * with hashes of their own.
 */
export function pixelEncoder(name = 'pixels', given: Partial<PictureLimits> = {}): Encoder {
  const model = describe(name);
  const limits = { ...DEFAULT_LIMITS, ...given };
  const encodeOne = async (bytes: Uint8Array): Promise<EncodeResult> => {
    try {
      const { pixels, facts } = await decodePicture(bytes, model.input, { limits });
      const embedding = Float32Array.from(pixels, (value) => value / 255 - 0.5);
      const norm = Math.hypot(...embedding) || 1;
      return { ok: true, embedding: embedding.map((value) => value / norm), picture: facts };
    } catch (error) {
      if (error instanceof PictureError) {
        return { ok: false, error: { code: error.code, message: error.message } };
      }
      throw error;
    }
  };
  return {
    model,
    hash: createHash('sha256').update(`pixels ${name}`).digest('hex'),
    limits,
    timings: { pictures: 0, decode: 0, preprocess: 0, inference: 0 },
    encode: (pictures) => Promise.all(pictures.map(encodeOne)),
    close: () => Promise.resolve(),
  };
}
