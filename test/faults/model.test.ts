import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Administration,
  type Collection,
  distance,
  type Filter,
  type Match,
  type Metric,
  openEngine,
  type SearchEngine,
  similarity,
} from '@lookalike/index';
import { LookalikeError, MemoryStore } from '@lookalike/store';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FaultStore } from './fault-store.ts';

/** Steps in all; LOOKALIKE_STEPS asks for more. */
const steps = Number(process.env.LOOKALIKE_STEPS ?? 5400);
const stepsPerRun = 60;
const dimension = 3;
const processes = 3;
const grace = 3_600_000;

interface Row {
  vector: Float32Array;
  color: string;
}
type Model = ReadonlyMap<string, Row>;

/** A process: an engine with what it has in memory; `crash` loses that. */
interface Process {
  engine: SearchEngine & Administration;
  collection: Collection;
}

type Step =
  | { do: 'upsert'; by: number; items: { id: string; vector: number[]; color: string }[] }
  | { do: 'delete'; by: number; ids: string[] }
  | { do: 'delete by color'; by: number; color: string }
  | { do: 'query'; by: number; vector: number[]; topK: number; color: string | undefined }
  | { do: 'range'; by: number; vector: number[]; minSimilarity: number }
  | { do: 'approximate'; by: number; vector: number[]; topK: number }
  | { do: 'scan'; by: number }
  | { do: 'compact'; by: number; full: boolean; rebuild: boolean }
  | { do: 'collect garbage'; by: number }
  | { do: 'snapshot'; by: number; name: string }
  | { do: 'read snapshot'; by: number; name: string }
  | { do: 'delete snapshot'; by: number; name: string }
  | { do: 'wait'; hours: number }
  | { do: 'crash'; by: number };

const by = fc.nat(processes - 1);
// Few ids, few vectors: replacements, ties and deletions of what is there are what happens most.
const id = fc.integer({ min: 0, max: 24 }).map((n) => `id-${n}`);
const vector = fc
  .array(fc.integer({ min: -2, max: 2 }), { minLength: dimension, maxLength: dimension })
  .filter((values) => values.some((value) => value !== 0));
const color = fc.constantFrom('red', 'green', 'blue');
const name = fc.constantFrom('monday', 'tuesday');
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('upsert' as const),
      by,
      items: fc.array(fc.record({ id, vector, color }), { minLength: 1, maxLength: 8 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('delete' as const),
      by,
      ids: fc.array(id, { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete by color' as const), by, color }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('query' as const),
      by,
      vector,
      topK: fc.integer({ min: 1, max: 30 }),
      color: fc.option(color, { nil: undefined }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('range' as const),
      by,
      vector,
      minSimilarity: fc.double({ min: 0.1, max: 1, noNaN: true }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('approximate' as const),
      by,
      vector,
      topK: fc.integer({ min: 1, max: 30 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('scan' as const), by }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('compact' as const),
      by,
      full: fc.boolean(),
      rebuild: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('collect garbage' as const), by }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('snapshot' as const), by, name }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('read snapshot' as const), by, name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete snapshot' as const), by, name }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      hours: fc.double({ min: 0, max: 2, noNaN: true }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const), by }) },
);

/** What was read, to be compared with the model of its version. */
interface Reading {
  version: number;
  check(model: Model): void;
}

/** A write and the version that holds it. */
interface Written {
  version: number;
  apply(model: Map<string, Row>): void;
}

class World {
  readonly metric: Metric;
  #now = 1_000_000_000_000;
  readonly #store = new MemoryStore({ now: () => this.#now });
  readonly #processes: Process[] = [];
  readonly #models = new Map<number, Model>([[0, new Map()]]);
  /** Of waiting, so that calls of processes that work at once come in different orders; the same for the same steps. */
  #turns = 1;

  constructor(metric: Metric) {
    this.metric = metric;
  }

  async #start(): Promise<Process> {
    const store = new FaultStore(this.#store, async () => {
      this.#turns = (this.#turns * 48271) % 2147483647;
      for (let i = this.#turns % 4; i > 0; i--) await Promise.resolve();
      return undefined;
    });
    const engine = openEngine({
      store,
      now: () => this.#now,
      grace,
      commitWindow: 0,
      rangePageSize: 7,
      maintenance: false,
      cacheFolder: join(tmpdir(), 'lookalike-model-cache'),
      indexer: { maxSegmentRows: 12, coarseMinBytes: 0 },
    });
    await engine.createCollection('c', { dimension, metric: this.metric });
    return { engine, collection: await engine.collection('c') };
  }

  async open(): Promise<void> {
    for (let i = 0; i < processes; i++) this.#processes.push(await this.#start());
  }

  /** Runs the steps at once, then compares all that was read with the model of the version it was read at. */
  async together(group: readonly Step[]): Promise<void> {
    // A reader of a snapshot that is deleted and collected meanwhile may find nothing any more.
    const isLast = (step: Step) => step.do === 'delete snapshot';
    const outcomes = await Promise.all(
      group.filter((step) => !isLast(step)).map((step) => this.#run(step, group.length === 1)),
    );
    for (const step of group.filter(isLast)) await this.#run(step, false);
    const written = outcomes.filter((outcome) => outcome !== undefined && 'apply' in outcome);
    // One commit of one process may hold several calls, in the order they were made.
    for (const write of written.sort((a, b) => a.version - b.version)) {
      const model = new Map(this.#modelAt(write.version));
      write.apply(model);
      this.#models.set(write.version, model);
    }
    for (const outcome of outcomes)
      if (outcome !== undefined && 'check' in outcome) outcome.check(this.#modelAt(outcome.version));
  }

  #modelAt(version: number): Model {
    let newest = 0;
    for (const known of this.#models.keys()) if (known <= version && known > newest) newest = known;
    return this.#models.get(newest) as Model;
  }

  #expected(
    model: Model,
    query: Float32Array,
    keep: (row: Row, distance: number) => boolean,
  ): { id: string; distance: number }[] {
    return [...model]
      .map(([id, row]) => ({ id, row, distance: distance(this.metric, query, row.vector) }))
      .filter(({ row, distance }) => keep(row, distance))
      .sort((a, b) => a.distance - b.distance || (a.id < b.id ? -1 : 1))
      .map(({ id, distance }) => ({ id, distance }));
  }

  /**
   * `alone`: no other step runs at once. Else what a delete that found nothing says of its version cannot be put in order: it made
   * no commit of its own, and may have come after one of another process.
   */
  async #run(step: Step, alone: boolean): Promise<Written | Reading | undefined> {
    if (step.do === 'wait') {
      this.#now += step.hours * 3_600_000;
      return undefined;
    }
    const { engine, collection } = this.#processes[step.by] as Process;
    switch (step.do) {
      case 'upsert': {
        const items = step.items.map(({ id, vector, color }) => ({
          id,
          vector: Float32Array.from(vector),
          metadata: { color },
        }));
        const { version } = await collection.upsert(items);
        return {
          version,
          apply: (model) => {
            for (const { id, vector, metadata } of items) model.set(id, { vector, color: metadata.color });
          },
        };
      }
      case 'delete': {
        const { version, deleted } = await collection.delete({ ids: step.ids });
        if (deleted === 0 && !alone) return undefined;
        return {
          version,
          apply: (model) => {
            for (const id of step.ids) model.delete(id);
          },
        };
      }
      case 'delete by color': {
        const { version, deleted } = await collection.delete({
          filter: { field: 'color', equals: step.color },
        });
        if (deleted === 0 && !alone) return undefined;
        return {
          version,
          apply: (model) => {
            let expected = 0;
            for (const [id, row] of model)
              if (row.color === step.color) {
                model.delete(id);
                expected++;
              }
            expect(deleted).toBe(expected);
          },
        };
      }
      case 'query': {
        const query = Float32Array.from(step.vector);
        const filter: Filter | undefined =
          step.color === undefined ? undefined : { field: 'color', equals: step.color };
        const result = await collection.query({
          vector: query,
          topK: step.topK,
          exact: true,
          ...(filter && { filter }),
        });
        return {
          version: result.version,
          check: (model) => {
            const all = this.#expected(
              model,
              query,
              (row) => step.color === undefined || row.color === step.color,
            );
            expect(found(result.matches)).toEqual(all.slice(0, step.topK));
          },
        };
      }
      case 'range': {
        const query = Float32Array.from(step.vector);
        const { minSimilarity } = step;
        const first = await collection.query({ vector: query, minSimilarity });
        return {
          version: first.version,
          check: (model) => {
            const all = this.#expected(
              model,
              query,
              (_, apart) => similarity(this.metric, apart) >= minSimilarity,
            );
            expect(found(first.matches)).toEqual(all.slice(0, 7));
            expect(first.cursor !== undefined).toBe(all.length > 7);
          },
        };
      }
      case 'approximate': {
        const query = Float32Array.from(step.vector);
        const result = await collection.query({ vector: query, topK: step.topK, explain: true });
        return {
          version: result.version,
          check: (model) => {
            const all = this.#expected(model, query, () => true);
            expect(result.matches).toHaveLength(Math.min(step.topK, all.length));
            const known = new Map(all.map(({ id, distance }) => [id, distance]));
            for (const match of result.matches) expect(match.distance).toBe(known.get(match.id));
            if (result.receipt?.exact === true)
              expect(found(result.matches)).toEqual(all.slice(0, step.topK));
          },
        };
      }
      case 'scan': {
        const { items, version } = await collection.scan({ limit: 1000, include: ['vector'] });
        const { count } = await collection.count();
        return {
          version,
          check: (model) => {
            expect(items.map(({ id, vector, metadata }) => [id, vector, metadata.color])).toEqual(
              [...model].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, row]) => [id, row.vector, row.color]),
            );
            expect(count).toBeTypeOf('number');
          },
        };
      }
      case 'compact':
        await engine.compact('c', { full: step.full, rebuild: step.rebuild });
        return undefined;
      case 'collect garbage':
        await engine.collectGarbage('c');
        return undefined;
      case 'snapshot':
        // It is refused where hours pass while it is made.
        await engine.createSnapshot('c', step.name).catch(expectCode('snapshot-exists', 'write-failed'));
        return undefined;
      case 'read snapshot': {
        const snapshot = await engine.openSnapshot('c', step.name).catch(expectCode('unknown-snapshot'));
        if (snapshot === undefined) return undefined;
        // Whatever was compacted, collected and deleted since: the collection as it was at the version of the snapshot.
        const { items, version } = await snapshot.scan({ limit: 1000, include: ['vector'] });
        return {
          version,
          check: (model) => {
            expect(items.map(({ id, vector, metadata }) => [id, vector, metadata.color])).toEqual(
              [...model].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, row]) => [id, row.vector, row.color]),
            );
          },
        };
      }
      case 'delete snapshot':
        await engine.deleteSnapshot('c', step.name);
        return undefined;
      case 'crash':
        // Nothing is closed: what the old one still does, it does unseen.
        this.#processes[step.by] = await this.#start();
        return undefined;
    }
  }

  /** At the end every process sees the same, the objects are sound, and so says a process that knows nothing. */
  async finish(): Promise<void> {
    const fresh = await this.#start();
    const model = this.#modelAt(Number.MAX_SAFE_INTEGER);
    for (const { collection } of [...this.#processes, fresh]) {
      const { items } = await collection.scan({ limit: 1000 });
      expect(items.map(({ id }) => id)).toEqual([...model.keys()].sort());
      expect((await collection.count()).count).toBe(model.size);
    }
    const report = await fresh.engine.verify('c');
    expect(report.damaged).toEqual([]);
    expect(report.items).toBe(model.size);
  }
}

/** For `catch`: answers undefined to an error of these codes, and throws any other. */
function expectCode(...codes: string[]): (error: unknown) => undefined {
  return (error) => {
    if (!(error instanceof LookalikeError && codes.includes(error.code))) throw error;
  };
}

function found(matches: readonly Match[]): { id: string; distance: number }[] {
  return matches.map(({ id, distance }) => ({ id, distance }));
}

test.each(['cosine', 'l2', 'l1'] as const)(
  'any interleaving of several processes gives the answers of a plain map (%s)',
  async (metric) => {
    let done = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), {
          minLength: 20,
          maxLength: stepsPerRun / 2,
          size: 'max',
        }),
        async (groups) => {
          const world = new World(metric);
          await world.open();
          for (const group of groups) {
            await world.together(group);
            done += group.length;
          }
          await world.finish();
        },
      ),
      { numRuns: Math.ceil(steps / 3 / stepsPerRun) + 5 },
    );
    expect(done).toBeGreaterThanOrEqual(steps / 3);
  },
  1_200_000,
);
