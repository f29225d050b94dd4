export interface Pixels {
  /** sRGB, three bytes a pixel. */
  data: Uint8Array;
  width: number;
  height: number;
}

type Point = readonly [number, number];

/** Solves `rows x = right` by Gaussian elimination with partial pivoting. */
function solve(rows: number[][], right: number[]): number[] {
  const n = right.length;
  const m = rows.map((row, i) => [...row, right[i] as number]);
  const at = (row: number, column: number) => (m[row] as number[])[column] as number;
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let row = column + 1; row < n; row++)
      if (Math.abs(at(row, column)) > Math.abs(at(pivot, column))) pivot = row;
    [m[column], m[pivot]] = [m[pivot] as number[], m[column] as number[]];
    for (let row = 0; row < n; row++) {
      if (row === column) continue;
      const factor = at(row, column) / at(column, column);
      for (let k = column; k <= n; k++) (m[row] as number[])[k] = at(row, k) - factor * at(column, k);
    }
  }
  return m.map((row, i) => (row[n] as number) / (row[i] as number));
}

/**
 * Moves a picture's corners (left top, right top, right bottom, left bottom) to `corners` on a canvas of the same size:
 * the projective map through four points, sampled bilinearly; outside is `ground`.
 */
export function inPerspective(
  picture: Pixels,
  corners: readonly [Point, Point, Point, Point],
  ground: number,
): Pixels {
  const { data, width, height } = picture;
  const sources: Point[] = [
    [0, 0],
    [width, 0],
    [width, height],
    [0, height],
  ];
  // From the result to the source: eight unknowns, two equations a corner.
  const rows = corners.flatMap(([u, v], i) => {
    const [x, y] = sources[i] as Point;
    return [
      [u, v, 1, 0, 0, 0, -x * u, -x * v],
      [0, 0, 0, u, v, 1, -y * u, -y * v],
    ];
  });
  const [a, b, c, d, e, f, g, h] = solve(rows, sources.flat()) as [
    ...[number, number, number, number],
    ...[number, number, number, number],
  ];
  const result = new Uint8Array(data.length).fill(ground);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const [u, v] = [column + 0.5, row + 0.5];
      const w = g * u + h * v + 1;
      const [x, y] = [(a * u + b * v + c) / w - 0.5, (d * u + e * v + f) / w - 0.5];
      if (x < -0.5 || y < -0.5 || x > width - 0.5 || y > height - 0.5) continue;
      const [left, above] = [Math.floor(x), Math.floor(y)];
      const [right, below] = [x - left, y - above];
      const [x0, x1] = [Math.max(0, left), Math.min(width - 1, left + 1)];
      const [y0, y1] = [Math.max(0, above), Math.min(height - 1, above + 1)];
      for (let channel = 0; channel < 3; channel++) {
        const value = (px: number, py: number) => data[(py * width + px) * 3 + channel] as number;
        const upper = value(x0, y0) * (1 - right) + value(x1, y0) * right;
        const lower = value(x0, y1) * (1 - right) + value(x1, y1) * right;
        result[(row * width + column) * 3 + channel] = Math.round(upper * (1 - below) + lower * below);
      }
    }
  }
  return { data: result, width, height };
}
