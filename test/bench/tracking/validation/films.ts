import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Box } from '@lookalike/tracking';
import { z } from 'zod';

/** Parameters are chosen on one half of the films and confirmed on the other. */
export const HALVES = ['choose', 'confirm'] as const;

const boxSchema = z.tuple([z.number(), z.number(), z.number(), z.number()]);

const filmSchema = z.strictObject({
  film: z.string(),
  half: z.enum(HALVES),
  source: z.strictObject({
    from: z.enum(['apt', 'apt source', 'pip', 'research data']),
    package: z.string().optional(),
    version: z.string().optional(),
    /** Inside the package: a film, or a printf pattern of pictures of which the first has the number `start`. */
    path: z.string(),
    start: z.int().optional(),
    licence: z.string(),
  }),
  /** Of the frames' sides, where the film is larger than it need be. */
  scale: z.number().optional(),
  /** First and last frame used; a film's first frame is number 1. */
  frames: z.tuple([z.int().positive(), z.int().positive()]),
  targets: z.array(z.strictObject({ name: z.string(), boxes: z.record(z.string(), boxSchema) })),
});

export type ValidationFilm = z.infer<typeof filmSchema>;

/** One object to follow, and the frames in which a person has drawn its box. */
export interface ValidationTarget {
  name: string;
  half: (typeof HALVES)[number];
  /** Paths of the frames from the first annotated one to the last. */
  frames: string[];
  /** By index into `frames`; the first is that of frame 0. */
  truth: Map<number, Box>;
}

/** Where `get-films.ts` puts the frames: a folder a film. */
export function filmsFolder(): string {
  return process.env.LOOKALIKE_FILMS ?? join(homedir(), '.cache/lookalike/validation-films');
}

export function validationFilms(): ValidationFilm[] {
  const folder = import.meta.dirname;
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  return files.sort().map((file) => filmSchema.parse(JSON.parse(readFileSync(join(folder, file), 'utf8'))));
}

/** The targets of all films that have been fetched. */
export function validationTargets(folder = filmsFolder()): ValidationTarget[] {
  return validationFilms()
    .filter(({ film }) => existsSync(join(folder, film)))
    .flatMap(({ film, half, targets }) =>
      targets.map(({ name, boxes }) => {
        const numbers = Object.keys(boxes)
          .map(Number)
          .sort((a, b) => a - b);
        const [first, last] = [numbers[0] as number, numbers.at(-1) as number];
        const frames = Array.from({ length: last - first + 1 }, (_, i) =>
          join(folder, film, frameFile(first + i)),
        );
        const truth = new Map(numbers.map((number) => [number - first, toBox(boxes[number] as BoxNumbers)]));
        return { name, half, frames, truth };
      }),
    );
}

export function frameFile(number: number): string {
  return `${String(number).padStart(5, '0')}.jpg`;
}

type BoxNumbers = z.infer<typeof boxSchema>;

function toBox([x, y, width, height]: BoxNumbers): Box {
  return { x, y, width, height };
}
