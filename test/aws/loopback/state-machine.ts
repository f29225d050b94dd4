import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

/** The part of the Amazon States Language that the stacks use. */
export interface Definition {
  StartAt: string;
  States: Record<string, State>;
}

type State = ChoiceState | MapState | TaskState;

interface ChoiceState {
  Type: 'Choice';
  Choices: { Variable: string; IsPresent: boolean; Next: string }[];
  Default: string;
}

interface MapState {
  Type: 'Map';
  End: true;
  MaxConcurrency: number;
  ToleratedFailurePercentage: number;
  ItemReader: { Resource: string; ReaderConfig?: { InputType: string }; Parameters: Json };
  ItemBatcher: { MaxItemsPerBatch: number; BatchInput: Json };
  ItemProcessor: Definition & { ProcessorConfig: { Mode: string } };
  ResultWriter: {
    Resource: string;
    Parameters: Json;
    WriterConfig: { OutputType: string; Transformation: string };
  };
}

interface TaskState {
  Type: 'Task';
  End: true;
  Resource: string;
  Parameters?: unknown;
  Retry?: { MaxAttempts: number }[];
}

type Json = Record<string, unknown>;

/** What the states do outside of the machine. */
export interface World {
  list(bucket: string, prefix: string): string[];
  read(bucket: string, key: string): Buffer;
  write(bucket: string, key: string, body: string): void;
  invoke(arn: string, input: unknown): Promise<unknown>;
}

export interface MapRun {
  arn: string;
  status: 'RUNNING' | 'SUCCEEDED' | 'FAILED';
  counts: { total: number; succeeded: number; failed: number };
}

/** Runs a definition as Step Functions does, with JSONPath of names only. Unknown fields of a state are no error. */
export async function runMachine(
  definition: Definition,
  input: Json,
  world: World,
  onMapRun: (run: MapRun) => void,
): Promise<unknown> {
  let name = definition.StartAt;
  for (;;) {
    const state = definition.States[name];
    assert.ok(state !== undefined, `no state ${name}`);
    if (state.Type === 'Choice') {
      const taken = state.Choices.find(
        ({ Variable, IsPresent }) => (pick(Variable, input) !== undefined) === IsPresent,
      );
      name = taken?.Next ?? state.Default;
      continue;
    }
    return state.Type === 'Map' ? runMap(state, input, world, onMapRun) : runTask(state, input, world);
  }
}

async function runTask(state: TaskState, input: unknown, world: World): Promise<unknown> {
  assert.ok(state.Parameters === undefined || isObject(state.Parameters), 'Parameters must be an object');
  const parameters =
    state.Parameters === undefined ? input : resolvePaths(state.Parameters as Json, input as Json);
  const retries = Math.min(1, ...(state.Retry ?? []).map(({ MaxAttempts }) => MaxAttempts));
  for (let attempt = 0; ; attempt++) {
    try {
      return await world.invoke(state.Resource, parameters);
    } catch (error) {
      if (attempt >= retries) throw error;
      await sleep(10);
    }
  }
}

async function runMap(
  state: MapState,
  input: Json,
  world: World,
  onMapRun: (run: MapRun) => void,
): Promise<unknown> {
  assert.equal(state.ItemProcessor.ProcessorConfig.Mode, 'DISTRIBUTED');
  const items = readItems(state.ItemReader, input, world);
  const run: MapRun = {
    arn: `arn:aws:states:us-east-1:000000000000:mapRun:machine/${randomUUID()}`,
    status: 'RUNNING',
    counts: { total: items.length, succeeded: 0, failed: 0 },
  };
  onMapRun(run);
  const BatchInput = resolvePaths(state.ItemBatcher.BatchInput, input);
  const results: unknown[] = [];
  let next = 0;
  const lane = async () => {
    while (next < items.length) {
      const Items = items.slice(next, next + state.ItemBatcher.MaxItemsPerBatch);
      next += Items.length;
      try {
        results.push(await runMachine(state.ItemProcessor, { BatchInput, Items }, world, () => {}));
        run.counts.succeeded += Items.length;
      } catch {
        run.counts.failed += Items.length;
      }
    }
  };
  await Promise.all(Array.from({ length: state.MaxConcurrency }, lane));
  const failedShare = (100 * run.counts.failed) / Math.max(1, run.counts.total);
  run.status = failedShare > state.ToleratedFailurePercentage ? 'FAILED' : 'SUCCEEDED';
  if (run.status === 'FAILED') throw new Error('States.ExceedToleratedFailureThreshold');
  return writeResults(state.ResultWriter, run, results, input, world);
}

function readItems(
  { Resource, ReaderConfig, Parameters }: MapState['ItemReader'],
  input: Json,
  world: World,
): unknown[] {
  const { Bucket, Prefix, Key } = resolvePaths(Parameters, input) as Record<string, string>;
  if (Resource.endsWith(':s3:listObjectsV2'))
    return world.list(Bucket as string, Prefix ?? '').map((key) => ({ Key: key }));
  assert.ok(Resource.endsWith(':s3:getObject') && ReaderConfig?.InputType === 'MANIFEST', Resource);
  const { fileSchema, files } = JSON.parse(world.read(Bucket as string, Key as string).toString()) as {
    fileSchema: string;
    files: { key: string }[];
  };
  const names = fileSchema.split(', ');
  return files.flatMap(({ key }) =>
    world
      .read(Bucket as string, key)
      .toString()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const values = line.split(',').map((value) => value.replace(/^"(.*)"$/, '$1'));
        return Object.fromEntries(names.map((name, at) => [name, values[at]]));
      }),
  );
}

function writeResults(
  { Parameters, WriterConfig }: MapState['ResultWriter'],
  run: MapRun,
  results: unknown[],
  input: Json,
  world: World,
): unknown {
  assert.deepEqual(WriterConfig, { OutputType: 'JSONL', Transformation: 'COMPACT' });
  const { Bucket, Prefix } = resolvePaths(Parameters, input) as Record<string, string>;
  const folder = `${Prefix}/${run.arn.slice(run.arn.lastIndexOf('/') + 1)}`;
  const lines = results.map((result) => `${JSON.stringify(result)}\n`).join('');
  world.write(Bucket as string, `${folder}/SUCCEEDED_0.jsonl`, lines);
  const ResultFiles = {
    FAILED: [],
    PENDING: [],
    SUCCEEDED: [{ Key: `${folder}/SUCCEEDED_0.jsonl`, Size: lines.length }],
  };
  const manifest = { DestinationBucket: Bucket, MapRunArn: run.arn, ResultFiles };
  world.write(Bucket as string, `${folder}/manifest.json`, JSON.stringify(manifest));
  return { MapRunArn: run.arn, ResultWriterDetails: { Bucket, Key: `${folder}/manifest.json` } };
}

/** Members whose name ends in ".$" are paths into `input`; all others are taken as they are, also where they look like one. */
function resolvePaths(template: Json, input: Json): Json {
  return Object.fromEntries(
    Object.entries(template).map(([name, value]) => {
      if (!name.endsWith('.$')) return [name, isObject(value) ? resolvePaths(value as Json, input) : value];
      const found = pick(String(value), input);
      assert.ok(found !== undefined, `States.Runtime: ${value} is not in the input`);
      return [name.slice(0, -2), found];
    }),
  );
}

function pick(path: string, input: Json): unknown {
  assert.match(path, /^\$(\.\w+)*$/);
  return path
    .split('.')
    .slice(1)
    .reduce<unknown>((at, name) => (isObject(at) ? (at as Json)[name] : undefined), input);
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
