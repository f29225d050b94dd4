import type { Pair } from './different-pictures.ts';
import type { Choices } from './duplicate-choices.ts';

export interface Review {
  choices: Choices;
  /** Verdicts given since the groups were found: the next search knows them by itself. */
  apart: readonly Pair[];
}

const storageKey = (collection: string) => `lookalike-review ${collection}`;

/**
 * One a collection, so that a reload or another search loses no work: choices go by the proposed picture and hold where
 * that is proposed again, verdicts are of one search.
 */
export function writeReview(collection: string, job: string, { choices, apart }: Review): void {
  try {
    if (choices.size === 0 && apart.length === 0) localStorage.removeItem(storageKey(collection));
    else localStorage.setItem(storageKey(collection), JSON.stringify({ job, choices: [...choices], apart }));
  } catch {
    // No storage, or a full one: then a reload forgets.
  }
}

export function readReview(collection: string, job: string): Review {
  try {
    const stored = JSON.parse(localStorage.getItem(storageKey(collection)) ?? '{}') as {
      job?: string;
      choices?: [string, string[]][];
      apart?: Pair[];
    };
    return {
      choices: new Map(stored.choices ?? []),
      apart: stored.job === job ? (stored.apart ?? []) : [],
    };
  } catch {
    return { choices: new Map(), apart: [] };
  }
}
