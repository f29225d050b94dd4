import type { QueryAnswer } from '@lookalike/client';
import { Command } from 'commander';
import { EXIT } from '../cli-error.ts';
import { addConnectionOptions, type ConnectionOptions, withClient } from '../connection.ts';
import { printable } from '../duplicate-table.ts';
import { interruptible } from '../interruption.ts';
import { collectionOption, jsonOption, similarityValue, wholeNumber } from '../option-values.ts';
import { print } from '../output.ts';
import { namingPicture } from '../picture-refusal.ts';
import { readPicture } from '../picture-scan.ts';

interface QueryOptions extends ConnectionOptions {
  collection: string;
  topK: number;
  minSimilarity?: number;
  exact?: true;
  json?: true;
}

export function queryCommand(): Command {
  const command = new Command('query')
    .summary('find the nearest pictures of a collection')
    .description('Find the pictures of a collection that are nearest to a picture file, nearest first.')
    .argument('<picture>', 'a picture file')
    .addOption(collectionOption())
    .option('-k, --top-k <number>', 'how many at most', wholeNumber(1, 10_000), 10)
    .option('-s, --min-similarity <number>', 'only those at least this similar', similarityValue)
    .option('--exact', 'the true answer, by scanning')
    .addOption(jsonOption())
    .addHelpText('after', '\nExit status: 0 there are matches, 1 there are none, 2 it could not be done.');
  return addConnectionOptions(command).action(async (picture: string, options: QueryOptions) => {
    process.exitCode = await interruptible((signal) => query(picture, options, signal));
  });
}

async function query(path: string, options: QueryOptions, signal: AbortSignal): Promise<number> {
  const picture = await readPicture(path);
  const { matches } = await withClient(options, (client) =>
    client.query(
      options.collection,
      {
        picture,
        topK: options.topK,
        ...(options.minSimilarity !== undefined && { minSimilarity: options.minSimilarity }),
        ...(options.exact && { exact: true }),
      },
      { signal },
    ),
  ).catch(namingPicture(path));
  if (options.json)
    await print(
      `${JSON.stringify({
        matches: matches.map(({ id, distance, similarity, metadata }) => ({
          id,
          distance,
          similarity,
          metadata: metadata ?? {},
        })),
      })}\n`,
    );
  else await print(matchTable(matches));
  return matches.length > 0 ? EXIT.ok : EXIT.nothing;
}

function matchTable(matches: QueryAnswer['matches']): string {
  if (matches.length === 0) return 'Nothing found.\n';
  const lines = matches.map(
    ({ id, similarity, distance }) =>
      `${similarity.toFixed(4).padStart(10)}  ${distance.toFixed(4).padStart(8)}  ${printable(id)}\n`,
  );
  return `similarity  distance  id\n${lines.join('')}`;
}
