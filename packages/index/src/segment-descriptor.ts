/** One immutable file of a segment, `collections/<collection>/segments/<segment>/<name>`. */
export interface SegmentFile {
  /** Bytes. */
  length: number;
  /** Of the whole file, hex. */
  sha256: string;
}

/**
 * - `rows.arrows`: all there is of the rows (see row-blocks.ts). The other files are caches of it.
 * - `keys`: ids, versions and where the columns are, so that a commit finds the rows that it replaces.
 * - `codes`: int8 codes for the flat search.
 * - `coarse`: 4-bit codes, from which a reader that has nothing yet answers while the others come.
 * - `graph.hnsw`: the hnswlib file over the rows in their order.
 */
export const segmentFileNames = {
  rows: 'rows.arrows',
  keys: 'keys',
  codes: 'codes',
  coarse: 'coarse',
  graph: 'graph.hnsw',
} as const;
export type SegmentFileKind = keyof typeof segmentFileNames;
export const segmentFileKinds = Object.keys(segmentFileNames) as SegmentFileKind[];

/** `coarse` and `graph`: only of segments large enough to earn them. */
export type SegmentFiles = Record<'rows' | 'keys' | 'codes', SegmentFile> &
  Partial<Record<'coarse' | 'graph', SegmentFile>>;

/** What a commit says of a segment: enough to fetch, check and search it. */
export interface SegmentDescriptor {
  id: string;
  /** Rows, live or dead. */
  rows: number;
  dimension: number;
  /** `EncoderBinding.hash` of the collection, where it has one. */
  encoderHash?: string;
  files: SegmentFiles;
  /** It earns a graph and was written without, while more was to come: merging builds it. */
  graphPending?: boolean;
}
