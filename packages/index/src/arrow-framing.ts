import { LookalikeError } from '@lookalike/store';

/** Bytes of a message (a record batch, as a rule) of an Arrow stream at most: it is read as a whole. */
export const maxArrowBatchBytes = 256 * 2 ** 20;

/** Of the description of a message at most; more than that is none. */
const maxMetadataBytes = 16 * 2 ** 20;

const fileMagic = 'ARROW1';
/** Of a file, before the stream in it: the magic and padding. */
const fileHeaderBytes = 8;
const continuation = -1;

/**
 * An Arrow IPC stream as it is, or the stream in an Arrow IPC file, in parts. Files that do not begin with their schema (apache-arrow for
 * JavaScript writes such) have to be read as a whole and so are passed on as they are.
 *
 * Throws `batch-too-large` at the message that says it is larger than `maxArrowBatchBytes`, before any of it is read, or where a file
 * that has to be read as a whole is; `invalid-arrow` at what is no message.
 */
export async function* arrowStream(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const bytes = new ByteReader(source);
  try {
    const begin = await bytes.peek(fileHeaderBytes);
    if (Buffer.from(begin).toString('latin1').startsWith(fileMagic)) {
      await bytes.take(fileHeaderBytes);
      if (!(await beginsWithSchema(bytes))) {
        yield begin;
        yield* bytes.pass(maxArrowBatchBytes - begin.length);
        if ((await bytes.peek(1)).length > 0)
          throw tooLarge('a file without a schema before its rows has more bytes');
        return;
      }
    }
    yield* messages(bytes);
  } finally {
    await bytes.close();
  }
}

async function* messages(bytes: ByteReader): AsyncGenerator<Uint8Array> {
  for (;;) {
    let prefix = await bytes.take(4);
    // Before version 0.15 there was no such marker.
    if (int32(prefix, 0) === continuation) prefix = Buffer.concat([prefix, await bytes.take(4)]);
    if (prefix.length > 0) yield prefix;
    const metadataBytes = int32(prefix, prefix.length - 4);
    // The end; of a file the footer follows.
    if (metadataBytes === undefined || metadataBytes === 0) return;
    checkMetadataLength(metadataBytes);
    const metadata = await bytes.take(metadataBytes);
    yield metadata;
    if (metadata.length < metadataBytes) return;
    const bodyBytes = describe(metadata).bodyLength;
    if (bodyBytes > maxArrowBatchBytes) throw tooLarge(`a record batch says that it has ${bodyBytes} bytes`);
    yield* bytes.pass(bodyBytes);
  }
}

async function beginsWithSchema(bytes: ByteReader): Promise<boolean> {
  const prefix = await bytes.peek(8);
  const metadataBytes = int32(prefix, 4);
  if (int32(prefix, 0) !== continuation || metadataBytes === undefined) return false;
  checkMetadataLength(metadataBytes);
  return describe((await bytes.peek(8 + metadataBytes)).subarray(8)).isSchema;
}

function checkMetadataLength(length: number): void {
  if (length < 0 || length > maxMetadataBytes) throw noMessage();
}

function tooLarge(what: string): LookalikeError {
  return new LookalikeError(
    'batch-too-large',
    `Arrow data: ${what}, expected at most ${maxArrowBatchBytes}, as it is read as a whole: write a stream with smaller record batches`,
    { details: { limit: maxArrowBatchBytes } },
  );
}

function noMessage(cause?: unknown): LookalikeError {
  return new LookalikeError('invalid-arrow', 'Arrow data: expected a message, got something else', { cause });
}

/** Of the FlatBuffers table `Message` (Arrow's Message.fbs) the fields 1, the type of what it describes, and 3, bytes of its body. */
function describe(metadata: Uint8Array): { isSchema: boolean; bodyLength: number } {
  const view = new DataView(metadata.buffer, metadata.byteOffset, metadata.byteLength);
  try {
    const table = view.getUint32(0, true);
    const places = table - view.getInt32(table, true);
    /** 0 where it is left out. */
    const placeOf = (field: number) => {
      const at = 4 + 2 * field;
      const offset = at < view.getUint16(places, true) ? view.getUint16(places + at, true) : 0;
      return offset === 0 ? 0 : table + offset;
    };
    const [type, bodyLength] = [placeOf(1), placeOf(3)];
    return {
      isSchema: type !== 0 && view.getUint8(type) === 1,
      bodyLength: bodyLength === 0 ? 0 : Math.max(0, Number(view.getBigInt64(bodyLength, true))),
    };
  } catch (cause) {
    throw noMessage(cause);
  }
}

/** Undefined where there are too few bytes. */
function int32(bytes: Uint8Array, at: number): number | undefined {
  if (at < 0 || bytes.length < at + 4) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset).getInt32(at, true);
}

/** Bytes of a source, as many as asked for or as there are. */
class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** What comes next stays. */
  async peek(count: number): Promise<Uint8Array> {
    const bytes = await this.take(count);
    this.#rest = Buffer.concat([bytes, this.#rest]);
    return bytes;
  }

  async take(count: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for await (const part of this.pass(count)) parts.push(part);
    return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
  }

  async *pass(count: number): AsyncGenerator<Uint8Array> {
    for (let left = count; left > 0; ) {
      if (this.#rest.length === 0) {
        const next = await this.#source.next();
        if (next.done === true) return;
        this.#rest = next.value;
      }
      const part = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(part.length);
      left -= part.length;
      if (part.length > 0) yield part;
    }
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }
}
