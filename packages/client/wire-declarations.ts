import { fileURLToPath } from 'node:url';
import { OpenAPIHono, z } from '@hono/zod-openapi';
import {
  API,
  type Checker,
  NodeBuilderFlags,
  SymbolFlags,
  type Type,
  TypeFlags,
} from 'typescript/unstable/sync';
import * as collections from '../api/src/schemas-collections.ts';
import * as duplicates from '../api/src/schemas-duplicates.ts';
import * as filter from '../api/src/schemas-filter.ts';
import * as items from '../api/src/schemas-items.ts';
import * as query from '../api/src/schemas-query.ts';
import * as service from '../api/src/schemas-service.ts';
import * as uploads from '../api/src/schemas-uploads.ts';
import * as values from '../api/src/schemas-values.ts';

/** Of an OpenAPI document: what a schema says in words, at each depth. */
interface Described {
  description?: string;
  properties?: Record<string, Described>;
  items?: Described;
  allOf?: Described[];
}

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const flags =
  NodeBuilderFlags.NoTruncation |
  NodeBuilderFlags.InTypeAlias |
  NodeBuilderFlags.UseSingleQuotesForStringLiteralType;

/**
 * The types of `@lookalike/api/schemas` written out, so that they need neither zod nor the packages they are inferred in. The
 * compiler says what they are, the OpenAPI document what they mean.
 */
export function wireDeclarations(): string {
  const config = path('../../tsconfig.json');
  const api = new API({ cwd: path('.') });
  try {
    const project = api.updateSnapshot({ openProjects: [config] }).getProject(config);
    const file = project?.program.getSourceFile(path('../api/src/schemas.ts'));
    const module = file && project?.checker.getSymbolAtLocation(file);
    if (!project || !module) throw new Error('the compiler does not find the schemas of the API');
    const { checker } = project;
    const types = new Map<string, Type>();
    for (const symbol of checker.getExportsOfModule(module)) {
      const declared = symbol.flags & SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      types.set(symbol.name, checker.getDeclaredTypeOfSymbol(declared));
    }
    return declarationsOf(types, checker);
  } finally {
    api.close();
  }
}

function declarationsOf(types: ReadonlyMap<string, Type>, checker: Checker): string {
  const described = describedSchemas();
  const names = new Map([...types].map(([name, type]) => [identityOf(type), name]));

  function written(type: Type, about: Described | undefined): string {
    const text = names.get(identityOf(type)) ?? writtenOut(type, about);
    return isOptional(type) && !isPrimitive(type) ? `${text} | undefined` : text;
  }

  function writtenOut(type: Type, about: Described | undefined): string {
    if (checker.isTupleType(type)) return checker.typeToString(type, undefined, flags);
    if (checker.isArrayType(type)) {
      const [element] = type.isTypeReference() ? checker.getTypeArguments(type) : [];
      if (element === undefined) throw new Error('an array without the type of its elements');
      const text = written(element, about?.items);
      const compound =
        (element.isUnionType() || element.isIntersectionType()) && !names.has(identityOf(element));
      const mutable = compound ? `(${text})[]` : `${text}[]`;
      return checker.typeToString(type, undefined, flags).startsWith('readonly ')
        ? `readonly ${mutable}`
        : mutable;
    }
    if ((type.isUnionType() || type.isIntersectionType()) && !isPrimitive(type)) {
      const members = (type.getTypes() ?? [])
        .filter((member) => !isUndefined(member))
        .map((member) => written(member, about));
      if (type.isIntersectionType()) return members.join(' & ');
      return members.map((member) => (member.includes(' & ') ? `(${member})` : member)).join(' | ');
    }
    if (!type.isObjectType()) return checker.typeToString(type, undefined, flags);
    return `{\n${membersOf(type, about).join('\n')}\n}`;
  }

  function membersOf(type: Type, about: Described | undefined): string[] {
    const indexes = checker
      .getIndexInfosOfType(type)
      .map(
        ({ keyType, valueType }) =>
          `[key: ${written(keyType, undefined)}]: ${written(valueType, undefined)};`,
      );
    const properties = checker.getPropertiesOfType(type).map((property) => {
      const of = about?.properties?.[property.name];
      const propertyType = checker.getTypeOfSymbol(property);
      if (propertyType === undefined) throw new Error(`the compiler has no type of ${property.name}`);
      const mark = property.flags & SymbolFlags.Optional ? '?' : '';
      return `${commentOf(of)}${property.name}${mark}: ${written(propertyType, of)};`;
    });
    return [...indexes, ...properties];
  }

  const declarations = [...types].map(([name, type]) => {
    const about = described.get(name);
    return `${commentOf(about)}export type ${name} = ${writtenOut(type, about)};\n`;
  });
  return indented(declarations.join('\n'));
}

/** The same for a union with and without `undefined`, which the compiler keeps apart from each other. */
function identityOf(type: Type): string {
  if (!type.isUnionType()) return String(type.id);
  const members = (type.getTypes() ?? []).filter((member) => !isUndefined(member)).map(({ id }) => id);
  return members.sort((a, b) => a - b).join(' ');
}

function isUndefined(type: Type): boolean {
  return (type.flags & TypeFlags.Undefined) !== 0;
}

function isOptional(type: Type): boolean {
  return type.isUnionType() && (type.getTypes() ?? []).some(isUndefined);
}

/** Of literals, strings and the like alone. */
function isPrimitive(type: Type): boolean {
  if (type.isUnionType()) return (type.getTypes() ?? []).every(isPrimitive);
  return !type.isObjectType() && !type.isIntersectionType();
}

function commentOf(about: Described | undefined): string {
  const text = about?.description ?? about?.allOf?.find(({ description }) => description)?.description;
  return text === undefined ? '' : `/** ${text.replaceAll('*/', '*\\/')} */\n`;
}

function indented(text: string): string {
  let depth = 0;
  return text
    .split('\n')
    .map((line) => {
      if (line.startsWith('}')) depth--;
      const moved = line === '' ? '' : '  '.repeat(depth) + line;
      if (line.endsWith('{')) depth++;
      return moved;
    })
    .join('\n');
}

/** The schemas of the OpenAPI document by name, of a document that is nothing else. */
function describedSchemas(): Map<string, Described> {
  const schemas = [collections, duplicates, filter, items, query, service, uploads, values]
    .flatMap((module): unknown[] => Object.values(module))
    .filter((value) => value instanceof z.ZodType);
  const app = new OpenAPIHono();
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/',
    responses: { 200: { description: '', content: { 'application/json': { schema: z.union(schemas) } } } },
  });
  const { components } = app.getOpenAPI31Document({ openapi: '3.1.0', info: { title: '', version: '' } });
  return new Map(Object.entries((components?.schemas ?? {}) as Record<string, Described>));
}
