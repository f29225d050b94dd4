import type { Collection, ScanRequest } from '@lookalike/index';
import { itemAnswer } from './item-answer.ts';

const encoder = new TextEncoder();
const pageItems = 1000;

/** Items as NDJSON, a page at a time and only as fast as the client takes them; at most `limit` in all. */
export function streamItems(
  collection: Collection,
  request: ScanRequest,
  limit: number | undefined,
): ReadableStream<Uint8Array> {
  let after = request.after;
  let left = limit ?? Number.POSITIVE_INFINITY;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        let lines = '';
        let more = true;
        // A filter may leave a page empty that others follow: a pull that enqueues nothing would not be called again.
        while (lines === '' && more) {
          const page = await collection.scan({
            ...request,
            ...(after === undefined ? {} : { after }),
            limit: Math.min(left, pageItems),
          });
          left -= page.items.length;
          after = page.next;
          more = page.next !== undefined && left > 0;
          lines = page.items.map((stored) => `${JSON.stringify(itemAnswer(stored))}\n`).join('');
        }
        if (lines !== '') controller.enqueue(encoder.encode(lines));
        if (!more) controller.close();
      },
    },
    { highWaterMark: 1 },
  );
}
