import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LookalikeError } from '@lookalike/store';
import { z } from 'zod';
import type { ModelDescription } from './model.ts';

/** No separator, no leading dot: the file lies beside `model.json` and nowhere else. */
const fileName = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,254}$/, 'must be the plain name of a file beside model.json');
const side = z.int().min(8).max(4096);
const positive = z.number().positive();
const probability = z.number().min(0).max(1);

const modelSchema = z
  .object({
    formatVersion: z.literal(1),
    name: z
      .string()
      .regex(
        /^[a-z0-9][a-z0-9._-]{0,99}$/,
        'must be lower-case letters, digits, ".", "_" and "-", at most 100',
      ),
    description: z.string(),
    purpose: z.enum(['near-duplicates']).optional(),
    file: fileName,
    sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits'),
    bytes: z.int().positive(),
    input: z.object({
      name: z.string().min(1),
      width: side,
      height: side,
      colorOrder: z.enum(['rgb', 'bgr', 'gray']),
      layout: z.enum(['nchw', 'nhwc']),
      mean: z.array(z.number()),
      std: z.array(positive),
      resize: z.object({
        fit: z.enum(['squash', 'cover', 'contain']),
        kernel: z.enum(['nearest', 'linear', 'cubic', 'mitchell', 'lanczos2', 'lanczos3']),
      }),
    }),
    output: z.object({ name: z.string().min(1), dimension: z.int().min(1).max(4096) }),
    metric: z.enum(['cosine', 'l2', 'l1']),
    thresholds: z
      .array(
        z.object({
          similarity: probability,
          falsePositiveRate: probability,
          recall: probability.optional(),
          calibratedOn: z.string(),
        }),
      )
      .min(1),
    defaultThreshold: probability,
    referenceThresholds: z
      .array(
        z.object({
          references: z.int().min(2),
          margin: z.number().min(-1).max(1),
          falsePositiveRate: probability,
          recall: probability.optional(),
          calibratedOn: z.string(),
        }),
      )
      .optional(),
    trainingData: z.array(z.object({ name: z.string(), license: z.string(), use: z.string() })),
    license: z.string(),
    recipe: z.object({ command: z.string(), seed: z.int(), version: z.string() }),
  })
  .superRefine((model, context) => {
    const channels = model.input.colorOrder === 'gray' ? 1 : 3;
    for (const field of ['mean', 'std'] as const) {
      const found = model.input[field].length;
      if (found !== channels) {
        const message = `must hold ${channels} numbers for colorOrder "${model.input.colorOrder}", found ${found}`;
        context.addIssue({ code: 'custom', path: ['input', field], message });
      }
    }
    for (const field of ['purpose', 'referenceThresholds'] as const) {
      if (model[field] === undefined || model.metric === 'cosine') continue;
      const message = `needs the metric cosine, found ${model.metric}`;
      context.addIssue({ code: 'custom', path: [field], message });
    }
    if (!model.thresholds.some((threshold) => threshold.similarity === model.defaultThreshold)) {
      const message = `must be the similarity of one of the thresholds (${model.thresholds.map((t) => t.similarity).join(', ')})`;
      context.addIssue({ code: 'custom', path: ['defaultThreshold'], message });
    }
  });

function invalidModel(file: string, problem: string, cause?: unknown): LookalikeError {
  return new LookalikeError('invalid-model', `${file}: ${problem}`, { cause });
}

/**
 * Reads and validates `<directory>/model.json`. Fields it does not know are left out of the answer.
 * @throws `LookalikeError('unknown-model')` where the folder has no model.json; `'invalid-model'` naming every field that
 * is wrong and what was expected there.
 */
export async function readModelDescription(directory: string): Promise<ModelDescription> {
  const file = join(directory, 'model.json');
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new LookalikeError('unknown-model', `no model in ${directory}: it has no readable model.json`, {
      cause,
    });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw invalidModel(file, `not JSON: ${(cause as Error).message}`, cause);
  }
  const parsed = modelSchema.safeParse(json);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      (issue) => `${issue.path.join('.') || 'model'}: ${issue.message}`,
    );
    throw invalidModel(file, problems.join('; '));
  }
  return parsed.data as ModelDescription;
}

/**
 * The bytes of the ONNX file, checked against the size and SHA-256 that `model.json` states, in memory that worker
 * threads can share.
 * @throws `LookalikeError('model-file-damaged')`
 */
export async function readModelFile(
  directory: string,
  model: ModelDescription,
): Promise<Uint8Array<SharedArrayBuffer>> {
  const file = join(directory, model.file);
  const damaged = (problem: string, cause?: unknown) =>
    new LookalikeError('model-file-damaged', `${file}: ${problem}`, { cause });
  const found = await stat(file).catch((cause) => {
    throw damaged('not readable', cause);
  });
  if (found.size !== model.bytes) {
    throw damaged(`has ${found.size} bytes where model.json says ${model.bytes}`);
  }
  const content = await readFile(file);
  const sha256 = createHash('sha256').update(content).digest('hex');
  if (sha256 !== model.sha256) {
    throw damaged(`has SHA-256 ${sha256} where model.json says ${model.sha256}`);
  }
  const shared = new Uint8Array(new SharedArrayBuffer(content.byteLength));
  shared.set(content);
  return shared;
}
