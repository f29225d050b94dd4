import type { Collection } from '@lookalike/index';
import type { Services } from './app-context.ts';
import type { IngestOptions } from './item-ingest.ts';
import { ItemBatch } from './item-ingest.ts';
import { problemOf } from './problems.ts';
import { parseJson, readLines } from './request-body.ts';
import type { UpsertLine } from './schemas.ts';

/** What one commit of a stream holds at most: enough to make the commit cheap, little enough to hold. */
const batchItems = 5000;
const batchBytes = 2 * 1024 * 1024;

/** Milliseconds for which a stream waits for a collection that is being indexed: its client feels it as back-pressure. */
const patience = 10 * 60_000;

const encoder = new TextEncoder();

async function* batchesOf(
  request: Request,
  services: Services,
  collection: Collection,
  options: IngestOptions,
): AsyncGenerator<ItemBatch> {
  const { ndjsonLineBytes, jsonDepth } = services.limits;
  let batch = new ItemBatch(services, collection, options);
  let bytes = 0;
  for await (const line of readLines(request, ndjsonLineBytes)) {
    try {
      batch.add(parseJson(line, jsonDepth));
    } catch (error) {
      batch.addInvalid('', error);
    }
    bytes += line.byteLength;
    if (batch.size >= batchItems || bytes >= batchBytes) {
      yield batch;
      batch = new ItemBatch(services, collection, options);
      bytes = 0;
    }
  }
  if (batch.size > 0) yield batch;
}

function lineOf(value: unknown): Uint8Array {
  return encoder.encode(`${JSON.stringify(value)}\n`);
}

/**
 * Ingests an NDJSON body of any length, one commit after the other, and answers with a line for each commit. The body is read only
 * as fast as commits become durable. Answers name only the items that were not stored, so that a client may send all
 * before it reads any.
 */
export function ingestStream(
  services: Services,
  collection: Collection,
  request: Request,
  options: IngestOptions & { requestId: string; log: (error: unknown) => void },
): ReadableStream<Uint8Array> {
  const batches = batchesOf(request, services, collection, { ...options, patience });
  let from = 0;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value: batch } = await batches.next();
          if (done) {
            controller.close();
            return;
          }
          const { version, results } = await batch.commit();
          const stored = results.filter(({ status }) => status === 'stored').length;
          const line: UpsertLine = {
            version,
            from,
            count: results.length,
            stored,
            results: results.flatMap((result, index) =>
              result.status === 'stored' ? [] : [{ index: from + index, ...result }],
            ),
          };
          from += results.length;
          controller.enqueue(lineOf(line));
        } catch (error) {
          // The status line is long gone: the last line says it. What the lines before acknowledged stays.
          options.log(error);
          controller.enqueue(lineOf({ problem: problemOf(error, options.requestId).problem }));
          controller.close();
          await batches.return(undefined).catch(() => {});
        }
      },
      async cancel() {
        await batches.return(undefined);
      },
    },
    { highWaterMark: 1 },
  );
}
