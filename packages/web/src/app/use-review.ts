import { useEffect, useState } from 'preact/hooks';
import type { Pair } from './different-pictures.ts';
import type { Choices } from './duplicate-choices.ts';
import { type Review, readReview, writeReview } from './review-storage.ts';
import { server } from './server.ts';

export interface ReviewControl extends Review {
  choose: (choices: Choices, said: string) => void;
  /** Tells the server that these are different pictures, and shows it at once. */
  part: (pairs: Pair[], said: string) => void;
  /** What the last step did, for the button that takes it back; missing where there is none. */
  lastStep: string | undefined;
  undo: () => void;
  /** Why the server did not take the last verdict; then nothing of it is shown. */
  error: unknown;
}

/** The server takes no more. */
const pairsARequest = 1000;

type Step = { said: string } & ({ choicesBefore: Choices } | { pairs: readonly Pair[] });

/** A person's choices and verdicts on the groups of one search, each of which can be taken back. */
export function useReview(collection: string, job: string): ReviewControl {
  const [review, setReview] = useState<Review>(() => readReview(collection, job));
  const [steps, setSteps] = useState<readonly Step[]>(() =>
    review.apart.length === 0 ? [] : [{ said: 'the verdicts given before', pairs: review.apart }],
  );
  const [error, setError] = useState<unknown>();
  useEffect(() => writeReview(collection, job, review), [collection, job, review]);

  const show = (pairs: readonly Pair[], different: boolean) =>
    setReview((last) => ({
      ...last,
      apart: different ? [...last.apart, ...pairs] : last.apart.filter((pair) => !pairs.includes(pair)),
    }));

  /** Shown before the server has answered, and taken back where it refuses. */
  const tell = async (step: Step & { pairs: readonly Pair[] }, different: boolean) => {
    const keep = (there: boolean) =>
      setSteps((all) => (there ? [...all, step] : all.filter((one) => one !== step)));
    show(step.pairs, different);
    keep(different);
    setError(undefined);
    try {
      for (let start = 0; start < step.pairs.length; start += pairsARequest) {
        const pairs = step.pairs.slice(start, start + pairsARequest);
        await server.markDifferent(collection, pairs, { different });
      }
    } catch (problem) {
      show(step.pairs, !different);
      keep(!different);
      setError(problem);
    }
  };

  return {
    ...review,
    error,
    lastStep: steps.at(-1)?.said,
    choose: (choices, said) => {
      setSteps((all) => [...all, { said, choicesBefore: review.choices }]);
      setReview((last) => ({ ...last, choices }));
    },
    part: (pairs, said) => void tell({ said, pairs }, true),
    undo: () => {
      const last = steps.at(-1);
      if (!last) return;
      if ('pairs' in last) {
        void tell(last, false);
        return;
      }
      setSteps(steps.slice(0, -1));
      setReview((now) => ({ ...now, choices: last.choicesBefore }));
    },
  };
}
