import fc from 'fast-check';
import { expect, it } from 'vitest';
import { assertDepth, parseJson, readBytes, readLines } from './request-body.ts';

/** A request whose body comes in chunks of the sizes given, round and round. */
function requestOf(body: Uint8Array, sizes: readonly number[]): Request {
  let at = 0;
  let turn = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= body.length) return controller.close();
      const size = sizes[turn++ % sizes.length] ?? 1;
      controller.enqueue(body.subarray(at, at + size));
      at += size;
    },
  });
  return new Request('http://localhost/', { method: 'POST', body: stream, duplex: 'half' } as RequestInit);
}

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 10 });

it('gives the same lines however the body is cut into chunks', async () => {
  const line = fc.string({ unit: 'grapheme', maxLength: 30 }).map((text) => text.replaceAll(/[\n\r]/g, ''));
  const ending = fc.constantFrom('\n', '\r\n', '\n\n');
  await fc.assert(
    fc.asyncProperty(fc.array(line), ending, fc.boolean(), sizes, async (lines, end, closed, cuts) => {
      const body = new TextEncoder().encode(lines.join(end) + (closed ? end : ''));
      const read: string[] = [];
      for await (const one of readLines(requestOf(body, cuts), 1000))
        read.push(new TextDecoder('utf-8', { ignoreBOM: true }).decode(one).replace(/\r$/, ''));
      expect(read).toEqual(lines.filter((text) => /[^ \t]/.test(text)));
    }),
  );
});

it('takes a line of exactly the limit and no longer one', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 0, max: 3 }),
      sizes,
      async (limit, over, cuts) => {
        const body = new TextEncoder().encode(`${'x'.repeat(limit + over)}\n`);
        const read = (async () => {
          let count = 0;
          for await (const one of readLines(requestOf(body, cuts), limit)) count += one.length;
          return count;
        })();
        if (over === 0) expect(await read).toBe(limit);
        else await expect(read).rejects.toMatchObject({ code: 'body-too-large' });
      },
    ),
  );
});

it('reads a whole body up to its limit', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), sizes, async (body, cuts) => {
      expect(Buffer.from(await readBytes(requestOf(body, cuts), body.length))).toEqual(Buffer.from(body));
      if (body.length > 0) {
        await expect(readBytes(requestOf(body, cuts), body.length - 1)).rejects.toMatchObject({
          code: 'body-too-large',
        });
      }
    }),
  );
});

it('counts the depth of JSON, arrays and objects alike', () => {
  const nested = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 8 },
      fc.integer(),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.string(), tie('value'), { maxKeys: 3 }),
    ),
  })).value;
  const depthOf = (value: unknown): number =>
    typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
  fc.assert(
    fc.property(nested, (value) => {
      const depth = depthOf(value);
      expect(() => assertDepth(value, depth)).not.toThrow();
      if (depth > 0) expect(() => assertDepth(value, depth - 1)).toThrow(/nested deeper/);
    }),
  );
});

it('parses JSON or says why it cannot', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const bytes = new TextEncoder().encode(JSON.stringify(value));
      expect(parseJson(bytes, 1000)).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
  expect(() => parseJson(Uint8Array.of(0x22, 0xff, 0x22), 10)).toThrow(/UTF-8/);
});
