import type { LookalikeClient, ModelList, QueryAnswer } from '@lookalike/client';
import { LookalikeError } from '@lookalike/store';
import { Command } from 'commander';
import { EXIT } from '../cli-error.ts';
import { addConnectionOptions, type ConnectionOptions, withClient } from '../connection.ts';
import { printable } from '../duplicate-table.ts';
import {
  type Candidate,
  type ClassThreshold,
  candidates,
  classThreshold,
  labelOf,
} from '../identification.ts';
import { interruptible } from '../interruption.ts';
import { collectionOption, jsonOption, marginValue, similarityValue, wholeNumber } from '../option-values.ts';
import { print } from '../output.ts';
import { namingPicture } from '../picture-refusal.ts';
import { readPicture } from '../picture-scan.ts';

interface IdentifyOptions extends ConnectionOptions {
  collection: string;
  as?: string;
  references?: number;
  margin?: number;
  field: string;
  threshold?: number;
  json?: true;
}

type Model = ModelList['models'][number];

/** As many as one request names: the class of the nearest example is among them, however many are enrolled. */
const EXAMPLES = 10_000;
/** Candidates that are told. */
const SHOWN = 5;

export function identifyCommand(): Command {
  const command = new Command('identify')
    .summary('tell whose face, signature or character a picture shows')
    .description(
      'Tell the class of a picture from enrolled examples: the class of those nearest to it in a collection, or "unknown" where none ' +
        'reaches the threshold. The class of an example is its metadata field "label", else the folder it was ingested from, else its name.',
    )
    .argument('<picture>', 'a picture file')
    .addOption(collectionOption())
    .option(
      '--as <class>',
      'instead: is it of this class? Only its examples count; where the model is calibrated for several, and neither ' +
        '--references nor --threshold is given, by their mean and by how alike they are among each other',
    )
    .option(
      '--margin <number>',
      'with --as: how far below the similarity of the examples among each other the mean may lie, as a negative number ' +
        '(default: as calibrated for the model)',
      marginValue,
    )
    .option(
      '-n, --references <number>',
      'score a class by the mean over this many of its nearest examples (default: 1)',
      wholeNumber(1, EXAMPLES),
    )
    .option('--field <name>', 'the metadata field that holds the class', 'label')
    .option(
      '-t, --threshold <number>',
      'the similarity from which it counts as known (default: as calibrated for the model)',
      similarityValue,
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Exit status: 0 identified, 1 unknown (or not of the class given), 2 it could not be done.

Examples:
  $ lookalike ingest people --collection people --model faces      a folder a person, enrolled
  $ lookalike identify visitor.png --collection people
  $ lookalike identify cheque.png --collection signatures --as anna`,
    );
  return addConnectionOptions(command).action(async (picture: string, options: IdentifyOptions) => {
    process.exitCode = await interruptible((signal) => identify(picture, options, signal));
  });
}

async function identify(path: string, options: IdentifyOptions, signal: AbortSignal): Promise<number> {
  const picture = await readPicture(path);
  const { collection } = options;
  const { matches, model, own } = await withClient(options, async (client) => {
    const found = await modelOf(client, collection, signal);
    const near = await matchesOf(client, picture, options, signal).catch(namingPicture(path));
    const ofClass = await ownThreshold(client, near, found, options, signal);
    return { matches: near, model: found, own: ofClass };
  });
  const threshold = own?.similarity ?? options.threshold ?? model?.defaultThreshold;
  if (threshold === undefined) {
    const message = `no calibrated threshold is known for the encoder of ${collection}: give one with --threshold`;
    throw new LookalikeError('uncalibrated-model', message);
  }
  const references = own ? Number.POSITIVE_INFINITY : (options.references ?? 1);
  const all = candidates(matches, { field: options.field, references });
  if (all.length === 0)
    throw new LookalikeError('nothing-enrolled', `${collection} is empty: nothing is enrolled`);
  const asked = options.as === undefined ? all : all.filter(({ label }) => label === options.as);
  const [best] = asked;
  if (best === undefined) {
    const message = `nothing in ${collection} is enrolled as ${options.as}; there: ${labels(all)}`;
    throw new LookalikeError('unknown-class', message);
  }
  if (options.margin !== undefined && own === undefined)
    throw new LookalikeError(
      'too-few-examples',
      `--margin needs --as with at least two examples of that class, and neither --references nor --threshold`,
    );
  const known = best.similarity >= threshold;
  const calibrated = own ? own.point : model?.thresholds.find(({ similarity }) => similarity === threshold);
  if (options.json)
    await print(
      `${JSON.stringify({
        label: known ? best.label : null,
        similarity: best.similarity,
        threshold,
        falsePositiveRate: calibrated?.falsePositiveRate ?? null,
        falseRejectRate: calibrated?.recall === undefined ? null : Number((1 - calibrated.recall).toFixed(6)),
        ...(own && { among: own.among }),
        candidates: asked.slice(0, SHOWN),
      })}\n`,
    );
  else await print(answerInWords(asked, known, threshold, options.as, own));
  return known ? EXIT.ok : EXIT.nothing;
}

/** The nearest examples; of a claim all of them, for those of the claimed class may be the farthest. */
async function matchesOf(
  client: LookalikeClient,
  picture: Uint8Array,
  { as: claimed, collection }: IdentifyOptions,
  signal: AbortSignal,
): Promise<QueryAnswer['matches']> {
  if (claimed === undefined)
    return (await client.query(collection, { picture, topK: EXAMPLES }, { signal })).matches;
  const all: QueryAnswer['matches'] = [];
  for await (const match of client.queryRange(collection, { picture, minSimilarity: 0 }, { signal }))
    all.push(match);
  return all;
}

/** That of the class that is claimed; none where the model or the options say that examples are not judged together. */
async function ownThreshold(
  client: LookalikeClient,
  matches: QueryAnswer['matches'],
  model: Model | undefined,
  options: IdentifyOptions,
  signal: AbortSignal,
): Promise<ClassThreshold | undefined> {
  const { as: claimed, margin, references, threshold, field, collection } = options;
  const points = model?.referenceThresholds ?? [];
  if (claimed === undefined || references !== undefined || threshold !== undefined) return undefined;
  if (model?.metric !== 'cosine' || (points.length === 0 && margin === undefined)) return undefined;
  const ids = matches.flatMap(({ id, metadata }) => (labelOf(id, metadata, field) === claimed ? [id] : []));
  if (ids.length === 0) return undefined;
  const vectors: number[][] = [];
  for (let from = 0; from < ids.length; from += EXAMPLES) {
    const part = ids.slice(from, from + EXAMPLES);
    const items = await client.getItems(collection, part, { include: ['vector'], signal });
    vectors.push(...items.flatMap((item) => (item?.vector ? [item.vector] : [])));
  }
  return classThreshold(vectors, points, margin);
}

/** Of the encoder that the collection is bound to; none where the server has it no more. */
async function modelOf(
  client: LookalikeClient,
  collection: string,
  signal: AbortSignal,
): Promise<Model | undefined> {
  const { encoder } = await client.getCollection(collection, { signal });
  const { models } = await client.models({ signal });
  return models.find(({ hash }) => hash === encoder?.hash);
}

function labels(all: readonly Candidate[]): string {
  const shown = all
    .map(({ label }) => printable(label))
    .sort()
    .slice(0, 20);
  return shown.join(', ') + (all.length > shown.length ? `, and ${all.length - shown.length} more` : '');
}

function answerInWords(
  asked: readonly Candidate[],
  known: boolean,
  threshold: number,
  claimed: string | undefined,
  own: ClassThreshold | undefined,
): string {
  const [best] = asked as [Candidate];
  const verdict =
    claimed === undefined
      ? known
        ? printable(best.label)
        : 'unknown'
      : `${known ? '' : 'not '}${printable(claimed)}`;
  const lines = asked
    .slice(0, SHOWN)
    .map(
      ({ label, similarity, examples, nearest }) =>
        `  ${similarity.toFixed(4)}  ${printable(label)}  ` +
        `(${examples === 1 ? printable(nearest) : `mean of ${examples}, nearest ${printable(nearest)}`})\n`,
    );
  const asAlike = own ? ` (its examples among each other: ${own.among.toFixed(4)})` : '';
  const least = own ? threshold.toFixed(4) : threshold;
  return `${verdict}: similarity ${best.similarity.toFixed(4)}, threshold ${least}${asAlike}\n${lines.join('')}`;
}
