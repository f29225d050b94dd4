import { expect, it } from 'vitest';
import { acceptedTypes, looksLikePicture } from './picture-files.ts';

it('skips what in a folder is no picture', () => {
  expect(['a/b.JPG', 'c.webp', 'd.tif'].every(looksLikePicture)).toBe(true);
  expect(['a/.hidden.jpg', '.DS_Store', 'notes.txt', 'jpg', 'a.constructor', ''].some(looksLikePicture)).toBe(
    false,
  );
  expect(acceptedTypes).toContain('image/avif');
});
