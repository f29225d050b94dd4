import type { ModelDescription, PictureBytes, PictureLimits } from '@lookalike/encoder';
import { LookalikeError } from '@lookalike/store';
import { type Box, checkBox } from './box.ts';
import { cropSquare } from './crop.ts';
import { asFrame, type Frame } from './frame.ts';
import { distanceWindow, findPeak, type Peak } from './response-peak.ts';
import { openBranches, type SiameseBranches, type WasmPaths } from './siamese-branches.ts';
import type { TrackingDescription, TrackingParameters } from './tracking-description.ts';

export interface TrackResult {
  box: Box;
  /**
   * Cosine of the first frame's target (as it was updated since) and what is in the box, -1 to 1. Below the model's
   * `lostSimilarity` the target counts as lost; the box is then a guess, and it is searched further around.
   */
  score: number;
}

/** Follows one target through frames of one size, given in order. Frames are picture files or decoded pixels. */
export interface Tracker {
  readonly model: ModelDescription;
  readonly parameters: TrackingParameters;
  /** Takes what is in `box` as the target; may be called again for another one. */
  start(frame: Frame | PictureBytes, box: Box): Promise<void>;
  /** Where the target is in the next frame. */
  next(frame: Frame | PictureBytes): Promise<TrackResult>;
  close(): Promise<void>;
}

export interface TrackerOptions {
  /** Instead of those of `model.json`. */
  parameters?: Partial<TrackingParameters>;
  limits?: Partial<PictureLimits>;
  /** `file://` URLs of onnxruntime-web's two files, where a bundle keeps them. */
  wasm?: WasmPaths;
}

/**
 * Opens a tracking model (see `resolveModel` for names). It runs in this thread, on one core; nothing in it depends on
 * time, so equal frames give equal boxes everywhere.
 * @throws LookalikeError `unknown-model`, `invalid-model`, `not-a-tracking-model`, `model-file-damaged`
 */
export async function openTracker(modelDirectory: string, options: TrackerOptions = {}): Promise<Tracker> {
  const { model, tracking, branches } = await openBranches(modelDirectory, options.wasm);
  return new SiameseTracker(model, tracking, branches, options);
}

/** The side of the square around a target that shows it with half its mean side of context (SiamFC, section 2). */
export function contextSide(width: number, height: number): number {
  const context = (width + height) / 2;
  return Math.sqrt((width + context) * (height + context));
}

/** Of the exemplars that are looked for at the same time: a step smaller, as it is, a step larger. */
const SIZES = [-1, 0, 1] as const;
const MIDDLE = 1;
/** The region searched for a lost target, in sides of the usual one. */
const LOST_REGION = 1.5;
/** A target never shrinks below this on its shorter side, in pixels. */
const MIN_TARGET = 4;

interface Target {
  x: number;
  y: number;
  /** As in the first frame; only `scale` changes. */
  width: number;
  height: number;
  scale: number;
  first: Float32Array;
  /** Follows how the target looks. */
  recent: Float32Array;
  lost: boolean;
  framesSinceLook: number;
  frame: { width: number; height: number };
}

class SiameseTracker implements Tracker {
  readonly model: ModelDescription;
  readonly parameters: TrackingParameters;
  readonly #tracking: TrackingDescription;
  readonly #branches: SiameseBranches;
  readonly #limits: Partial<PictureLimits> | undefined;
  readonly #windows = new Map<number, Float32Array>();
  #target: Target | undefined;

  constructor(
    model: ModelDescription,
    tracking: TrackingDescription,
    branches: SiameseBranches,
    options: TrackerOptions,
  ) {
    this.model = model;
    this.parameters = { ...tracking.parameters, ...options.parameters };
    this.#tracking = tracking;
    this.#branches = branches;
    this.#limits = options.limits;
  }

  async start(given: Frame | PictureBytes, box: Box): Promise<void> {
    const frame = await asFrame(given, this.#limits);
    checkBox(box, frame);
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const look = await this.#look(frame, x, y, contextSide(box.width, box.height));
    this.#target = {
      x,
      y,
      width: box.width,
      height: box.height,
      scale: 1,
      first: look,
      recent: look,
      lost: false,
      framesSinceLook: 0,
      frame: { width: frame.width, height: frame.height },
    };
  }

  async next(given: Frame | PictureBytes): Promise<TrackResult> {
    const target = this.#target;
    if (!target) throw new LookalikeError('not-started', 'no target to follow: call start first');
    const frame = await asFrame(given, this.#limits);
    if (frame.width !== target.frame.width || frame.height !== target.frame.height) {
      const first = `${target.frame.width} x ${target.frame.height}`;
      throw new LookalikeError(
        'mixed-frame-sizes',
        `the frame is ${frame.width} x ${frame.height} pixels, the first one is ${first}: expected frames of one size`,
      );
    }
    const side = contextSide(target.width, target.height) * target.scale;
    const { peak, sizes } = await this.#find(frame, target, side);
    const { lostSimilarity } = this.parameters;
    target.lost = peak.similarity < lostSimilarity;
    if (!target.lost) {
      const pixelsACell = (this.#tracking.stride * side) / this.model.input.width;
      target.x = clamp(target.x + peak.x * pixelsACell, 0, frame.width);
      target.y = clamp(target.y + peak.y * pixelsACell, 0, frame.height);
      this.#resize(target, sizes);
    }
    await this.#follow(frame, target, peak.similarity);
    return { box: boxOf(target), score: peak.similarity };
  }

  async close(): Promise<void> {
    this.#target = undefined;
    await this.#branches.close();
  }

  /** Templates [3, dimension] of what is there: as seen a step smaller, as it is, and a step larger. */
  #look(frame: Frame, x: number, y: number, side: number): Promise<Float32Array> {
    const crops = SIZES.map((size) =>
      cropSquare(frame, { x, y, side: side / this.parameters.scaleStep ** size }, this.model.input.width),
    );
    return this.#branches.embedExemplars(crops);
  }

  /** The best place over all sizes, and how each size was rated at its best. */
  async #find(frame: Frame, target: Target, side: number): Promise<{ peak: Peak; sizes: number[] }> {
    const { stride, regionSide } = this.#tracking;
    const { windowPenalty, scalePenalty, firstShare } = this.parameters;
    const growth = target.lost ? LOST_REGION : 1;
    const pixels = Math.round((regionSide * growth) / stride) * stride;
    const square = { x: target.x, y: target.y, side: (side * pixels) / this.model.input.width };
    const crop = cropSquare(frame, square, pixels);
    const templates = mixed(target.first, target.recent, firstShare, this.model.output.dimension);
    const { maps, cells } = await this.#branches.search(crop, pixels, templates);
    const window = this.#window(cells);
    const peaks = maps.map((map) => findPeak(map, cells, window, windowPenalty));
    const sizes = peaks.map((peak, i) => peak.rated - (i === MIDDLE ? 0 : scalePenalty));
    const best = sizes.indexOf(Math.max(...sizes));
    return { peak: peaks[best] as Peak, sizes };
  }

  #window(cells: number): Float32Array {
    const known = this.#windows.get(cells);
    if (known) return known;
    const made = distanceWindow(cells);
    this.#windows.set(cells, made);
    return made;
  }

  #resize(target: Target, sizes: number[]): void {
    const { scaleStep, scaleDamping } = this.parameters;
    const change = scaleStep ** (topOfThree(sizes as [number, number, number]) * scaleDamping);
    const { frame } = target;
    const least = MIN_TARGET / Math.min(target.width, target.height);
    const most = Math.min(frame.width / target.width, frame.height / target.height);
    target.scale = clamp(target.scale * change, least, Math.max(least, most));
  }

  /** Now and then, and only where it is sure of the target, mixes how it looks now into the recent template. */
  async #follow(frame: Frame, target: Target, similarity: number): Promise<void> {
    const { updateEvery, updateShare, updateSimilarity } = this.parameters;
    target.framesSinceLook++;
    if (updateEvery === 0 || target.framesSinceLook < updateEvery || similarity < updateSimilarity) return;
    target.framesSinceLook = 0;
    const side = contextSide(target.width, target.height) * target.scale;
    const look = await this.#look(frame, target.x, target.y, side);
    target.recent = mixed(target.recent, look, 1 - updateShare, this.model.output.dimension);
  }
}

function boxOf({ x, y, width, height, scale }: Target): Box {
  return {
    x: x - (width * scale) / 2,
    y: y - (height * scale) / 2,
    width: width * scale,
    height: height * scale,
  };
}

/** Row by row `share` of `a` and the rest of `b`, of unit length again. */
function mixed(a: Float32Array, b: Float32Array, share: number, dimension: number): Float32Array {
  const rows = a.map((value, i) => share * value + (1 - share) * (b[i] as number));
  for (let from = 0; from < rows.length; from += dimension) {
    let squares = 0;
    for (let i = from; i < from + dimension; i++) squares += (rows[i] as number) ** 2;
    const norm = Math.sqrt(squares) || 1;
    for (let i = from; i < from + dimension; i++) rows[i] = (rows[i] as number) / norm;
  }
  return rows;
}

/** Where the parabola through values at -1, 0 and 1 is highest, within -1 to 1. */
function topOfThree([left, middle, right]: [number, number, number]): number {
  if (middle < left || middle < right) return left > right ? -1 : 1;
  const bend = left + right - 2 * middle;
  return bend < 0 ? clamp((left - right) / (2 * bend), -1, 1) : 0;
}

const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));
