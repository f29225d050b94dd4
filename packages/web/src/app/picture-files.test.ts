import { expect, it } from 'vitest';
import { acceptedTypes, looksLikePicture, pastedFile } from './picture-files.ts';

it('skips what in a folder is no picture', () => {
  expect(['a/b.JPG', 'c.webp', 'd.tif'].every(looksLikePicture)).toBe(true);
  expect(['a/.hidden.jpg', '.DS_Store', 'notes.txt', 'jpg', 'a.constructor', ''].some(looksLikePicture)).toBe(
    false,
  );
  expect(acceptedTypes).toContain('image/avif');
});

it('gives what was pasted a name of its own, and keeps one that a person gave', () => {
  const at = (lastModified: number) => new File(['x'], 'image.png', { type: 'image/png', lastModified });
  const first = pastedFile(at(Date.UTC(2026, 10, 23, 17, 5, 2, 30)));
  expect(first.path).toBe('pasted 2026-11-23T17.05.02.030.png');
  expect(pastedFile(at(Date.UTC(2026, 10, 23, 17, 5, 3))).path).not.toBe(first.path);
  expect(pastedFile(at(Date.UTC(2026, 10, 23, 17, 5, 2, 30)), 1).path).not.toBe(first.path);
  expect(pastedFile(new File(['x'], 'cat.jpg', { type: 'image/jpeg' })).path).toBe('cat.jpg');
});
