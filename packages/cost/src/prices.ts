/** US dollars, as the services' public price pages state them. Inputs of the model: nothing here is fetched. */
export interface Prices {
  /** Year and month of the price pages they are from, and the Region. */
  asOf: string;
  region: string;
  s3: {
    /** A GB (2^30 bytes) and month, first 50 TB. */
    storage: number;
    /** A PUT, COPY, POST or LIST request. */
    write: number;
    /** A GET or HEAD request. */
    read: number;
  };
  lambda: {
    /** A GB-second on arm64. */
    gbSecond: number;
    request: number;
  };
  /** A request to a standard queue. */
  sqs: number;
  /** A month each. */
  fixed: { secret: number; alarm: number; dashboard: number; metric: number };
  /** A GB taken in. */
  logs: number;
  /** A trace recorded by X-Ray. */
  trace: number;
  s3Vectors: {
    /** A GB of vectors, keys and metadata, and month. */
    storage: number;
    /** A GB written. */
    put: number;
    query: number;
    /** A TB of vectors in the index at each query: of the first 100,000 vectors, and of those beyond. */
    processedFirst: number;
    processedBeyond: number;
  };
  /** An hour each, and the memory in GB: burstable Graviton instances, on demand, Linux. */
  servers: { name: string; memory: number; hour: number }[];
  /** A GB and month of a gp3 volume; an hour of a public IPv4 address. */
  volume: number;
  address: number;
}

export const PRICES: Prices = {
  asOf: '2026-06',
  region: 'us-east-1',
  s3: { storage: 0.023, write: 0.005 / 1000, read: 0.0004 / 1000 },
  lambda: { gbSecond: 0.0000133334, request: 0.2 / 1e6 },
  sqs: 0.4 / 1e6,
  fixed: { secret: 0.4, alarm: 0.1, dashboard: 3, metric: 0.3 },
  logs: 0.5,
  trace: 5 / 1e6,
  s3Vectors: { storage: 0.06, put: 0.2, query: 2.5 / 1e6, processedFirst: 0.004, processedBeyond: 0.002 },
  servers: [
    { name: 't4g.small', memory: 2, hour: 0.0168 },
    { name: 't4g.medium', memory: 4, hour: 0.0336 },
    { name: 't4g.large', memory: 8, hour: 0.0672 },
    { name: 't4g.xlarge', memory: 16, hour: 0.1344 },
    { name: 't4g.2xlarge', memory: 32, hour: 0.2688 },
  ],
  volume: 0.08,
  address: 0.005,
};
