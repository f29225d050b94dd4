import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ModelDescription, readModelDescription } from '@lookalike/encoder';
import { LookalikeError } from '@lookalike/store';
import { z } from 'zod';

const share = z.number().min(0).max(1);

/** How a tracker moves its box; chosen on made-up sequences, never on those it is measured on. */
const parametersSchema = z.object({
  /** Factor between neighbouring exemplar sizes. */
  scaleStep: z.number().gt(1).max(1.5),
  /** Similarity that another size than the present one has to be better by. */
  scalePenalty: share,
  /** How much of a change of size is believed at once. */
  scaleDamping: share,
  /** Similarity taken off at the corners of the region, where a target seldom jumps to. */
  windowPenalty: share,
  /** Frames between looks at how the target has changed; 0: never look. */
  updateEvery: z.int().min(0),
  /** How much of a new look goes into the template that follows the target. */
  updateShare: share,
  /** How much of the template stays the first frame's. */
  firstShare: share,
  /** A look is taken only where the similarity is at least this. */
  updateSimilarity: share,
  /** Below this the target counts as lost: the box stays, and the region searched grows. */
  lostSimilarity: share,
});

const trackingSchema = z.object({
  search: z.object({
    file: z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,254}$/, 'must be the plain name of a file'),
    sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits'),
    bytes: z.int().positive(),
    /** Names of the graph's two inputs and its output. */
    pixels: z.string().min(1),
    templates: z.string().min(1),
    similarity: z.string().min(1),
  }),
  /** Pixels between two cells of the response. */
  stride: z.int().positive(),
  /** Cells a side of a template. */
  templateCells: z.int().positive(),
  /** Pixels a side of the region that is searched; the exemplar's side is the model's input. */
  regionSide: z.int().positive(),
  parameters: parametersSchema,
});

export type TrackingParameters = z.infer<typeof parametersSchema>;

/** The field `tracking` of a `model.json`: what a tracker needs beside the exemplar branch, which the rest describes. */
export type TrackingDescription = z.infer<typeof trackingSchema>;

/**
 * Reads `<directory>/model.json` with its field `tracking`.
 * @throws LookalikeError as `readModelDescription` does; `not-a-tracking-model`; `invalid-model`.
 */
export async function readTrackingModel(
  directory: string,
): Promise<{ model: ModelDescription; tracking: TrackingDescription }> {
  const model = await readModelDescription(directory);
  const file = join(directory, 'model.json');
  const { tracking } = JSON.parse(await readFile(file, 'utf8')) as { tracking?: unknown };
  if (tracking === undefined) {
    const message = `${model.name} cannot track: ${file} has no field "tracking", which names the search branch`;
    throw new LookalikeError('not-a-tracking-model', message);
  }
  const parsed = trackingSchema.safeParse(tracking);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      (issue) => `${['tracking', ...issue.path].join('.')}: ${issue.message}`,
    );
    throw new LookalikeError('invalid-model', `${file}: ${problems.join('; ')}`);
  }
  const { width, height, layout, colorOrder } = model.input;
  if (width !== height || layout !== 'nchw' || colorOrder !== 'rgb') {
    const found = `${width} x ${height}, ${layout}, ${colorOrder}`;
    throw new LookalikeError(
      'invalid-model',
      `${file}: input is ${found}; a tracker needs a square, nchw, rgb`,
    );
  }
  return { model, tracking: parsed.data };
}
