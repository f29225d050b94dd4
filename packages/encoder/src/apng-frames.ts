const SIGNATURE = '89504e470d0a1a0a';
/** Of a chunk beside its data: length, name, checksum. */
const CHUNK_BYTES = 12;

/**
 * How many frames an animated PNG has, which decoders of PNG take for a still: the first number of its `acTL` chunk, which stands before
 * the picture (https://www.w3.org/TR/png-3/#acTL-chunk). `undefined` for all else.
 */
export function apngFrames(bytes: Uint8Array): number | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.toString('hex', 0, 8) !== SIGNATURE) return undefined;
  for (let at = 8; at + CHUNK_BYTES <= file.length; at += CHUNK_BYTES + file.readUInt32BE(at)) {
    const name = file.toString('latin1', at + 4, at + 8);
    if (name === 'acTL') return Math.max(1, file.readUInt32BE(at + 8));
    if (name === 'IDAT') return undefined;
  }
  return undefined;
}
