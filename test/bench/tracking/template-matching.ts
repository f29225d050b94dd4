import type { Box, Frame } from '@lookalike/tracking';

/** Where the first frame's target is looked for: in the whole frame, or around where it was last. */
export interface TemplateMatcherOptions {
  /** Sizes tried in each frame, against the last one. */
  scales: readonly number[];
  /** Side of the window searched, in sides of the target's context square; `Infinity` is the whole frame. */
  window: number;
}

/**
 * Tracking by zero-mean normalised cross-correlation of grey values with the first frame's target (Lewis 1995), the
 * template never updated. Targets with more than some thousand pixels are matched at a lower resolution.
 */
export class TemplateMatcher {
  readonly #options: TemplateMatcherOptions;
  #first: { frame: Grey; box: Box } | undefined;
  #box: Box = { x: 0, y: 0, width: 0, height: 0 };

  constructor(options: TemplateMatcherOptions) {
    this.#options = options;
  }

  start(frame: Frame, box: Box): void {
    this.#first = { frame: greyOf(frame), box };
    this.#box = box;
  }

  next(frame: Frame): Box {
    const first = this.#first;
    if (!first) throw new Error('start first');
    const grey = greyOf(frame);
    const last = this.#box;
    const [x, y] = [last.x + last.width / 2, last.y + last.height / 2];
    const context = (last.width + last.height) / 2;
    const reach = (Math.sqrt((last.width + context) * (last.height + context)) * this.#options.window) / 2;
    let best = { score: Number.NEGATIVE_INFINITY, box: last };
    for (const scale of this.#options.scales) {
      const size = { width: last.width * scale, height: last.height * scale };
      const found = match(first.frame, first.box, grey, size, { x, y, reach });
      if (found.score > best.score) best = found;
    }
    this.#box = best.box;
    return best.box;
  }
}

interface Grey {
  width: number;
  height: number;
  values: Float32Array;
}

/** The most pixels of a template: more are averaged away first. */
const MOST_PIXELS = 3000;

function greyOf({ width, height, pixels }: Frame): Grey {
  const values = new Float32Array(width * height);
  for (let i = 0; i < values.length; i++)
    values[i] =
      0.299 * (pixels[i * 3] as number) +
      0.587 * (pixels[i * 3 + 1] as number) +
      0.114 * (pixels[i * 3 + 2] as number);
  return { width, height, values };
}

/** A part of a picture at `width` x `height` pixels: each the mean of a grid of bilinear samples. */
function resampled(grey: Grey, part: Box, width: number, height: number): Grey {
  const values = new Float32Array(width * height);
  const [stepX, stepY] = [part.width / width, part.height / height];
  const taps = Math.max(1, Math.ceil(Math.max(stepX, stepY)));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let j = 0; j < taps; j++)
        for (let i = 0; i < taps; i++)
          sum += bilinear(
            grey,
            part.x + (x + (i + 0.5) / taps) * stepX,
            part.y + (y + (j + 0.5) / taps) * stepY,
          );
      values[y * width + x] = sum / (taps * taps);
    }
  }
  return { width, height, values };
}

function bilinear({ width, height, values }: Grey, x: number, y: number): number {
  const column = Math.min(width - 1, Math.max(0, x - 0.5));
  const row = Math.min(height - 1, Math.max(0, y - 0.5));
  const left = Math.min(Math.floor(column), Math.max(0, width - 2));
  const top = Math.min(Math.floor(row), Math.max(0, height - 2));
  const [fx, fy] = [column - left, row - top];
  const at = top * width + left;
  const high = (values[at] as number) * (1 - fx) + (values[at + 1] as number) * fx;
  const low = (values[at + width] as number) * (1 - fx) + (values[at + width + 1] as number) * fx;
  return high * (1 - fy) + low * fy;
}

function match(
  firstFrame: Grey,
  firstBox: Box,
  frame: Grey,
  size: { width: number; height: number },
  around: { x: number; y: number; reach: number },
): { score: number; box: Box } {
  const shrink = Math.min(1, Math.sqrt(MOST_PIXELS / (size.width * size.height)));
  const width = Math.max(2, Math.round(size.width * shrink));
  const height = Math.max(2, Math.round(size.height * shrink));
  const template = centred(resampled(firstFrame, firstBox, width, height));
  // The searched part, at the template's resolution.
  const left = Math.max(0, around.x - around.reach);
  const top = Math.max(0, around.y - around.reach);
  const right = Math.min(frame.width, around.x + around.reach);
  const bottom = Math.min(frame.height, around.y + around.reach);
  const columns = Math.round(((right - left) * width) / size.width);
  const rows = Math.round(((bottom - top) * height) / size.height);
  let best = { score: Number.NEGATIVE_INFINITY, x: 0, y: 0 };
  if (columns >= width && rows >= height) {
    const part = { x: left, y: top, width: right - left, height: bottom - top };
    best = bestPlace(template, resampled(frame, part, columns, rows));
  }
  const box = {
    x: left + (best.x * size.width) / width,
    y: top + (best.y * size.height) / height,
    width: size.width,
    height: size.height,
  };
  return { score: best.score, box };
}

/** Mean 0, length 1. */
function centred(grey: Grey): Grey {
  const mean = grey.values.reduce((sum, value) => sum + value, 0) / grey.values.length;
  const values = grey.values.map((value) => value - mean);
  const norm = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0)) || 1;
  return { ...grey, values: values.map((value) => value / norm) };
}

/** The upper left corner where `template` correlates best with `frame`. */
function bestPlace(template: Grey, frame: Grey): { score: number; x: number; y: number } {
  const { width, height } = template;
  const count = width * height;
  const [sums, squares] = [integral(frame, (v) => v), integral(frame, (v) => v * v)];
  const stride = frame.width + 1;
  const over = (table: Float64Array, x: number, y: number) =>
    (table[(y + height) * stride + x + width] as number) -
    (table[y * stride + x + width] as number) -
    (table[(y + height) * stride + x] as number) +
    (table[y * stride + x] as number);
  let best = { score: Number.NEGATIVE_INFINITY, x: 0, y: 0 };
  for (let y = 0; y + height <= frame.height; y++) {
    for (let x = 0; x + width <= frame.width; x++) {
      const variance = over(squares, x, y) - over(sums, x, y) ** 2 / count;
      if (variance < 1e-3) continue;
      let dot = 0;
      for (let row = 0; row < height; row++) {
        const from = (y + row) * frame.width + x;
        const own = row * width;
        for (let column = 0; column < width; column++)
          dot += (template.values[own + column] as number) * (frame.values[from + column] as number);
      }
      const score = dot / Math.sqrt(variance);
      if (score > best.score) best = { score, x, y };
    }
  }
  return best;
}

function integral({ width, height, values }: Grey, of: (value: number) => number): Float64Array {
  const table = new Float64Array((width + 1) * (height + 1));
  for (let y = 0; y < height; y++) {
    let row = 0;
    for (let x = 0; x < width; x++) {
      row += of(values[y * width + x] as number);
      table[(y + 1) * (width + 1) + x + 1] = (table[y * (width + 1) + x + 1] as number) + row;
    }
  }
  return table;
}
