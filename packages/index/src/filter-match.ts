import type { JsonValue, Metadata } from './engine.ts';
import type { Filter } from './filter.ts';

/** A condition on one field's value; `undefined` stands for a missing field. */
export type ValueTest = (value: JsonValue | undefined) => boolean;

/** Compiles a parsed filter to a test of metadata. */
export function compileFilter(filter: Filter): (metadata: Metadata) => boolean {
  if ('and' in filter) {
    const tests = filter.and.map(compileFilter);
    return (metadata) => tests.every((test) => test(metadata));
  }
  if ('or' in filter) {
    const tests = filter.or.map(compileFilter);
    return (metadata) => tests.some((test) => test(metadata));
  }
  if ('not' in filter) {
    const test = compileFilter(filter.not);
    return (metadata) => !test(metadata);
  }
  const path = filter.field.split('.');
  const test = valueTest(filter);
  return (metadata) => test(fieldValue(metadata, path));
}

/** The condition of a leaf of a filter: of a list it is enough that one element passes. */
export function valueTest(filter: Extract<Filter, { field: string }>): ValueTest {
  if ('exists' in filter) return (value) => (value !== undefined) === filter.exists;
  const test = scalarTest(filter);
  return (value) => (Array.isArray(value) ? value.some(test) : test(value));
}

function scalarTest(filter: Exclude<Extract<Filter, { field: string }>, { exists: boolean }>): ValueTest {
  if ('equals' in filter) return (value) => value === filter.equals;
  if ('in' in filter) {
    const values = new Set<JsonValue | undefined>(filter.in);
    return (value) => values.has(value);
  }
  const { gt, gte, lt, lte } = filter;
  const type = typeof (gt ?? gte ?? lt ?? lte);
  return (value) =>
    (typeof value === 'number' || typeof value === 'string') &&
    typeof value === type &&
    (gt === undefined || value > gt) &&
    (gte === undefined || value >= gte) &&
    (lt === undefined || value < lt) &&
    (lte === undefined || value <= lte);
}

/** The value at a path of own properties. */
export function fieldValue(metadata: Metadata, path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = metadata;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, name))
      return undefined;
    value = value[name];
  }
  return value;
}
