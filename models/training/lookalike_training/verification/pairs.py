"""The scores of pairs, from embeddings and who they belong to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass
class PairScores:
    """Similarities (cosine clipped to [0, 1], as the product scores) of pairs, and who each pair is of.

    ``same`` [n], ``different`` [m]; ``same_of`` [n], ``different_of`` [m, 2]: the subjects (people, writers) whose pair
    it is (one of them twice where both are of one writer, a signature and its forgery), so that uncertainty can be
    drawn from subjects and not from pairs, which are not independent.
    """

    same: np.ndarray
    different: np.ndarray
    same_of: np.ndarray
    different_of: np.ndarray

    @staticmethod
    def joined(parts: list[PairScores]) -> PairScores:
        return PairScores(*(np.concatenate([getattr(p, f) for p in parts]) for f in PairScores.__dataclass_fields__))


def similarities(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Unit rows [n, d], [m, d] -> [n, m] in [0, 1]."""
    return np.clip(a @ b.T, 0, 1)


def pairs_of_subjects(score: np.ndarray, subjects: np.ndarray) -> PairScores:
    """Every pair once: ``score`` [n, n] symmetric, ``subjects`` [n]."""
    i, j = np.triu_indices(len(subjects), k=1)
    same = subjects[i] == subjects[j]
    values = score[i, j]
    return PairScores(values[same], values[~same], subjects[i][same], np.stack([subjects[i], subjects[j]], 1)[~same])


def pairs_with_forgeries(score: np.ndarray, writers: np.ndarray, genuine: np.ndarray) -> PairScores:
    """Genuine with genuine against genuine with skilled forgery of the same writer; two forgeries are no pair.

    ``score`` [n, n] symmetric, ``writers`` [n], ``genuine`` [n] booleans.
    """
    i, j = np.triu_indices(len(writers), k=1)
    of_one = writers[i] == writers[j]
    both, either = genuine[i] & genuine[j], genuine[i] ^ genuine[j]
    values = score[i, j]
    same, different = of_one & both, of_one & either
    either_of = np.stack([writers[i], writers[j]], 1)[different]
    return PairScores(values[same], values[different], writers[i][same], either_of)


def scores_of_references(
    score: np.ndarray,
    writers: np.ndarray,
    genuine: np.ndarray,
    references: int,
    rule: str,
    draws: int,
    seed: int,
    relative: bool = False,
) -> PairScores:
    """Several references a writer: each questioned signature against ``references`` genuine ones drawn at random,
    scored by their ``mean``, their ``max`` or the mean of the ``nearest two``; ``draws`` times.

    ``relative``: less the mean similarity of the references among each other, which says how much this hand varies.
    Scores are then in -1..1, around 0 for genuine ones.
    """
    rng = np.random.default_rng(seed)
    combine = {
        "mean": lambda s: s.mean(1),
        "max": lambda s: s.max(1),
        "nearest two": lambda s: np.sort(s, axis=1)[:, -2:].mean(1),
    }[rule]
    parts = []
    for writer in np.unique(writers):
        own, forged = np.flatnonzero((writers == writer) & genuine), np.flatnonzero((writers == writer) & ~genuine)
        for _ in range(draws):
            chosen = rng.choice(own, references, replace=False)
            rest = np.setdiff1d(own, chosen)
            among = score[np.ix_(chosen, chosen)][np.triu_indices(references, k=1)].mean() if relative else 0.0
            parts.append(
                PairScores(
                    combine(score[np.ix_(rest, chosen)]) - among,
                    combine(score[np.ix_(forged, chosen)]) - among,
                    np.full(len(rest), writer),
                    np.full((len(forged), 2), writer),
                )
            )
    return PairScores.joined(parts)


def rank_one(score: np.ndarray, subjects: np.ndarray) -> float:
    """One-shot identification: share of right answers when the k-th picture of every subject is enrolled and all others
    are asked, over all k that every subject has. ``score`` [n, n]."""
    members = [np.flatnonzero(subjects == s) for s in np.unique(subjects)]
    right = []
    for k in range(min(map(len, members))):
        enrolled = np.array([m[k] for m in members])
        asked = np.setdiff1d(np.arange(len(subjects)), enrolled)
        right.append(subjects[enrolled][score[np.ix_(asked, enrolled)].argmax(1)] == subjects[asked])
    return float(np.concatenate(right).mean())
