const SIGNATURE_BYTES = 8;
/** Of a chunk beside its data: length, name, checksum. */
const CHUNK_BYTES = 12;

/**
 * How many frames a PNG file has, which decoders of PNG take for a still: the first number of its `acTL` chunk, which stands before
 * the picture (https://www.w3.org/TR/png-3/#acTL-chunk); 1 where there is none.
 */
export function apngFrames(bytes: Uint8Array): number {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = SIGNATURE_BYTES; at + CHUNK_BYTES <= file.length; at += CHUNK_BYTES + file.readUInt32BE(at)) {
    const name = file.toString('latin1', at + 4, at + 8);
    if (name === 'acTL') return Math.max(1, file.readUInt32BE(at + 8));
    if (name === 'IDAT') break;
  }
  return 1;
}
