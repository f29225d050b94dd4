import type { ModelList, QueryAnswer } from '@lookalike/client';

export interface Candidate {
  label: string;
  /** Mean over the nearest examples of this label that count. */
  similarity: number;
  /** How many those were: fewer than asked where the label has fewer. */
  examples: number;
  /** The nearest of them. */
  nearest: string;
}

export interface LabelOptions {
  /** Field of the metadata that holds the class. */
  field: string;
  /** How many of the nearest examples of a class its similarity is the mean of. */
  references: number;
}

/**
 * The class of an enrolled example: what its metadata say, else the folder it was enrolled from (`anna/1.jpg` is anna's),
 * else its own name without the extension (one picture a class, side by side in a folder).
 */
export function labelOf(id: string, metadata: Record<string, unknown> | undefined, field: string): string {
  const stated = metadata?.[field];
  if (typeof stated === 'string' || typeof stated === 'number') return String(stated);
  const slash = id.lastIndexOf('/');
  return slash > 0 ? id.slice(0, slash) : id.replace(/(?<=.)\.[A-Za-z0-9]{1,5}$/, '');
}

type ReferenceThreshold = NonNullable<ModelList['models'][number]['referenceThresholds']>[number];

export interface ClassThreshold {
  /** The mean similarity to all examples of the class from which a picture counts as of it. */
  similarity: number;
  /** Mean similarity of the examples among each other: how much the class varies. */
  among: number;
  /** What it was calibrated at; none for a margin of one's own. */
  point?: ReferenceThreshold;
}

/**
 * The threshold of one class, from how alike its examples are among each other (`vectors`, L2-normalised): that less what
 * the model was calibrated to allow for so many references, or by `margin`. None where there are too few examples.
 */
export function classThreshold(
  vectors: readonly (readonly number[])[],
  points: readonly ReferenceThreshold[],
  margin?: number,
): ClassThreshold | undefined {
  const enough = points.filter(({ references }) => references <= vectors.length);
  const most = Math.max(...enough.map(({ references }) => references));
  const fitting = enough.filter(({ references }) => references === most);
  const point = margin === undefined ? fitting[0] : fitting.find((one) => one.margin === margin);
  const allowed = margin ?? point?.margin;
  if (allowed === undefined || vectors.length < 2) return undefined;
  const among = meanCosine(vectors);
  return { similarity: among + allowed, among, ...(point && { point }) };
}

/**
 * The mean over all pairs of `vectors` (L2-normalised, two or more). The squared length of their sum is the sum of all
 * products, those of a vector with itself too, which are 1: so thousands of examples of one class take no longer to read.
 */
function meanCosine(vectors: readonly (readonly number[])[]): number {
  const count = vectors.length;
  const sum = new Float64Array(vectors[0]?.length ?? 0);
  for (const vector of vectors)
    for (const [i, value] of vector.entries()) sum[i] = (sum[i] as number) + value;
  const squared = sum.reduce((total, value) => total + value * value, 0);
  return (squared - count) / (count * (count - 1));
}

/** The classes among the matches of a query (nearest first), best first; equal ones in the order of their labels. */
export function candidates(matches: QueryAnswer['matches'], options: LabelOptions): Candidate[] {
  const byLabel = new Map<string, { similarities: number[]; nearest: string }>();
  for (const { id, similarity, metadata } of matches) {
    const label = labelOf(id, metadata, options.field);
    const found = byLabel.get(label) ?? { similarities: [], nearest: id };
    if (found.similarities.length < options.references) found.similarities.push(similarity);
    byLabel.set(label, found);
  }
  return [...byLabel]
    .map(([label, { similarities, nearest }]) => ({
      label,
      similarity: similarities.reduce((sum, one) => sum + one, 0) / similarities.length,
      examples: similarities.length,
      nearest,
    }))
    .sort((a, b) => b.similarity - a.similarity || (a.label < b.label ? -1 : 1));
}
