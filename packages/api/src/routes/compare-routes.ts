import { z } from '@hono/zod-openapi';
import type { ComparedPicture } from '@lookalike/duplicates';
import {
  type Encoder,
  errorRatesAt,
  frameHashes,
  type PictureLimits,
  pixelHashIfReadable,
} from '@lookalike/encoder';
import { checkVector, distance, similarity as similarityOf } from '@lookalike/index';
import { LookalikeError } from '@lookalike/store';
import type { ApiApp, Services } from '../app-context.ts';
import { defineRoute } from '../define-route.ts';
import { encodePictures, pictureFromBase64 } from '../picture-encoding.ts';
import { mediaTypeOf, readBytes, readJson, unsupportedMediaType } from '../request-body.ts';
import type { CompareAnswer, ItemError, Picture } from '../schemas.ts';
import { compareAnswer, compareBody } from '../schemas-query.ts';
import { validate } from '../validation.ts';

type Side = { vector: Float32Array } | { bytes: Uint8Array };
interface Comparison {
  a: Side;
  b: Side;
  model: string | undefined;
  threshold: number | undefined;
}

const formFields = z.strictObject({
  model: compareBody.shape.model,
  threshold: z
    .string()
    .regex(/^\d+(\.\d+)?$/, 'expected a number')
    .transform(Number)
    .pipe(compareBody.shape.threshold.unwrap())
    .optional(),
});

/** Documented only: what a form holds is read below. */
const compareForm = z
  .object({
    a: z.string().openapi({ format: 'binary', description: 'A picture file.' }),
    b: z.string().openapi({ format: 'binary', description: 'A picture file.' }),
    model: z.string().optional(),
    threshold: z.number().optional(),
  })
  .openapi('CompareForm');

export function registerCompareRoutes(app: ApiApp, services: Services): void {
  const { encoders, limits } = services;

  async function fromForm(request: Request): Promise<Comparison> {
    // Read under the limit first: a form parser would take whatever comes.
    const body = await readBytes(request, 2 * limits.pictureBytes + 65_536);
    let form: FormData;
    try {
      form = await new Response(body as Uint8Array<ArrayBuffer>, {
        headers: { 'content-type': request.headers.get('content-type') ?? '' },
      }).formData();
    } catch (cause) {
      throw new LookalikeError('invalid-request', 'the form cannot be read', { cause });
    }
    const { a, b, ...fields } = Object.fromEntries(form);
    if (!(a instanceof File) || !(b instanceof File)) {
      throw new LookalikeError('invalid-request', 'expected two files in the form, named a and b');
    }
    const { model, threshold } = validate(formFields, fields);
    return { a: { bytes: await a.bytes() }, b: { bytes: await b.bytes() }, model, threshold };
  }

  async function fromJson(request: Request): Promise<Comparison> {
    const body = validate(compareBody, await readJson(request, limits));
    const side = (part: (typeof body)['a']): Side =>
      part.vector === undefined
        ? { bytes: pictureFromBase64(part.image ?? '', limits.pictureBytes) }
        : { vector: new Float32Array(part.vector) };
    return { a: side(body.a), b: side(body.b), model: body.model, threshold: body.threshold };
  }

  /** The vectors of both sides, and what the pictures among them are. */
  async function embed(
    encoder: Encoder,
    { a, b }: Comparison,
    signal: AbortSignal,
  ): Promise<{ a: Float32Array; b: Float32Array; pictures: { a?: Picture; b?: Picture } }> {
    const sides = { a, b };
    const names = (['a', 'b'] as const).filter((name) => 'bytes' in sides[name]);
    const encoded = await encodePictures(
      encoder,
      names.map((name) => (sides[name] as { bytes: Uint8Array }).bytes),
      signal,
    );
    const vectors: { a?: Float32Array; b?: Float32Array } = {};
    const pictures: { a?: Picture; b?: Picture } = {};
    names.forEach((name, index) => {
      const result = encoded[index];
      if (result === undefined) throw new Error('the encoder gave too few results');
      if (!result.ok) throw new LookalikeError(result.error.code, `${name}: ${result.error.message}`);
      vectors[name] = result.embedding;
      pictures[name] = result.picture;
    });
    const vectorOf = (name: 'a' | 'b') => vectors[name] ?? (sides[name] as { vector: Float32Array }).vector;
    return { a: vectorOf('a'), b: vectorOf('b'), pictures };
  }

  /** What a side is beside its vector, where it is a picture. Where its pixels are asked for and cannot be read, `onUnread` is told why. */
  function comparedPicture(
    name: 'a' | 'b',
    comparison: Comparison,
    embedded: Awaited<ReturnType<typeof embed>>,
    options: { limits: PictureLimits; signal: AbortSignal },
    onUnread: (error: ItemError) => void,
  ): ComparedPicture | undefined {
    const side = comparison[name];
    const picture = embedded.pictures[name];
    if (!picture || !('bytes' in side)) return undefined;
    return {
      ...picture,
      embedding: embedded[name],
      contentHash: picture.sha256,
      pixelHash: () =>
        pixelHashIfReadable(side.bytes, options, ({ code, message }) => onUnread({ code, message })),
      frameHashes: () => frameHashes(side.bytes, options),
    };
  }

  defineRoute(
    app,
    {
      method: 'post',
      path: '/v1/compare',
      scope: 'read',
      operationId: 'compare',
      tag: 'Query',
      summary: 'Compare two pictures, or vectors of a model',
      description:
        'As JSON with the pictures in base64, or as a form with the files `a` and `b`. Two pictures, without a threshold, are the same where a ' +
        'search for duplicates would group them, if the `purpose` of the model is near-duplicates: see `by`.',
      body: { 'application/json': compareBody, 'multipart/form-data': compareForm },
      answers: {
        200: {
          description: 'Three distances and the verdict at the threshold.',
          content: { 'application/json': compareAnswer },
        },
      },
    },
    async (c) => {
      const request = c.req.raw;
      const type = mediaTypeOf(request);
      if (type !== 'application/json' && type !== 'multipart/form-data') {
        throw unsupportedMediaType(type, 'application/json or multipart/form-data');
      }
      const comparison = await (type === 'application/json' ? fromJson(request) : fromForm(request));
      const encoder = await encoders.get(comparison.model ?? encoders.default);
      const { model } = encoder;
      const embedded = await embed(encoder, comparison, request.signal);
      const { a, b, pictures } = embedded;
      // Under cosine, as its distance is always answered: a zero vector has none.
      for (const side of [a, b]) checkVector(side, { dimension: model.output.dimension, metric: 'cosine' });
      const similarity = similarityOf(model.metric, distance(model.metric, a, b));
      const unreadPixels: CompareAnswer['unreadPixels'] = {};
      const compared = (name: 'a' | 'b') =>
        comparedPicture(
          name,
          comparison,
          embedded,
          { limits: encoder.limits, signal: request.signal },
          (error) => {
            unreadPixels[name] = error;
          },
        );
      const { comparePictures } = await import('@lookalike/duplicates');
      const verdict = await comparePictures(compared('a'), compared('b'), {
        similarity,
        threshold: comparison.threshold,
        model,
      });
      const answer: CompareAnswer = {
        euclidean: distance('l2', a, b),
        cosine: distance('cosine', a, b),
        absolute: distance('l1', a, b),
        similarity,
        ...verdict,
        ...errorRatesAt(model, verdict.threshold),
        model: model.name,
        ...(Object.keys(pictures).length === 0 ? {} : { pictures }),
        ...(Object.keys(unreadPixels).length === 0 ? {} : { unreadPixels }),
      };
      return c.json(answer);
    },
  );
}
