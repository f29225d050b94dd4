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
  const scene = writeScene(plan, new Random(plan.seed));
  const moments = Array.from({ length: plan.frames }, (_, frame) => scene.at(frame));
  return {
    frames: moments.map((moment) => drawFrame(plan, scene, moment)),
    boxes: moments.map(boxAround),
  };
}

type Place = [number, number];

/** What does not change in a film, and where everything is at each of its frames. */
interface Scene {
  /** The part of the object's picture that is the target, in 0..1 of it, and the power of its superellipse. */
  cut: { x: number; y: number; side: number; power: number };
  bend: { amount: number; waves: number; speed: number };
  passer: { picture: Frame; x: number; y: number; side: number };
  /** Out of focus, 0 to 1. */
  soft: number;
  at(frame: number): Moment;
}

interface Moment {
  frame: number;
  /** Of the background, in 0..1 of its picture. */
  pan: Place;
  /** Middle, half sides and cosine and sine of the turn of the target, in pixels. */
  middle: Place;
  half: Place;
  turn: Place;
  /** The passer's middle and radius; 0: nobody passes. */
  passing: Place;
  radius: number;
  brightness: number;
}

function writeScene(plan: FilmPlan, random: Random): Scene {
  const { width, height, hardship } = plan;
  const between = (low: number, high: number) => random.between(low, high);
  const [targetWidth, targetHeight] = plan.size;
  const room: Place = [width / 2 - targetWidth * 0.75, height / 2 - targetHeight * 0.75];
  const course = room.map((reach) => wander(random, reach * between(0.5, 1)));
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
  const passed = { x: between(0.3, 0.7), y: between(0.3, 0.7), side: between(0.2, 0.5) };
  const passerCourse = room.map((reach) => wander(random, reach * 0.9));
  // Of another picture, or of the target's own: a twin is the harder one to tell apart.
  const passer = { ...passed, picture: random.next() < 0.5 ? plan.passer : plan.object };
  const passerSize = random.next() < hardship ? between(0.5, 0.9) : 0;
  const soft = random.next() < 0.5 * hardship ? between(0.5, 1) : 0;
  const along = (courses: ((time: number) => number)[], time: number, from: Place): Place => [
    from[0] + (courses[0]?.(time) ?? 0),
    from[1] + (courses[1]?.(time) ?? 0),
  ];
  return {
    cut,
    bend,
    passer,
    soft,
    at(frame) {
      const time = frame / 60;
      const scale = Math.exp(growth(time) - growth(0));
      const angle = turn(time) - turn(0);
      const half: Place = [(targetWidth / 2) * scale, (targetHeight / 2) * scale];
      return {
        frame,
        pan: along(pan, time, [0.2, 0.2]),
        middle: along(course, time, [width / 2, height / 2]),
        half,
        turn: [Math.cos(angle), Math.sin(angle)],
        passing: along(passerCourse, time + 0.5, [width / 2, height / 2]),
        radius: (passerSize * (half[0] + half[1])) / 2,
        brightness: Math.exp(light(time) - light(0)),
      };
    },
  };
}

/** The box around the turned ellipse; the bent surface stays inside of it. */
function boxAround({ middle, half, turn: [cos, sin] }: Moment): Box {
  const reachX = Math.hypot(half[0] * cos, half[1] * sin);
  const reachY = Math.hypot(half[0] * sin, half[1] * cos);
  return { x: middle[0] - reachX, y: middle[1] - reachY, width: reachX * 2, height: reachY * 2 };
}

function drawFrame({ width, height, background, object }: FilmPlan, scene: Scene, moment: Moment): Frame {
  const { cut, bend, passer, soft } = scene;
  const { middle, half, passing, radius, pan, brightness, frame } = moment;
  const [cos, sin] = moment.turn;
  const reach = cut.side / 2;
  const tall = Math.min(0.5, (reach * object.width * half[1]) / (object.height * half[0]));
  const pixels = new Uint8Array(width * height * 3);
  const color = new Float32Array(3);
  const over = new Float32Array(3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      sample(background, (x / width) * 0.6 + pan[0], (y / height) * 0.6 + pan[1], color);
      const [dx, dy] = [x + 0.5 - middle[0], y + 0.5 - middle[1]];
      let u = (dx * cos + dy * sin) / half[0];
      let v = (dy * cos - dx * sin) / half[1];
      if (Math.abs(u) < 1.2 && Math.abs(v) < 1.2) {
        const alpha = cutOut(u, v, cut.power);
        u += bend.amount * Math.sin(bend.waves * v + bend.speed * frame);
        v += bend.amount * Math.cos(bend.waves * u + bend.speed * frame);
        sample(object, cut.x + u * reach, cut.y + v * tall, over);
        blend(color, over, alpha);
      }
      const [pu, pv] = [(x - passing[0]) / radius, (y - passing[1]) / radius];
      if (Math.abs(pu) < 1.2 && Math.abs(pv) < 1.2) {
        sample(passer.picture, passer.x + (pu * passer.side) / 2, passer.y + (pv * passer.side) / 2, over);
        blend(color, over, cutOut(pu, pv, 2));
      }
      const at = (y * width + x) * 3;
      for (let c = 0; c < 3; c++)
        pixels[at + c] = Math.min(255, Math.max(0, (color[c] as number) * brightness));
    }
  }
  return { width, height, pixels: soft > 0 ? softened(pixels, width, height, soft) : pixels };
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
