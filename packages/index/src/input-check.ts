import { LookalikeError } from '@lookalike/store';
import type { CollectionConfig, CollectionInfo, Item, JsonValue, Metric } from './engine.ts';

export const maxDimension = 4096;
export const maxIdBytes = 512;
export const maxMetadataBytes = 64 * 1024;
const maxMetadataDepth = 64;

/** An item that passed every check, its metadata as JSON text. */
export interface CheckedItem {
  id: string;
  vector: Float32Array;
  metadataText: string;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const control = /[\u0000-\u001f\u007f-\u009f]/;

export function checkCollectionName(name: string): void {
  checkName('collection', name);
}

/** Throws `invalid-collection-name` or `invalid-snapshot-name`. */
export function checkName(what: 'collection' | 'snapshot', name: string): void {
  if (typeof name !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name))
    throw new LookalikeError(
      `invalid-${what}-name`,
      `${what} name ${JSON.stringify(name)?.slice(0, 100)}: expected 1-64 letters, digits, '.', '_' or '-', beginning with a letter or digit`,
    );
}

/** Fills in the defaults; throws `invalid-config`. */
export function checkConfig(name: string, config: CollectionConfig): CollectionInfo {
  const invalid = (problem: string) => new LookalikeError('invalid-config', `collection ${name}: ${problem}`);
  const { dimension, metric, encoder } = config;
  if (!Number.isInteger(dimension) || dimension < 1 || dimension > maxDimension)
    throw invalid(`dimension ${dimension}, expected a whole number from 1 to ${maxDimension}`);
  if (!(['cosine', 'l2', 'l1'] satisfies Metric[] as unknown[]).includes(metric))
    throw invalid(`metric ${JSON.stringify(metric)}, expected 'cosine', 'l2' or 'l1'`);
  const hnsw = { m: config.hnsw?.m ?? 16, efConstruction: config.hnsw?.efConstruction ?? 200 };
  if (!Number.isInteger(hnsw.m) || hnsw.m < 2 || hnsw.m > 128)
    throw invalid(`hnsw.m ${hnsw.m}, expected a whole number from 2 to 128`);
  if (!Number.isInteger(hnsw.efConstruction) || hnsw.efConstruction < 8 || hnsw.efConstruction > 4096)
    throw invalid(`hnsw.efConstruction ${hnsw.efConstruction}, expected a whole number from 8 to 4096`);
  if (encoder !== undefined && (!isText(encoder.name) || !isText(encoder.hash)))
    throw invalid('encoder: expected a name and a hash');
  return {
    name,
    dimension,
    metric,
    ...(encoder && { encoder: { name: encoder.name, hash: encoder.hash } }),
    hnsw,
  };
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && value.length <= 1024;
}

export function checkId(id: unknown): asserts id is string {
  if (typeof id !== 'string')
    throw new LookalikeError('invalid-id', `id is a ${typeof id}, expected a string`);
  const problem =
    id === ''
      ? 'is empty'
      : !id.isWellFormed()
        ? 'is not well-formed Unicode'
        : control.test(id)
          ? 'contains a control character'
          : id.length > maxIdBytes / 3 && Buffer.byteLength(id) > maxIdBytes
            ? `is ${Buffer.byteLength(id)} bytes of UTF-8, expected at most ${maxIdBytes}`
            : undefined;
  if (problem !== undefined)
    throw new LookalikeError('invalid-id', `id ${JSON.stringify(id.slice(0, 80))} ${problem}`);
}

/** Throws `invalid-vector`, naming the first wrong number. */
export function checkVector(
  vector: unknown,
  info: Pick<CollectionInfo, 'dimension' | 'metric'>,
): asserts vector is Float32Array {
  const invalid = (problem: string) => new LookalikeError('invalid-vector', `vector ${problem}`);
  if (!(vector instanceof Float32Array))
    throw invalid(`is ${vector === null ? 'null' : `a ${typeof vector}`}, expected a Float32Array`);
  if (vector.length !== info.dimension)
    throw invalid(`has ${vector.length} numbers, expected ${info.dimension}`);
  let zero = true;
  for (let i = 0; i < vector.length; i++) {
    const value = vector[i] as number;
    if (!Number.isFinite(value)) throw invalid(`has ${value} at position ${i}, expected finite numbers`);
    if (value !== 0) zero = false;
  }
  if (zero && info.metric === 'cosine')
    throw invalid(
      'is all zero, which has no direction: expected at least one number that is not 0 under cosine',
    );
}

/** Throws `invalid-id`, `invalid-vector` or `invalid-metadata`. */
export function checkItem(item: Item, info: CollectionInfo): CheckedItem {
  if (typeof item !== 'object' || item === null)
    throw new LookalikeError(
      'invalid-item',
      `item is ${item === null ? 'null' : `a ${typeof item}`}, expected an object`,
    );
  checkId(item.id);
  checkVector(item.vector, info);
  return { id: item.id, vector: item.vector, metadataText: metadataText(item.metadata) };
}

function metadataText(metadata: unknown): string {
  const invalid = (problem: string) => new LookalikeError('invalid-metadata', `metadata ${problem}`);
  if (metadata === undefined) return '{}';
  if (!isPlainObject(metadata)) throw invalid('is not a JSON object');
  const problem = jsonProblem(metadata, 1);
  if (problem !== undefined) throw invalid(problem);
  const text = JSON.stringify(metadata);
  const bytes = text.length > maxMetadataBytes / 3 ? Buffer.byteLength(text) : text.length;
  if (bytes > maxMetadataBytes)
    throw invalid(`is ${bytes} bytes as JSON, expected at most ${maxMetadataBytes}`);
  return text;
}

function jsonProblem(value: unknown, depth: number): string | undefined {
  if (value === null || typeof value === 'boolean') return undefined;
  if (typeof value === 'string') return undefined;
  if (typeof value === 'number')
    return Number.isFinite(value) ? undefined : `holds ${value}, expected finite numbers`;
  if (depth > maxMetadataDepth) return `is nested more than ${maxMetadataDepth} deep`;
  if (Array.isArray(value)) {
    for (const entry of value) {
      const problem = jsonProblem(entry, depth + 1);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }
  if (!isPlainObject(value)) return `holds a ${typeof value} that is no JSON value`;
  for (const key of Object.keys(value)) {
    const problem = jsonProblem(value[key], depth + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function isPlainObject(value: unknown): value is Record<string, JsonValue> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** A whole number from `min` to `max`, or `fallback` where it is left out; throws `invalid-request`. */
export function checkWhole(
  name: string,
  value: number | undefined,
  min: number,
  max: number,
  fallback: number,
): number {
  if (value === undefined) return fallback;
  if (!Number.isInteger(value) || value < min || value > max)
    throw new LookalikeError(
      'invalid-request',
      `${name} ${value}, expected a whole number from ${min} to ${max}`,
    );
  return value;
}

export function checkSimilarity(name: string, value: number | undefined): number | undefined {
  if (value !== undefined && !(value >= 0 && value <= 1))
    throw new LookalikeError('invalid-request', `${name} ${value}, expected a number from 0 to 1`);
  return value;
}
