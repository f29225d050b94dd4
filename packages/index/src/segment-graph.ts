import { LookalikeError } from '@lookalike/store';
import type { AnswerTraffic } from './answer-traffic.ts';
import { type Graph, hasGraphLibrary, loadGraph } from './graph.ts';
import { newMeter } from './meter.ts';
import { isDamage } from './object-fetch.ts';
import { RetryPause } from './retry-pause.ts';
import type { SegmentPlace } from './segment-place.ts';

/** The graph of a segment, where it has one: in memory while that allows. */
export class SegmentGraph {
  readonly #place: SegmentPlace;
  readonly #traffic: AnswerTraffic;
  #graph: Graph | undefined;
  #loading: Promise<void> | undefined;
  /** Damaged, or there is nothing to read it with. */
  #useless = false;
  readonly #pause = new RetryPause();

  constructor(place: SegmentPlace, traffic: AnswerTraffic) {
    this.#place = place;
    this.#traffic = traffic;
  }

  /** The graph, where there is one in memory. Otherwise begins to load it, where it would fit: the next ones may have it. */
  ifLoaded(): Graph | undefined {
    const { descriptor, space } = this.#place;
    if (this.#graph !== undefined) {
      space.budget.touch(this.#graph);
      return this.#graph;
    }
    const file = descriptor.files.graph;
    const mayLoad = !this.#useless && this.#pause.isOver;
    if (file !== undefined && mayLoad && file.length <= space.budget.limit / 2)
      this.#loading ??= this.#traffic
        .quiet()
        .then(() => this.#load())
        .catch(() => undefined)
        .finally(() => {
          this.#loading = undefined;
        });
    return undefined;
  }

  /** Resolves when the graph is in memory, or cannot be: a damaged one is done without. */
  load(): Promise<void> {
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #load(): Promise<void> {
    const { descriptor, info, space } = this.#place;
    const file = descriptor.files.graph;
    if (file === undefined || this.#graph !== undefined) return;
    if (!(await hasGraphLibrary())) {
      this.#useless = true;
      return;
    }
    try {
      const { metric, dimension } = info;
      const graph = await space.local.use(this.#place.key('graph'), file, newMeter(), async (path) => {
        if (!(await space.local.check(path, file)))
          throw new LookalikeError('damaged-object', `${path} is damaged`);
        return loadGraph(path, { metric, dimension, count: descriptor.rows });
      });
      this.#pause.succeeded();
      this.#graph = graph;
      space.budget.hold(graph, graph.bytes, () => {
        this.#graph = undefined;
      });
    } catch (error) {
      this.#useless = isDamage(error);
      if (this.#useless) return;
      this.#pause.failed();
      throw error;
    }
  }

  release(): void {
    if (this.#graph !== undefined) this.#place.space.budget.drop(this.#graph);
    this.#graph = undefined;
  }
}
