import { LookalikeError } from '@lookalike/store';
import type { Filter } from './filter.ts';

const maxDepth = 32;
const maxNodes = 1000;
const maxValues = 10_000;
const maxField = 1024;

type Scalar = string | number | boolean | null;

/** Checks a filter from outside; throws `invalid-filter`, naming the place and what was expected there. */
export function parseFilter(value: unknown): Filter {
  let nodes = 0;

  function parse(node: unknown, path: string, depth: number): Filter {
    if (++nodes > maxNodes) throw invalid(path, `more than ${maxNodes} conditions`);
    if (depth > maxDepth) throw invalid(path, `conditions nested more than ${maxDepth} deep`);
    if (!isObject(node)) throw invalid(path, 'expected an object');
    const keys = Object.keys(node);
    const [key] = keys;
    if (keys.length === 1 && key === 'not') return { not: parse(node[key], `${path}.not`, depth + 1) };
    if (keys.length === 1 && (key === 'and' || key === 'or')) {
      const list = node[key];
      if (!Array.isArray(list)) throw invalid(`${path}.${key}`, 'expected a list of conditions');
      const parsed = list.map((entry, i) => parse(entry, `${path}.${key}[${i}]`, depth + 1));
      return key === 'and' ? { and: parsed } : { or: parsed };
    }
    return parseCondition(node, keys, path);
  }

  return parse(value, 'filter', 1);
}

function parseCondition(node: Record<string, unknown>, keys: string[], path: string): Filter {
  const { field } = node;
  if (typeof field !== 'string' || field === '')
    throw invalid(path, "expected 'field' with a condition, or one of 'and', 'or', 'not'");
  if (field.length > maxField) throw invalid(`${path}.field`, `longer than ${maxField} characters`);
  const conditions = keys.filter((key) => key !== 'field');
  const [condition] = conditions;
  if (conditions.length === 1 && condition === 'equals') {
    if (!isScalar(node.equals)) throw invalid(`${path}.equals`, 'expected a string, number, boolean or null');
    return { field, equals: node.equals };
  }
  if (conditions.length === 1 && condition === 'in') {
    if (!Array.isArray(node.in) || !node.in.every(isScalar))
      throw invalid(`${path}.in`, 'expected a list of strings, numbers, booleans or nulls');
    if (node.in.length > maxValues) throw invalid(`${path}.in`, `more than ${maxValues} values`);
    return { field, in: node.in };
  }
  if (conditions.length === 1 && condition === 'exists') {
    if (typeof node.exists !== 'boolean') throw invalid(`${path}.exists`, 'expected true or false');
    return { field, exists: node.exists };
  }
  if (conditions.length > 0 && conditions.every((key) => ['gt', 'gte', 'lt', 'lte'].includes(key))) {
    const bounds: Record<string, number | string> = {};
    for (const key of conditions) {
      const bound = node[key];
      if (typeof bound !== 'string' && !(typeof bound === 'number' && Number.isFinite(bound)))
        throw invalid(`${path}.${key}`, 'expected a finite number or a string');
      bounds[key] = bound;
    }
    if (new Set(Object.values(bounds).map((bound) => typeof bound)).size > 1)
      throw invalid(path, 'expected bounds of one type, numbers or strings');
    return { field, ...bounds };
  }
  throw invalid(
    path,
    `expected exactly one of 'equals', 'in', 'exists', or bounds ('gt', 'gte', 'lt', 'lte') for '${field}'`,
  );
}

function invalid(path: string, problem: string): LookalikeError {
  return new LookalikeError('invalid-filter', `${path}: ${problem}`, { details: { path } });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isScalar(value: unknown): value is Scalar {
  return (
    value === null ||
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    (typeof value === 'number' && Number.isFinite(value))
  );
}
