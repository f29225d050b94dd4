import { expect, test } from 'vitest';
import { keptPicture } from './kept-picture.ts';

test('a pixel hash of before frames were counted is believed of JPEG only', () => {
  const pixelHash = 'a'.repeat(64);
  const kept = (picture: Record<string, string | number>) => keptPicture({ picture }).pixelHash;
  expect(kept({ pixelHash, format: 'png' })).toBeUndefined();
  expect(kept({ pixelHash, format: 'jpeg' })).toBe(pixelHash);
  expect(kept({ pixelHash, format: 'png', frames: 1 })).toBe(pixelHash);
});

test('hashes of frames are believed where each place has two or three', () => {
  const hash = 'a'.repeat(64);
  const kept = (frameHashes: string[]) => keptPicture({ picture: { frameHashes } }).frameHashes;
  expect(kept([hash + hash, hash + hash + hash])).toHaveLength(2);
  for (const forged of ['', hash, 'z'.repeat(128)]) expect(kept([hash + hash, forged])).toBeUndefined();
});
