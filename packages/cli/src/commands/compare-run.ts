import { errorRatesAt, openEncoder, resolveModel } from '@lookalike/encoder';
import { distance, similarity } from '@lookalike/index';
import { LookalikeError } from '@lookalike/store';
import { EXIT } from '../cli-error.ts';
import { print } from '../output.ts';
import { readPicture } from '../picture-scan.ts';

import type { CompareOptions } from './compare.ts';

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
    const results = await encoder.encode(files, { signal });
    const [embeddingA, embeddingB] = results.map((result, index) => {
      if (!result.ok) throw new LookalikeError(result.error.code, `${paths[index]}: ${result.error.message}`);
      return result.embedding;
    }) as [Float32Array, Float32Array];
    const { model } = encoder;
    const threshold = options.threshold ?? model.defaultThreshold;
    const distances = {
      euclidean: distance('l2', embeddingA, embeddingB),
      cosine: distance('cosine', embeddingA, embeddingB),
      absolute: distance('l1', embeddingA, embeddingB),
      similarity: similarity(model.metric, distance(model.metric, embeddingA, embeddingB)),
    };
    const same = distances.similarity >= threshold;
    const { falsePositiveRate = null, falseRejectRate = null } = errorRatesAt(model, threshold);
    if (options.json)
      await print(
        `${JSON.stringify({ ...distances, same, threshold, falsePositiveRate, falseRejectRate })}\n`,
      );
    else {
      await print(
        `${same ? 'The same, or nearly' : 'Different'}: ` +
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

function ratesInWords(falsePositiveRate: number | null, falseRejectRate: number | null): string {
  if (falsePositiveRate === null) return 'not calibrated at this threshold';
  const accepts = `${falsePositiveRate} of unrelated pairs reach this threshold`;
  return falseRejectRate === null ? accepts : `${accepts}, ${falseRejectRate} of true pairs do not`;
}
