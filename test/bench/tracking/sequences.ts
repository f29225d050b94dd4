import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Box } from '@lookalike/tracking';

/** A film with its true boxes, one a frame. */
export interface Sequence {
  name: string;
  /** Paths of the frames, in order. */
  frames: string[];
  truth: Box[];
}

/** Where the research data is looked for. */
export function dataFolder(): string {
  return process.env.LOOKALIKE_DATA ?? join(import.meta.dirname, '../../../../shared/data');
}

export const TEST_SEQUENCES = ['bag', 'crossing'] as const;

/** The test sequences, or none where there is no research data. */
export function testSequences(data = dataFolder()): Sequence[] {
  return TEST_SEQUENCES.flatMap((name) => {
    const folder = join(data, 'tracking', name);
    return existsSync(folder) ? [readSequence(name, folder)] : [];
  });
}

function readSequence(name: string, folder: string): Sequence {
  const names = readdirSync(folder);
  const pictures = names.includes('img') ? join(folder, 'img') : folder;
  const frames = readdirSync(pictures)
    .filter((file) => file.endsWith('.jpg'))
    .sort();
  const file = names.find((candidate) => candidate.startsWith('groundtruth')) ?? 'groundtruth.txt';
  const truth = readFileSync(join(folder, file), 'utf8').trim().split('\n').map(axisAligned);
  if (truth.length !== frames.length)
    throw new Error(`${folder}: ${frames.length} frames and ${truth.length} boxes`);
  return { name, frames: frames.map((frame) => join(pictures, frame)), truth };
}

/** `x,y,w,h`, or the corners `x1,y1 ... x4,y4` of a turned box, around which the answer lies. */
export function axisAligned(line: string): Box {
  const numbers = line
    .trim()
    .split(/[\s,]+/)
    .map(Number);
  if (numbers.length === 4) {
    const [x, y, width, height] = numbers as [number, number, number, number];
    return { x, y, width, height };
  }
  const across = numbers.filter((_, i) => i % 2 === 0);
  const down = numbers.filter((_, i) => i % 2 === 1);
  if (across.length !== down.length || across.length < 3 || !numbers.every(Number.isFinite))
    throw new Error(`not a box: ${line}`);
  const [x, y] = [Math.min(...across), Math.min(...down)];
  return { x, y, width: Math.max(...across) - x, height: Math.max(...down) - y };
}
