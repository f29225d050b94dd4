/** One immutable file of a segment, `collections/<collection>/segments/<segment>/<name>`. */
export interface SegmentFile {
  /** Bytes. */
  length: number;
  /** Of the whole file, hex. */
  sha256: string;
}

/** What a commit says of a segment: enough to fetch, check and search it. */
export interface SegmentDescriptor {
  id: string;
  /** Rows, live or dead. */
  rows: number;
  dimension: number;
  /** `EncoderBinding.hash` of the collection, where it has one. */
  encoderHash?: string;
  /** Smallest and largest version of its rows. */
  versions: [number, number];
  files: {
    rows: SegmentFile;
    codes: SegmentFile;
    /** Only of segments large enough to earn one. */
    graph?: SegmentFile;
  };
}
