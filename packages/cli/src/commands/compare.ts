import { openEncoder, resolveModel } from '@lookalike/encoder';
import { LookalikeError } from '@lookalike/store';
import { Command } from 'commander';
import { EXIT } from '../cli-error.ts';
import { compareEmbeddings } from '../compare-embeddings.ts';
import { interruptible } from '../interruption.ts';
import { jsonOption, modelOption, similarityValue } from '../option-values.ts';
import { print } from '../output.ts';
import { readPicture } from '../picture-scan.ts';

interface CompareOptions {
  model?: string;
  threshold?: number;
  json?: true;
}

export function compareCommand(): Command {
  return new Command('compare')
    .summary('tell how alike two pictures are')
    .description(
      'Tell how alike two picture files are, and whether they count as the same. Works without a server.',
    )
    .argument('<a>', 'a picture file')
    .argument('<b>', 'another one')
    .option(
      '-t, --threshold <number>',
      'the similarity from which they count as the same (default: as calibrated for the model)',
      similarityValue,
    )
    .addOption(modelOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExit status: 0 the same, 1 they differ, 2 it could not be done.')
    .action(async (a: string, b: string, options: CompareOptions) => {
      process.exitCode = await interruptible((signal) => compare(a, b, options, signal));
    });
}

async function compare(
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
    const distances = compareEmbeddings(embeddingA, embeddingB, model.metric);
    const same = distances.similarity >= threshold;
    const falsePositiveRate =
      model.thresholds.find(({ similarity }) => similarity === threshold)?.falsePositiveRate ?? null;
    if (options.json)
      await print(`${JSON.stringify({ ...distances, same, threshold, falsePositiveRate })}\n`);
    else {
      const rate =
        falsePositiveRate === null
          ? 'not calibrated at this threshold'
          : `${falsePositiveRate} of unrelated pairs reach this threshold`;
      await print(
        `${same ? 'The same picture, or nearly' : 'Different pictures'}: ` +
          `similarity ${distances.similarity.toFixed(4)}, threshold ${threshold} (${rate}).\n` +
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
