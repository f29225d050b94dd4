import { S3Client } from '@aws-sdk/client-s3';
import { lazyEncoders } from '@lookalike/api';
import { DEFAULT_MODEL, describeModel, listModels, openEncoder } from '@lookalike/encoder';
import { type Administration, openEngine, type SearchEngine } from '@lookalike/index';
import { type IngestServices, type PictureSource, s3PictureSource } from '@lookalike/ingest';
import { type ObjectStore, openFolderStore } from '@lookalike/store';
import { S3Store } from '@lookalike/store/s3';
import { parseS3Location, required } from './environment.ts';

export const s3 = new S3Client({});
/** Of the collections; how often a call is tried is for the store to say. */
const storeClient = new S3Client({ maxAttempts: 1 });
/** For traces. */
export const clients = [s3, storeClient];

const mebibyte = 1024 * 1024;
/** A Web Function has 2 GB. */
const functionMegabytes = Number(process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE ?? 2048);
/** For pictures being decoded. 1 GB is enough for any JPEG of 100 megapixels. */
const pictureMegabytes = Math.min(1024, functionMegabytes / 4);
/** Node, the runtime of models and the model. */
const runtimeMegabytes = 350;
const cacheMegabytes = Math.max(256, Math.floor(functionMegabytes - pictureMegabytes - runtimeMegabytes));

/** The engine over the bucket of collections, and encoders that open when the first picture comes. */
export async function openServices(): Promise<IngestServices & { engine: SearchEngine & Administration }> {
  const [objects, installed] = await Promise.all([openStore(required('LOOKALIKE_STORE')), listModels()]);
  const directories = new Map(installed.map(({ model, directory }) => [model.name, directory]));
  const encoders = lazyEncoders({
    default: process.env.LOOKALIKE_MODEL ?? DEFAULT_MODEL,
    names: [...directories.keys()],
    open: (name) =>
      openEncoder(directories.get(name) as string, {
        limits: { maxDecodeBytes: pictureMegabytes * mebibyte },
      }),
    describe: (name) => describeModel(directories.get(name) as string),
  });
  // For checks of graphs on small collections; by default the engine knows when one pays.
  const graphFromRows = process.env.LOOKALIKE_GRAPH_FROM_ROWS;
  const engine = openEngine({
    store: objects,
    // A function has its own for that, on a queue.
    maintenance: false,
    ...(graphFromRows === undefined ? {} : { indexer: { graphMinRows: Number(graphFromRows) } }),
    memoryBytes: cacheMegabytes * mebibyte,
    buildBytes: Math.floor((cacheMegabytes * mebibyte) / 2),
    cacheBytes: Number(process.env.LOOKALIKE_DISK_CACHE_MB ?? 300) * mebibyte,
  });
  return { engine, objects, encoders };
}

/** `s3://bucket/prefix`, or a folder. */
async function openStore(location: string): Promise<ObjectStore> {
  if (!location.startsWith('s3://')) return openFolderStore(location);
  const { bucket, prefix } = parseS3Location(location);
  // Not checked for creates that overwrite, as `openS3Store` does: Amazon S3 keeps them, and a cold start has no time to ask.
  return new S3Store({ bucket, prefix, client: storeClient });
}

export function pictureBucket(bucket: string): PictureSource {
  return s3PictureSource({ client: s3, bucket });
}
