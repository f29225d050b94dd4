import { LookalikeError } from '@lookalike/store';
import { describe, expect, test } from 'vitest';
import { type Commit, decodeCommit, encodeCommit } from './commit.ts';

const write: Commit = {
  id: 'c1',
  kind: 'write',
  batch: {
    ids: ['a', 'ünï', '😀'],
    vectors: Float32Array.from([1, 2, 3, 4, 5, -0]),
    metadata: ['{}', '{"a":"日本"}', '{"b":[1,2]}'],
    deletes: ['gone', '\ufeffbom'],
  },
};

describe('commits', () => {
  test('come back as they were', () => {
    expect(decodeCommit('k', encodeCommit(write))).toEqual(write);
    const empty: Commit = {
      id: 'c2',
      kind: 'write',
      batch: { ids: [], vectors: new Float32Array(0), metadata: [], deletes: ['x'] },
    };
    expect(decodeCommit('k', encodeCommit(empty))).toEqual(empty);
    const drop: Commit = { id: 'c3', kind: 'drop' };
    expect(decodeCommit('k', encodeCommit(drop))).toEqual(drop);
  });

  test('are read from any alignment', () => {
    const bytes = encodeCommit(write);
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    expect(decodeCommit('k', shifted.subarray(1))).toEqual(write);
  });

  test('any flipped bit and any missing byte is noticed, and the object named', () => {
    const bytes = encodeCommit(write);
    const codeOf = (damaged: Uint8Array) => {
      try {
        decodeCommit('collections/c/log/7', damaged);
        return 'not noticed';
      } catch (error) {
        if (!(error instanceof LookalikeError)) return `not a LookalikeError: ${error}`;
        expect(error.message).toContain('collections/c/log/7');
        return error.code;
      }
    };
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = bytes.slice();
      damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(codeOf(damaged)).toBe('damaged-object');
    }
    for (let length = 0; length < bytes.length; length++)
      expect(codeOf(bytes.subarray(0, length))).toBe('damaged-object');
  });
});
