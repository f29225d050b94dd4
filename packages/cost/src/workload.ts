/** One month of use. */
export interface Workload {
  /** Pictures in the collection. */
  pictures: number;
  queries: number;
  /** Pictures added or replaced in the month. */
  added: number;
  /** Of the queries, those that bring a picture and not a vector; 0-1. */
  pictureQueries: number;
  dimension: number;
  /** Of a row: id and metadata. */
  metadataBytes: number;
  /** `strong` queries list the newest commits: a request more. */
  consistency: 'strong' | 'eventual';
}

/**
 * What one operation takes. Milliseconds are of one Graviton vCPU (1,769 MB of a function); nobody has measured them on AWS yet,
 * they are this project's measurements on other machines, rounded up.
 */
export interface Assumptions {
  /** Decode, preprocess and run the model. */
  encodeMilliseconds: number;
  /** A query by vector besides its scan: routing, one list request, rescoring. */
  queryMilliseconds: number;
  /** Of the scan, a million rows of 128 dimensions. */
  scanMilliseconds: number;
  /** Of the queries, those that find no warm function; 0-1. */
  coldShare: number;
  /** Start of a cold function, without the index. */
  coldMilliseconds: number;
  /** From S3 into a function, a second. */
  fetchBytesPerSecond: number;
  /** How often a row is written anew by compaction in its first month. */
  rewrites: number;
  /** Rows indexed a second, in a function of 3,538 MB. */
  indexRowsPerSecond: number;
  thumbnailBytes: number;
}

export const ASSUMPTIONS: Assumptions = {
  encodeMilliseconds: 80,
  queryMilliseconds: 40,
  scanMilliseconds: 15,
  coldShare: 0.02,
  coldMilliseconds: 1000,
  fetchBytesPerSecond: 80e6,
  rewrites: 4,
  indexRowsPerSecond: 2000,
  thumbnailBytes: 8000,
};

/** Bytes of one row, by part. */
export function rowBytes({ dimension, metadataBytes }: Pick<Workload, 'dimension' | 'metadataBytes'>) {
  return {
    rows: 4 * dimension + metadataBytes,
    /** An id, its version and place. */
    keys: 24,
    /** int8, with scale, error, norm and checksum. */
    codes: dimension + 16,
    /** 4 bits, which a cold function answers from, with scale, norm and checksum. */
    coarse: dimension / 2 + 12,
    /** hnswlib at m = 16: the vector again, 33 links of 4 bytes at the bottom, labels and upper layers. */
    graph: 4 * dimension + 33 * 4 + 16,
  };
}
