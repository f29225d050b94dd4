import { PRICES, type Prices } from './prices.ts';
import { ASSUMPTIONS, type Assumptions, rowBytes, type Workload } from './workload.ts';

/** US dollars a month, by what they are for. */
export interface Bill {
  total: number;
  parts: Record<string, number>;
}

const gigabyte = 2 ** 30;
const terabyte = 2 ** 40;
const hoursAMonth = 730;
/** MB of a function that make one vCPU. */
const megabytesAVcpu = 1769;
/** Of the API function, unless the collection needs more. */
const apiMegabytes = 3008;
const largestFunction = 10_240;
const embedMegabytes = 1769;
const indexMegabytes = 3538;
/** Pictures a message batch and commit. */
const batch = 20;

function bill(parts: Record<string, number>): Bill {
  return { total: sum(parts), parts };
}

function sum(parts: Record<string, number>): number {
  return Object.values(parts).reduce((total, part) => total + part, 0);
}

/**
 * Memory of a function that holds keys and codes of all rows when it is warm. Beside them it keeps room as `functions/src/services.ts`
 * does: 350 MB for Node and the encoder, and a quarter of all, at most 1 GB, for a picture being decoded.
 */
export function functionMegabytes(workload: Workload): number {
  const { keys, codes } = rowBytes(workload);
  const held = (workload.pictures * (keys + codes)) / 2 ** 20 + 350;
  return Math.max(apiMegabytes, Math.ceil(Math.min(held / 0.75, held + 1024)));
}

/** Of the requests of a month, evenly spread, those that Lambda traces: the first of each second, and a twentieth of the others. */
function traced(requests: number): number {
  const seconds = 30 * 24 * 60 * 60;
  return Math.min(requests, seconds + 0.05 * Math.max(0, requests - seconds));
}

/**
 * Lookalike with an ordinary function (`-c api=event`), free tiers not counted, pictures themselves not counted.
 * Throws `RangeError` where the codes of the collection do not fit the largest function.
 */
export function lookalikeMonth(
  workload: Workload,
  prices: Prices = PRICES,
  assumed: Assumptions = ASSUMPTIONS,
): Bill {
  const { pictures, queries, added, pictureQueries, dimension } = workload;
  const bytes = rowBytes(workload);
  const megabytes = functionMegabytes(workload);
  if (megabytes > largestFunction) {
    throw new RangeError(
      `${pictures} rows of ${dimension} dimensions need ${megabytes} MB; a function has ${largestFunction}`,
    );
  }
  // More memory brings more vCPUs; one query uses one of them.
  const scan = (assumed.scanMilliseconds * pictures * dimension) / (1e6 * 128);
  const warm = assumed.queryMilliseconds + scan + pictureQueries * assumed.encodeMilliseconds;
  const fetched = pictures * (bytes.keys + bytes.coarse);
  const cold = assumed.coldMilliseconds + (fetched * 1000) / assumed.fetchBytesPerSecond;
  const querySeconds = (queries * (warm + assumed.coldShare * cold)) / 1000;
  const lambda = (seconds: number, mb: number) => seconds * (mb / 1024) * prices.lambda.gbSecond;
  const stored = pictures * (sum(bytes) + assumed.thumbnailBytes);
  const batches = added / batch;
  const indexSeconds = (added * assumed.rewrites) / assumed.indexRowsPerSecond;
  const sweepSeconds = (30 * 24 * 60) / 15;
  return bill({
    storage: (stored / gigabyte) * prices.s3.storage,
    queries:
      lambda(querySeconds, megabytes) +
      queries * prices.lambda.request +
      (workload.consistency === 'strong' ? queries * prices.s3.write : 0),
    ingestion:
      lambda((added * assumed.encodeMilliseconds * 1.3) / 1000, embedMegabytes) +
      batches * prices.lambda.request +
      // The picture and its sidecar, and both looked at again after the commit.
      added * 4 * prices.s3.read +
      (added + batches) * prices.s3.write +
      (added + 2 * batches) * prices.sqs,
    indexing: lambda(indexSeconds, indexMegabytes) + batches * prices.sqs * 3,
    operations:
      prices.fixed.secret +
      14 * prices.fixed.alarm +
      prices.fixed.dashboard +
      7 * prices.fixed.metric +
      lambda(sweepSeconds, megabytesAVcpu) +
      ((queries + batches) * 700 * prices.logs) / gigabyte +
      (traced(queries) + traced(2 * batches) + sweepSeconds) * prices.trace,
  });
}

/** Amazon S3 Vectors for the search alone: the pictures must be encoded elsewhere. One index, up to 10 million vectors. */
export function s3VectorsMonth(workload: Workload, prices: Prices = PRICES): Bill {
  const { pictures, queries, added } = workload;
  if (pictures > 10_000_000)
    throw new RangeError('prices of indexes over 10 million vectors are not in this model');
  const size = rowBytes(workload).rows;
  const { s3Vectors } = prices;
  const first = Math.min(pictures, 100_000) * size;
  const beyond = Math.max(0, pictures - 100_000) * size;
  return bill({
    storage: ((pictures * size) / gigabyte) * s3Vectors.storage,
    // A request to write counts as at least 128 KB.
    ingestion: (Math.max(added * size, (added / 500) * 131_072) / gigabyte) * s3Vectors.put,
    queries:
      queries *
      (s3Vectors.query +
        (first / terabyte) * s3Vectors.processedFirst +
        (beyond / terabyte) * s3Vectors.processedBeyond),
  });
}

/** One small server that is always on and holds the whole graph in memory; no second one to take over. */
export function serverMonth(workload: Workload, prices: Prices = PRICES): Bill & { server: string } {
  const bytes = rowBytes(workload);
  const memory = 1 + (workload.pictures * (bytes.graph + bytes.codes + bytes.keys)) / gigabyte;
  const server = prices.servers.find((one) => one.memory >= memory);
  if (server === undefined) throw new RangeError(`no server of this model has ${Math.ceil(memory)} GB`);
  const disk = 20 + (2 * workload.pictures * (bytes.rows + bytes.graph)) / gigabyte;
  const parts = {
    server: server.hour * hoursAMonth,
    address: prices.address * hoursAMonth,
    storage: disk * prices.volume,
  };
  return { ...bill(parts), server: server.name };
}
