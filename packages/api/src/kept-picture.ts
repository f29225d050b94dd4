import type { Metadata } from '@lookalike/index';
import type { Picture } from './schemas.ts';

const sha256Hex = /^[0-9a-f]{64}$/;
const perceptualHashHex = /^[0-9a-f]{64}$/;
const frameHashesHex = /^([0-9a-f]{64}){2,3}$/;

/** What an item's metadata says of its picture under `picture`, as far as it is what the server writes there; anybody may write anything. */
export function keptPicture(metadata: Metadata): Partial<Picture> {
  const { picture } = metadata;
  if (typeof picture !== 'object' || picture === null || Array.isArray(picture)) return {};
  const kept: Partial<Picture> = {};
  for (const name of ['width', 'height', 'frames', 'bytes', 'sharpness'] as const) {
    const value = picture[name];
    if (typeof value === 'number' && value >= 0) kept[name] = value;
  }
  for (const name of ['sha256', 'pixelHash'] as const) {
    const value = picture[name];
    if (typeof value === 'string' && sha256Hex.test(value)) kept[name] = value;
  }
  // Before frames were counted, hashes of pixels knew of one frame, and not of what is transparent: right for JPEG only.
  if (kept.frames === undefined && picture.format !== 'jpeg') delete kept.pixelHash;
  const { perceptualHash, frameHashes, lowInformation, page } = picture;
  if (
    Array.isArray(frameHashes) &&
    frameHashes.every((frames): frames is string => typeof frames === 'string' && frameHashesHex.test(frames))
  )
    kept.frameHashes = frameHashes;
  if (typeof perceptualHash === 'string' && perceptualHashHex.test(perceptualHash))
    kept.perceptualHash = perceptualHash;
  if (lowInformation === true) kept.lowInformation = true;
  if (page === true) kept.page = true;
  return kept;
}

/** Of the picture file; an item without one is like no other. */
export function contentHashOf(id: string, metadata: Metadata): string {
  return keptPicture(metadata).sha256 ?? `item ${id}`;
}
