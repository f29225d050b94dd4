/** Where a response is highest, once what is unlikely has been marked down. */
export interface Peak {
  /** From the middle of the response, in cells. */
  x: number;
  y: number;
  /** The similarity found there, -1 to 1, nothing marked down. */
  similarity: number;
  /** That with the mark-down: what peaks are compared by. */
  rated: number;
}

/**
 * A raised cosine over the response [cells, cells]: 0 in the middle, 1 at the corners. A target seldom jumps.
 */
export function distanceWindow(cells: number): Float32Array {
  const hann = Array.from({ length: cells }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / (cells - 1)));
  return Float32Array.from(
    { length: cells * cells },
    (_, i) => 1 - (hann[Math.floor(i / cells)] as number) * (hann[i % cells] as number),
  );
}

/**
 * The best place of one response [cells, cells]: the highest cell after `penalty` times `window` is taken off, then the
 * top of a Catmull-Rom surface around it, in steps of a 16th of a cell.
 */
export function findPeak(response: Float32Array, cells: number, window: Float32Array, penalty: number): Peak {
  const rated = response.map((value, i) => value - penalty * (window[i] as number));
  let best = 0;
  for (let i = 1; i < rated.length; i++) if ((rated[i] as number) > (rated[best] as number)) best = i;
  const [column, row] = [best % cells, Math.floor(best / cells)];
  let top = { x: column, y: row, value: rated[best] as number };
  for (let stepY = -FINE + 1; stepY < FINE; stepY++) {
    for (let stepX = -FINE + 1; stepX < FINE; stepX++) {
      const x = clamp(column + stepX / FINE, 0, cells - 1);
      const y = clamp(row + stepY / FINE, 0, cells - 1);
      const value = surface(rated, cells, x, y);
      if (value > top.value) top = { x, y, value };
    }
  }
  const middle = (cells - 1) / 2;
  return {
    x: top.x - middle,
    y: top.y - middle,
    similarity: surface(response, cells, top.x, top.y),
    rated: top.value,
  };
}

/** Steps a cell. */
const FINE = 16;

const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));

/** Catmull-Rom interpolation of a [cells, cells] grid, its border repeated. */
function surface(grid: Float32Array, cells: number, x: number, y: number): number {
  const [left, top] = [Math.min(Math.floor(x), cells - 2), Math.min(Math.floor(y), cells - 2)];
  const [across, down] = [catmullRom(x - left), catmullRom(y - top)];
  let sum = 0;
  for (let j = 0; j < 4; j++) {
    const row = clamp(top + j - 1, 0, cells - 1) * cells;
    for (let i = 0; i < 4; i++) {
      const value = grid[row + clamp(left + i - 1, 0, cells - 1)] as number;
      sum += (down[j] as number) * (across[i] as number) * value;
    }
  }
  return sum;
}

/** Weights of the four points around the place `t`, 0 to 1 between the two in the middle. */
function catmullRom(t: number): [number, number, number, number] {
  return [
    ((2 - t) * t - 1) * t * 0.5,
    ((3 * t - 5) * t * t + 2) * 0.5,
    ((4 - 3 * t) * t + 1) * t * 0.5,
    (t - 1) * t * t * 0.5,
  ];
}
