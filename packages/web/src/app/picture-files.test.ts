import { expect, it } from 'vitest';
import { acceptedTypes, looksLikePicture, pictureType } from './picture-files.ts';

it('knows picture types by name where the browser does not', () => {
  expect(pictureType('a.TIFF', '')).toBe('image/tiff');
  expect(pictureType('a.avif', 'application/octet-stream')).toBe('image/avif');
  expect(pictureType('a.bin', 'image/webp')).toBe('image/webp');
  expect(pictureType('notes', '')).toBe('application/octet-stream');
});

it('skips what in a folder is no picture', () => {
  expect(['a/b.JPG', 'c.webp', 'd.tif'].every(looksLikePicture)).toBe(true);
  expect(['a/.hidden.jpg', '.DS_Store', 'notes.txt', 'jpg', 'a.constructor', ''].some(looksLikePicture)).toBe(
    false,
  );
  expect(acceptedTypes).toContain('image/avif');
});
