import { z } from '@hono/zod-openapi';
import type { Metadata } from '@lookalike/index';

const encoder = new TextEncoder();

/** Ids are bounded in bytes, as they become parts of stored rows and of cursors. */
export const itemId = z
  .string()
  .min(1)
  .max(512)
  .refine((id) => encoder.encode(id).length <= 512, 'an id has at most 512 bytes of UTF-8')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  .refine((id) => !/[\u0000-\u001f\u007f-\u009f]/.test(id), 'an id has no control characters')
  .refine((id) => id.isWellFormed(), 'an id is well-formed Unicode')
  .openapi({ description: '1-512 bytes of UTF-8, no control characters.', example: 'holiday/beach.jpg' });

export const collectionName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    'a name is 1-64 letters, digits, ".", "_" or "-", and begins with a letter or digit',
  )
  .openapi({ example: 'photos' });

/** Checked by hand: a batch holds millions of these numbers, and a schema a number costs more than the search. */
export const vector = z
  .custom<number[]>(
    (value) =>
      Array.isArray(value) &&
      value.length >= 1 &&
      value.length <= 4096 &&
      value.every((entry) => typeof entry === 'number' && Number.isFinite(entry)),
    'a vector is an array of 1-4096 finite numbers',
  )
  .openapi({
    type: 'array',
    items: { type: 'number' },
    minItems: 1,
    maxItems: 4096,
    description: 'As many finite numbers as the collection has dimensions.',
  });

export const base64Image = z
  .string()
  .min(1)
  .openapi({ format: 'byte', description: 'A picture file (JPEG, PNG, WebP, AVIF, GIF or TIFF) in base64.' });

export const metadata = z
  .custom<Metadata>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    'metadata is a JSON object',
  )
  .openapi({
    type: 'object',
    additionalProperties: true,
    description: 'A JSON object of at most 64 KiB as text. `picture` is set by the server for pictures.',
    example: { album: 'holiday', year: 2024 },
  });

/** An item or match carries these beside id and distance. */
export const include = z
  .array(z.enum(['metadata', 'vector']))
  .max(2)
  .openapi({ description: 'What to answer beside ids; default `["metadata"]`.' });

export const version = z
  .number()
  .int()
  .min(0)
  .max(Number.MAX_SAFE_INTEGER)
  .openapi({ description: 'Number of a commit of the collection.', example: 42 });

export const similarity = z
  .number()
  .min(0)
  .max(1)
  .openapi({ description: 'cosine: max(0, cos); l2 and l1: 1 / (1 + distance).', example: 0.93 });

/** An id of 512 quotes or backslashes is escaped to twice its length, and base64 makes a third more of that: 1,400 and a little. */
export const cursor = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,2048}$/, 'expected a cursor that an answer gave')
  .openapi({
    description:
      'Opaque; from the page before. Stays valid while the collection is written to and compacted.',
  });

export const itemError = z
  .object({
    code: z
      .string()
      .openapi({ description: 'Stable; the same codes as of problems.', example: 'picture-damaged' }),
    message: z.string(),
  })
  .openapi('ItemError');

/** What the server knows of an ingested picture; stored under `metadata.picture`, where it replaces what a client wrote. */
export const picture = z
  .object({
    sha256: z.string().openapi({ description: 'Of the file, hex.' }),
    width: z.number().int().openapi({ description: 'Pixels, as displayed.' }),
    height: z.number().int(),
    frames: z
      .number()
      .int()
      .optional()
      .openapi({ description: 'Of an animation, or pages of a TIFF file; 1 for a still.' }),
    format: z.string().openapi({ example: 'jpeg' }),
    bytes: z.number().int(),
    pixelHash: z.string().optional().openapi({
      description:
        'SHA-256 of the decoded pixels, hex: the same of one picture in another container or with other metadata. Of more than 8 bits a channel, of what is transparent and of all frames.',
    }),
    frameHashes: z
      .array(z.string())
      .optional()
      .openapi({
        description:
          'Of an animation, or a file of several pages: at eight places spread over it the perceptual hashes of two or three frames, 64 hex digits each. ' +
          'Missing where they cannot be read together.',
      }),
    perceptualHash: z.string().optional().openapi({
      description:
        '256 bits of the lowest frequencies as 64 hex digits: of copies it differs in at most 63 bits, of other pictures in about 128.',
      example: 'e1c6a5d293870f4b',
    }),
    sharpness: z
      .number()
      .optional()
      .openapi({ description: 'Share of the contrast in fine detail, 0 to about 1.' }),
    lowInformation: z.boolean().optional().openapi({ description: 'Blank or nearly so.' }),
    page: z.boolean().optional().openapi({
      description:
        'Marks on an even ground, as of text or a receipt: in duplicate groups it goes by its perceptual hash.',
    }),
  })
  .openapi('Picture');

/**
 * For a body that must have exactly one of some members: the check, and the same for the OpenAPI document, which says it in
 * `oneOf`.
 */
export function exactlyOneOf(...names: readonly [string, ...string[]]) {
  return {
    holds: (body: Readonly<Record<string, unknown>>) =>
      names.filter((name) => body[name] !== undefined).length === 1,
    document: { oneOf: names.map((name) => ({ required: [name] })) },
  };
}

/** Metadata as answers have it. `picture` is what the server writes of an ingested picture; beside a vector a client wrote it, if any. */
export type StoredMetadata = Metadata & { picture?: z.output<typeof picture> };

/** `metadata` of an answer: the same in the document, with a type that knows `picture`. */
export const storedMetadata = metadata as unknown as z.ZodCustom<StoredMetadata>;
