import { type ComparedBy, type ComparedPicture, comparePictures } from '@lookalike/duplicates';
import {
  errorRatesAt,
  frameHashes,
  openEncoder,
  pixelHashIfReadable,
  resolveModel,
} from '@lookalike/encoder';
import { distance, similarity } from '@lookalike/index';
import { LookalikeError } from '@lookalike/store';
import { EXIT } from '../cli-error.ts';
import { note, print } from '../output.ts';
import { readPicture, sha256 } from '../picture-scan.ts';

import type { CompareOptions } from './compare.ts';

const SIDES = ['a', 'b'] as const;
type Side = (typeof SIDES)[number];

export async function compare(
  pathA: string,
  pathB: string,
  options: CompareOptions,
  signal: AbortSignal,
): Promise<number> {
  const paths = [pathA, pathB];
  const files = await Promise.all(paths.map((path) => readPicture(path)));
  const encoder = await openEncoder(await resolveModel(options.model));
  try {
    const unreadPixels: Partial<Record<Side, { code: string; message: string }>> = {};
    const results = await encoder.encode(files, { signal });
    const [a, b] = results.map((result, index): ComparedPicture => {
      if (!result.ok) throw new LookalikeError(result.error.code, `${paths[index]}: ${result.error.message}`);
      const file = files[index] as Uint8Array;
      const { embedding, picture } = result;
      return {
        ...picture,
        embedding,
        bytes: file.length,
        contentHash: sha256(file),
        pixelHash: () =>
          pixelHashIfReadable(file, { limits: encoder.limits, signal }, ({ code, message }) => {
            unreadPixels[SIDES[index] as Side] = { code, message };
            note(`The pixels of ${paths[index]} were not compared: ${message}`);
          }),
        frameHashes: () => frameHashes(file, { limits: encoder.limits, signal }),
      };
    }) as [ComparedPicture, ComparedPicture];
    const { model } = encoder;
    const distances = {
      euclidean: distance('l2', a.embedding, b.embedding),
      cosine: distance('cosine', a.embedding, b.embedding),
      absolute: distance('l1', a.embedding, b.embedding),
      similarity: similarity(model.metric, distance(model.metric, a.embedding, b.embedding)),
    };
    const { same, by, threshold } = await comparePictures(a, b, {
      similarity: distances.similarity,
      threshold: options.threshold,
      model,
    });
    const { falsePositiveRate = null, falseRejectRate = null } = errorRatesAt(model, threshold);
    if (options.json) {
      const unread = Object.keys(unreadPixels).length > 0 && { unreadPixels };
      await print(
        `${JSON.stringify({ ...distances, same, by, threshold, falsePositiveRate, falseRejectRate, ...unread })}\n`,
      );
    } else {
      await print(
        `${verdictInWords(same, by)}: ` +
          `similarity ${distances.similarity.toFixed(4)}, threshold ${threshold} (${ratesInWords(falsePositiveRate, falseRejectRate)}).\n` +
          `  Euclidean distance             ${distances.euclidean.toFixed(4)}\n` +
          `  cosine distance                ${distances.cosine.toFixed(4)}\n` +
          `  absolute-difference distance   ${distances.absolute.toFixed(4)}\n`,
      );
    }
    return same ? EXIT.ok : EXIT.nothing;
  } finally {
    await encoder.close();
  }
}

function verdictInWords(same: boolean, by: ComparedBy): string {
  const reason = {
    bytes: ', byte for byte',
    pixels: ', pixel for pixel',
    embedding: same ? ', or nearly' : '',
    'perceptual-hash': ', or nearly, by their perceptual hashes',
    'low-information': ', as a blank picture is the same as its own copies only',
    frames: ', as animations or files of several pages that begin alike and go on differently',
    page: ', as pages (text, receipts, drawings) of which the perceptual hashes disagree',
  }[by];
  return `${same ? 'The same' : 'Different'}${reason}`;
}

function ratesInWords(falsePositiveRate: number | null, falseRejectRate: number | null): string {
  if (falsePositiveRate === null) return 'not calibrated at this threshold';
  const accepts = `${falsePositiveRate} of unrelated pairs reach this threshold`;
  return falseRejectRate === null ? accepts : `${accepts}, ${falseRejectRate} of true pairs do not`;
}
