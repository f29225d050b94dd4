import { createHash } from 'node:crypto';
import { LookalikeError } from '@lookalike/store';

/**
 * How commits and checkpoints stand in the store, all numbers little-endian:
 *
 * | bytes | what |
 * | --- | --- |
 * | 4 | `LKO1` |
 * | 4 | length h of the header |
 * | 8 | length p of the payload |
 * | h | header, JSON, padded with spaces so that the payload begins at a multiple of 8 |
 * | p | payload |
 * | 32 | SHA-256 of everything before |
 */
const magic = 0x314f4b4c;
const fixedLength = 16;
const digestLength = 32;

export interface Frame {
  header: Record<string, unknown>;
  payload: Uint8Array;
}

export function encodeFrame(header: object, payload: readonly Uint8Array[] = []): Uint8Array {
  let text = Buffer.from(JSON.stringify(header));
  const padding = (8 - ((fixedLength + text.length) % 8)) % 8;
  if (padding > 0) text = Buffer.concat([text, Buffer.alloc(padding, ' ')]);
  const payloadLength = payload.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(fixedLength + text.length + payloadLength + digestLength);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magic, true);
  view.setUint32(4, text.length, true);
  view.setBigUint64(8, BigInt(payloadLength), true);
  let offset = fixedLength;
  for (const part of [text, ...payload]) {
    bytes.set(part, offset);
    offset += part.length;
  }
  bytes.set(digest(bytes.subarray(0, offset)), offset);
  return bytes;
}

/** Throws `damaged-object`, naming `key`, where a single bit is wrong. The payload is aligned to 8 bytes. */
export function decodeFrame(key: string, stored: Uint8Array): Frame {
  const bytes = stored.byteOffset % 8 === 0 ? stored : stored.slice();
  const damaged = (problem: string) =>
    new LookalikeError('damaged-object', `${key} is damaged: ${problem}`, { details: { key } });
  if (bytes.length < fixedLength + digestLength) throw damaged(`${bytes.length} bytes are too few`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== magic) throw damaged('it does not begin with LKO1');
  const headerLength = view.getUint32(4, true);
  const payloadLength = Number(view.getBigUint64(8, true));
  const expected = fixedLength + headerLength + payloadLength + digestLength;
  if (bytes.length !== expected) throw damaged(`${bytes.length} bytes, expected ${expected}`);
  const end = bytes.length - digestLength;
  if (!digest(bytes.subarray(0, end)).equals(bytes.subarray(end)))
    throw damaged('its SHA-256 does not match');
  const header: unknown = JSON.parse(
    Buffer.from(bytes.buffer, bytes.byteOffset + fixedLength, headerLength).toString(),
  );
  if (typeof header !== 'object' || header === null) throw damaged('its header is no object');
  return {
    header: header as Record<string, unknown>,
    payload: bytes.subarray(fixedLength + headerLength, end),
  };
}

function digest(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
