import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

export interface Corpus {
  /** The photographs that are looked for; their copies are the queries. */
  queries: string[];
  /** Their copies are queried and match no reference. */
  unmatched: string[];
  /** The other pictures of collages; no references. */
  fillers: string[];
  /** References besides the photographs. */
  distractors: string[];
  /** Pictures that models were fitted on: the background of score normalisation. */
  background: string[];
  /** In words, for the report. */
  description: string;
}

const UNMATCHED = 30;
const FILLERS = 15;
const BACKGROUND = 300;
/** Of a sequence every third frame: neighbours hardly differ. */
const FRAME_STEP = 3;

/** `models/training` fits on four fifths of a sorted list and keeps every fifth picture for validation. */
const VALIDATION_EVERY = 5;
const TRAINING_PHOTOS = 200;

/** Sorted part by part of the path, as the training side sorts: the split is by place in that order. */
export function listPictures(folder: string): string[] {
  const names = readdirSync(folder).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return names.flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return listPictures(path);
    return /\.(jpe?g|png)$/i.test(name) ? [path] : [];
  });
}

export function evenly<T>(values: readonly T[], count: number): T[] {
  if (values.length <= count) return [...values];
  return Array.from({ length: count }, (_, i) => values[Math.floor((i * values.length) / count)] as T);
}

/** The lists that the training side reads: photographs, Caltech-101, clothing. */
export function trainingLists(data: string): [photos: string[], caltech: string[], clothing: string[]] {
  const photos = listPictures(join(data, 'photos')).slice(0, TRAINING_PHOTOS);
  return [photos, listPictures(join(data, 'caltech101')), listPictures(join(data, 'clothing'))];
}

/** Of such a list the fifth that is for choosing and for thresholds, and never fitted on. */
export function heldOutOf(list: readonly string[]): string[] {
  return list.filter((_, i) => i % VALIDATION_EVERY === 0);
}

/**
 * The evaluation photographs among pictures that no compared method was fitted on: the validation fifth of the training
 * side's lists (read by it for choosing and for thresholds, never for fitting) and the test-only frames of `tracking`.
 * @param part `development`: that many training photographs are looked for instead, for work on the bench itself;
 * `photos`: that many of the evaluation photographs
 */
export function readCorpus(
  data: string,
  part: { development?: number | undefined; photos?: number | undefined } = {},
): Corpus | undefined {
  if (!existsSync(join(data, 'photos'))) return undefined;
  const parts = trainingLists(data);
  const fittedOf = (list: readonly string[]) => list.filter((_, i) => i % VALIDATION_EVERY !== 0);
  const heldOut = parts.flatMap(heldOutOf);
  const fitted = parts.flatMap(fittedOf);
  const evaluation = listPictures(join(data, 'photos')).slice(TRAINING_PHOTOS);
  const trained = fittedOf(parts[0]);
  const queries = part.development
    ? evenly(trained, part.development)
    : evenly(evaluation, part.photos ?? evaluation.length);
  const which = part.development
    ? 'training photographs (DEVELOPMENT RUN, no result)'
    : part.photos
      ? `of the ${evaluation.length} evaluation photographs, evenly chosen,`
      : 'evaluation photographs';
  const set = evenly(heldOut, UNMATCHED + FILLERS);
  const unmatched = set.filter((_, i) => i % 3 !== 0);
  const fillers = set.filter((_, i) => i % 3 === 0);
  const aside = new Set(set);
  const pictures = heldOut.filter((file) => !aside.has(file));
  const frames = listPictures(join(data, 'tracking')).filter((_, i) => i % FRAME_STEP === 0);
  return {
    queries,
    unmatched,
    fillers,
    distractors: [...pictures, ...frames],
    background: evenly(fitted, BACKGROUND),
    description: [
      `${queries.length} ${which} x transformations as queries, and copies of ${unmatched.length} pictures that match nothing.`,
      `References: the ${queries.length} photographs, ${pictures.length} pictures held out of fitting (every fifth of the training photographs, Caltech-101 and clothing: used for choosing and for thresholds, not for weights) and ${frames.length} frames of three test-only video sequences.`,
      'More that no method was fitted on, the data does not have.',
    ].join(' '),
  };
}
