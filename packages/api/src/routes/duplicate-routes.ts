import { z } from '@hono/zod-openapi';
import type { CollectionInfo, Metadata } from '@lookalike/index';
import { LookalikeError } from '@lookalike/store';
import type { ApiApp, Services } from '../app-context.ts';
import { defineRoute, numberParameter } from '../define-route.ts';
import { DuplicateJobs } from '../duplicate-jobs.ts';
import { writeVerdicts } from '../duplicate-verdicts.ts';
import { csvOf } from '../duplicates-csv.ts';
import { encoderOf } from '../encoders.ts';
import { contentHashOf } from '../kept-picture.ts';
import { readJson } from '../request-body.ts';
import type { DuplicateGroup, DuplicatesJob, FindDuplicates } from '../schemas.ts';
import { duplicatesBody, duplicatesJob, verdictAnswer, verdictBody } from '../schemas-duplicates.ts';
import { collectionName, cursor } from '../schemas-values.ts';
import { assertFilter, validate } from '../validation.ts';

const idsAtOnce = 1000;

const jobId = z.uuid().openapi({ description: 'From the answer that started the search.' });

export function registerDuplicateRoutes(app: ApiApp, services: Services): void {
  const { engine, encoders, limits, objects, inlineJobs } = services;
  const jobs = new DuplicateJobs(objects, (error) => services.log({ requestId: 'duplicates', error }));

  async function thresholdOf(info: CollectionInfo, body: FindDuplicates): Promise<number> {
    if (body.minSimilarity !== undefined) return body.minSimilarity;
    if (info.encoder === undefined) {
      throw new LookalikeError('no-threshold', `${info.name} is bound to no model: give minSimilarity`);
    }
    const { model } = await encoderOf(info, encoders);
    const rate = body.maxFalsePositiveRate;
    if (rate === undefined) return model.defaultThreshold;
    const fitting = model.thresholds.filter(({ falsePositiveRate }) => falsePositiveRate <= rate);
    if (fitting.length === 0) {
      const rates = model.thresholds.map(({ falsePositiveRate }) => falsePositiveRate).sort((a, b) => a - b);
      throw new LookalikeError(
        'no-threshold',
        `${model.name} is calibrated for false positive rates of ${rates.join(', ')}, none of them ${rate} or less`,
      );
    }
    return Math.min(...fitting.map(({ similarity }) => similarity));
  }

  /** Missing where perceptual hashes do not count. */
  async function hashThresholdOf(info: CollectionInfo, body: FindDuplicates): Promise<number | undefined> {
    const counts = body.perceptualHash ?? body.minSimilarity === undefined;
    if (!counts) return undefined;
    if (info.encoder === undefined) return 0;
    const { leastHashSimilarity } = await import('@lookalike/duplicates');
    return leastHashSimilarity((await encoders.describe(info.encoder.name)).model.thresholds);
  }

  /** Looked up when they are asked for: a job may be older than what is said of its items now. */
  async function withMetadata(name: string, groups: readonly DuplicateGroup[]): Promise<DuplicateGroup[]> {
    const collection = await engine.collection(name);
    const ids = [...new Set(groups.flatMap(({ items }) => items.map(({ id }) => id)))];
    const known = new Map<string, Metadata>();
    for (let from = 0; from < ids.length; from += idsAtOnce) {
      const found = await collection.get(ids.slice(from, from + idsAtOnce), { include: ['metadata'] });
      for (const item of found) if (item !== undefined) known.set(item.id, item.metadata);
    }
    return groups.map((group) => ({
      ...group,
      items: group.items.map((item) => {
        const metadata = known.get(item.id);
        return metadata === undefined ? item : { ...item, metadata };
      }),
    }));
  }

  defineRoute(
    app,
    {
      method: 'post',
      path: '/v1/collections/{collection}/duplicates',
      scope: 'read',
      operationId: 'startDuplicates',
      tag: 'Duplicates',
      summary: 'Start a search for groups of near-duplicates',
      description:
        'Every two items of a group are that similar to each other: unlike pictures are never chained together. Nothing is ' +
        'deleted; the groups say which item to keep and why.',
      params: z.object({ collection: collectionName }),
      body: { 'application/json': duplicatesBody },
      bodyRequired: false,
      answers: {
        202: {
          description: 'Started.',
          headers: z.object({
            Location: z
              .string()
              .openapi({ description: 'Path of the search: where to ask for its state and groups.' }),
          }),
          content: { 'application/json': duplicatesJob },
        },
      },
    },
    async (c, { params }) => {
      const raw = (await readJson(c.req.raw, limits)) ?? {};
      assertFilter(raw);
      const body = validate(duplicatesBody, raw);
      const collection = await engine.collection(params.collection);
      const { job, done } = await jobs.start(collection, {
        minSimilarity: await thresholdOf(collection.info, body),
        minHashSimilarity: await hashThresholdOf(collection.info, body),
        filter: body.filter,
      });
      const answer: DuplicatesJob = inlineJobs ? await done : job;
      return c.json(answer, 202, { location: `${c.req.path}/${job.job}` });
    },
  );

  defineRoute(
    app,
    {
      method: 'get',
      path: '/v1/collections/{collection}/duplicates/{job}',
      scope: 'read',
      operationId: 'getDuplicates',
      tag: 'Duplicates',
      summary: 'State of a search for duplicates, and a page of its groups once it is done',
      description: 'With `Accept: text/csv` the page as CSV, an item a row.',
      params: z.object({ collection: collectionName, job: jobId }),
      query: z.strictObject({
        limit: numberParameter(z.number().int().min(1).max(10_000)).optional(),
        cursor: cursor.optional(),
        include: z
          .literal('metadata')
          .optional()
          .openapi({ description: 'Answer with the metadata of the items.' }),
      }),
      answers: {
        200: {
          description: 'The state.',
          headers: z.object({
            Link: z.string().optional().openapi({
              description:
                'Of CSV, where there is more: `<…>; rel="next"`, the next page with the same settings, relative to this address.',
            }),
          }),
          content: { 'application/json': duplicatesJob, 'text/csv': z.string() },
        },
      },
    },
    async (c, { params, query }) => {
      // A dropped collection has no jobs, though their files may still be there.
      await engine.collection(params.collection);
      const job = await jobs.read(params.collection, params.job, {
        limit: query.limit ?? 100,
        cursor: query.cursor,
      });
      if ((c.req.header('accept') ?? '').includes('text/csv') && job.status === 'done') {
        return c.body(csvOf(job.groups ?? []), 200, {
          'content-type': 'text/csv; charset=utf-8',
          ...(job.cursor === undefined ? {} : { link: `<${pageAt(c.req.url, job.cursor)}>; rel="next"` }),
        });
      }
      if (query.include === 'metadata' && job.groups !== undefined)
        return c.json({ ...job, groups: await withMetadata(params.collection, job.groups) });
      return c.json(job);
    },
  );

  defineRoute(
    app,
    {
      method: 'post',
      path: '/v1/collections/{collection}/different',
      scope: 'write',
      operationId: 'markDifferent',
      tag: 'Duplicates',
      summary: 'Remember that two items are different pictures',
      description:
        'They are in no group together again. It is remembered of the pictures, not of the ids: it holds for copies, and under ' +
        'other names.',
      params: z.object({ collection: collectionName }),
      body: { 'application/json': verdictBody },
      answers: { 200: { description: 'Remembered.', content: { 'application/json': verdictAnswer } } },
    },
    async (c, { params }) => {
      const { pairs, different = true } = validate(verdictBody, await readJson(c.req.raw, limits));
      const collection = await engine.collection(params.collection);
      const ids = [...new Set(pairs.flat())];
      const items = await collection.get(ids, { include: ['metadata'] });
      const hashes = new Map<string, string>();
      items.forEach((item, index) => {
        const id = ids[index] as string;
        if (item === undefined) throw new LookalikeError('unknown-item', `there is no item ${id}`);
        hashes.set(id, contentHashOf(id, item.metadata));
      });
      const hashPairs = pairs.map(([a, b]): [string, string] => [
        hashes.get(a) as string,
        hashes.get(b) as string,
      ]);
      const same = hashPairs.findIndex(([a, b]) => a === b);
      if (same !== -1) {
        throw new LookalikeError(
          'invalid-request',
          `${pairs[same]?.join(' and ')} have the same bytes: they are no two pictures`,
        );
      }
      await writeVerdicts(objects, params.collection, hashPairs, different);
      return c.json({ pairs: different ? pairs.length : 0 });
    },
  );
}

/** The same request for another page, relative to it. */
function pageAt(url: string, cursor: string): string {
  const { searchParams } = new URL(url);
  searchParams.set('cursor', cursor);
  return `?${searchParams}`;
}
