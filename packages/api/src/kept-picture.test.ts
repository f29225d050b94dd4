import { expect, test } from 'vitest';
import { keptPicture } from './kept-picture.ts';

test('a pixel hash of before frames were counted is believed of JPEG only', () => {
  const pixelHash = 'a'.repeat(64);
  const kept = (picture: Record<string, string | number>) => keptPicture({ picture }).pixelHash;
  expect(kept({ pixelHash, format: 'png' })).toBeUndefined();
  expect(kept({ pixelHash, format: 'jpeg' })).toBe(pixelHash);
  expect(kept({ pixelHash, format: 'png', frames: 1 })).toBe(pixelHash);
});
