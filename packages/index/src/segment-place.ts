import type { ObjectStore } from '@lookalike/store';
import type { CollectionInfo } from './engine.ts';
import type { LocalFiles } from './local-files.ts';
import { segmentKey } from './log-keys.ts';
import type { MemoryBudget } from './memory-budget.ts';
import { type SegmentDescriptor, type SegmentFileKind, segmentFileNames } from './segment-descriptor.ts';

/** What segments share in a process. */
export interface SegmentSpace {
  store: ObjectStore;
  local: LocalFiles;
  budget: MemoryBudget;
}

/** Which segment of which collection, and where its files are. */
export class SegmentPlace {
  readonly descriptor: SegmentDescriptor;
  readonly info: CollectionInfo;
  readonly space: SegmentSpace;

  constructor(descriptor: SegmentDescriptor, info: CollectionInfo, space: SegmentSpace) {
    this.descriptor = descriptor;
    this.info = info;
    this.space = space;
  }

  key(kind: SegmentFileKind): string {
    return segmentKey(this.info.name, this.descriptor.id, segmentFileNames[kind]);
  }
}
