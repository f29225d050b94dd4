import type { Stats } from 'node:fs';

/**
 * What tells that a file is the one seen before without reading it. Size and modification stay with a file that is renamed to
 * another's name: where its inode or the time of its last change of any kind is another one, it is another file. File systems
 * without inodes give numbers that differ from one mount to the next; files there are read anew, and never mistaken.
 */
export interface FileStamp {
  size: number;
  /** Milliseconds. */
  modified: number;
  /** Milliseconds; of its content, name or owner. Objects of a bucket have none, and no inode. */
  changed?: number;
  inode?: number;
}

export function fileStamp({ size, mtimeMs, ctimeMs, ino }: Stats): FileStamp {
  return { size, modified: mtimeMs, changed: ctimeMs, inode: ino };
}
