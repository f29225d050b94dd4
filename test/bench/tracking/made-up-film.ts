import type { Box, Frame } from '@lookalike/tracking';
import { Random } from '../accuracy/random.ts';

/** A film whose target is known in every frame, made of still pictures: for tests, and for choosing parameters. */
export interface Film {
  frames: Frame[];
  /** Around the target, one a frame. */
  boxes: Box[];
}

export interface FilmPlan {
  width: number;
  height: number;
  frames: number;
  /** What is behind, what the target is cut from, and what passes in front of it or beside it. */
  background: Frame;
  object: Frame;
  passer: Frame;
  /** Width and height of the target in the first frame, in pixels. */
  size: [number, number];
  /** 0: it only moves. 1: it also turns, bends, grows, is passed by others, and the light and the focus change. */
  hardship: number;
  /** Equal seeds give equal films. */
  seed: string;
}

export function makeFilm(plan: FilmPlan): Film {
  const random = new Random(plan.seed);
  const between = (low: number, high: number) => random.between(low, high);
  const { width, height, hardship } = plan;
  const [targetWidth, targetHeight] = plan.size;
  const room: [number, number] = [width / 2 - targetWidth * 0.75, height / 2 - targetHeight * 0.75];
  const course = [0, 1].map((axis) => wander(random, (room[axis] as number) * between(0.5, 1)));
  const growth = wander(random, 0.45 * hardship);
  const turn = wander(random, 0.4 * hardship);
  const bend = { amount: between(0, 0.12) * hardship, waves: between(2, 5), speed: between(0.05, 0.3) };
  const light = wander(random, 0.3 * hardship);
  const pan = [0, 1].map(() => wander(random, 0.12));
  const cut = {
    x: between(0.35, 0.65),
    y: between(0.35, 0.65),
    side: between(0.25, 0.5),
    power: between(2, 6),
  };
  const passer = {
    ...{ x: between(0.3, 0.7), y: between(0.3, 0.7), side: between(0.2, 0.5) },
    course: [0, 1].map((axis) => wander(random, (room[axis] as number) * 0.9)),
    /** Of another picture, or of the target's own: a twin is the harder one to tell apart. */
    picture: random.next() < 0.5 ? plan.passer : plan.object,
    size: random.next() < hardship ? between(0.5, 0.9) : 0,
  };
  const soft = random.next() < 0.5 * hardship ? between(0.5, 1) : 0;
  const frames: Frame[] = [];
  const boxes: Box[] = [];
  for (let t = 0; t < plan.frames; t++) {
    const time = t / 60;
    const scale = Math.exp((growth(time) ?? 0) - growth(0));
    const middle = course.map((along, axis) => ([width, height][axis] as number) / 2 + along(time)) as [
      number,
      number,
    ];
    const angle = turn(time) - turn(0);
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    const half = [(targetWidth / 2) * scale, (targetHeight / 2) * scale] as const;
    const brightness = Math.exp(light(time) - light(0));
    const pixels = new Uint8Array(width * height * 3);
    const passing = passer.course.map(
      (along, axis) => ([width, height][axis] as number) / 2 + along(time + 0.5),
    );
    const passingHalf = (passer.size * (half[0] + half[1])) / 2;
    const color = new Float32Array(3);
    const over = new Float32Array(3);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const across = (x / width) * 0.6 + 0.2 + (pan[0]?.(time) ?? 0);
        const down = (y / height) * 0.6 + 0.2 + (pan[1]?.(time) ?? 0);
        sample(plan.background, across, down, color);
        const [dx, dy] = [x + 0.5 - middle[0], y + 0.5 - middle[1]];
        let u = (dx * cos + dy * sin) / half[0];
        let v = (dy * cos - dx * sin) / half[1];
        if (Math.abs(u) < 1.2 && Math.abs(v) < 1.2) {
          const alpha = cutOut(u, v, cut.power);
          u += bend.amount * Math.sin(bend.waves * v + bend.speed * t);
          v += bend.amount * Math.cos(bend.waves * u + bend.speed * t);
          const reach = cut.side / 2;
          const tall = (reach * plan.object.width * half[1]) / (plan.object.height * half[0]);
          sample(plan.object, cut.x + u * reach, cut.y + v * Math.min(tall, 0.5), over);
          blend(color, over, alpha);
        }
        if (passingHalf > 0) {
          const [pu, pv] = [x - (passing[0] as number), y - (passing[1] as number)].map(
            (d) => d / passingHalf,
          ) as [number, number];
          if (Math.abs(pu) < 1.2 && Math.abs(pv) < 1.2) {
            sample(
              passer.picture,
              passer.x + (pu * passer.side) / 2,
              passer.y + (pv * passer.side) / 2,
              over,
            );
            blend(color, over, cutOut(pu, pv, 2));
          }
        }
        const at = (y * width + x) * 3;
        for (let c = 0; c < 3; c++)
          pixels[at + c] = Math.min(255, Math.max(0, (color[c] as number) * brightness));
      }
    }
    frames.push({ width, height, pixels: soft > 0 ? softened(pixels, width, height, soft) : pixels });
    const reachX = Math.hypot(half[0] * cos, half[1] * sin);
    const reachY = Math.hypot(half[0] * sin, half[1] * cos);
    boxes.push({ x: middle[0] - reachX, y: middle[1] - reachY, width: reachX * 2, height: reachY * 2 });
  }
  return { frames, boxes };
}

/** A smooth course within `reach` of 0; time 1 is sixty frames. */
function wander(random: Random, reach: number): (time: number) => number {
  const waves = (
    [
      [0.5, 0.5],
      [0.3, 1.1],
      [0.2, 2.3],
    ] as const
  ).map(([amount, speed]) => ({
    amount: reach * amount,
    speed: Math.PI * 2 * speed * (0.7 + 0.6 * random.next()),
    phase: Math.PI * 2 * random.next(),
  }));
  return (time) =>
    waves.reduce((sum, { amount, speed, phase }) => sum + amount * Math.sin(speed * time + phase), 0);
}

/** 1 inside of a superellipse of radius 1, 0 outside, soft at its edge. */
function cutOut(u: number, v: number, power: number): number {
  const radius = (Math.abs(u) ** power + Math.abs(v) ** power) ** (1 / power);
  return Math.min(1, Math.max(0, (1 - radius) / 0.08 + 0.5));
}

function blend(under: Float32Array, over: Float32Array, alpha: number): void {
  for (let c = 0; c < 3; c++) under[c] = (under[c] as number) * (1 - alpha) + (over[c] as number) * alpha;
}

/** Bilinear at `x`, `y` in 0..1 of the picture, mirrored beyond it. */
function sample({ width, height, pixels }: Frame, x: number, y: number, into: Float32Array): void {
  const column = mirrored(x) * (width - 1.001);
  const row = mirrored(y) * (height - 1.001);
  const [left, top] = [Math.floor(column), Math.floor(row)];
  const [fx, fy] = [column - left, row - top];
  const at = (top * width + left) * 3;
  const below = at + width * 3;
  for (let c = 0; c < 3; c++) {
    const high = (pixels[at + c] as number) * (1 - fx) + (pixels[at + 3 + c] as number) * fx;
    const low = (pixels[below + c] as number) * (1 - fx) + (pixels[below + 3 + c] as number) * fx;
    into[c] = high * (1 - fy) + low * fy;
  }
}

function mirrored(value: number): number {
  const turned = Math.abs(value) % 2;
  return turned > 1 ? 2 - turned : turned;
}

/** Each pixel with a share of its neighbours' mean: out of focus. */
function softened(pixels: Uint8Array, width: number, height: number, share: number): Uint8Array {
  const out = pixels.slice();
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (let j = -1; j <= 1; j++)
          for (let i = -1; i <= 1; i++) sum += pixels[((y + j) * width + x + i) * 3 + c] as number;
        const at = (y * width + x) * 3 + c;
        out[at] = (pixels[at] as number) * (1 - share) + (sum / 9) * share;
      }
    }
  }
  return out;
}
