"""Error rates of a verifier: receiver operating characteristic, equal error rate, true accepts at false accepts.

The *false accept rate* is the share of different pairs that reach a threshold, the *false reject rate* the share of
same pairs that do not (ISO/IEC 19795-1 calls them false match and false non-match rate).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lookalike_training.verification.pairs import PairScores


@dataclass
class Roc:
    """``thresholds`` [k] ascending; the rates of accepting at and above each."""

    thresholds: np.ndarray
    false_accept: np.ndarray
    true_accept: np.ndarray


def roc(same: np.ndarray, different: np.ndarray) -> Roc:
    same, different = np.sort(same), np.sort(different)
    thresholds = np.unique(np.concatenate([same, different]))
    return Roc(
        thresholds,
        1 - np.searchsorted(different, thresholds, side="left") / len(different),
        1 - np.searchsorted(same, thresholds, side="left") / len(same),
    )


def equal_error_point(same: np.ndarray, different: np.ndarray) -> tuple[float, float]:
    """(error rate, threshold) where the shares of refused same pairs and accepted different pairs meet."""
    curve = roc(np.asarray(same), np.asarray(different))
    refused = 1 - curve.true_accept
    at = int(np.argmin(np.abs(refused - curve.false_accept)))
    return float((refused[at] + curve.false_accept[at]) / 2), float(curve.thresholds[at])


def equal_error_rate(same: np.ndarray, different: np.ndarray) -> float:
    return equal_error_point(same, different)[0]


def true_accept_at(same: np.ndarray, different: np.ndarray, false_accept: float) -> float:
    """The largest true accept rate of a threshold that accepts at most a share ``false_accept`` of different pairs."""
    curve = roc(same, different)
    allowed = curve.true_accept[curve.false_accept <= false_accept]
    return float(allowed.max()) if len(allowed) else 0.0


def rates_at(scores: PairScores, threshold: float) -> tuple[float, float]:
    """(false accept rate, false reject rate) of accepting from ``threshold`` on."""
    return float((scores.different >= threshold).mean()), float((scores.same < threshold).mean())


def error_interval(scores: PairScores, draws: int = 400, seed: int = 0) -> tuple[float, float]:
    """95% interval of the equal error rate, drawing subjects (not pairs) with replacement.

    A pair counts as often as its subjects were drawn together; copies of one subject make no different pair.
    """
    rng = np.random.default_rng(seed)
    subjects, places = np.unique(np.concatenate([scores.same_of, scores.different_of.ravel()]), return_inverse=True)
    same_of, (first, second) = places[: len(scores.same)], places[len(scores.same) :].reshape(-1, 2).T
    found = []
    for _ in range(draws):
        drawn = np.bincount(rng.integers(len(subjects), size=len(subjects)), minlength=len(subjects))
        together = np.where(first == second, drawn[first], drawn[first] * drawn[second])
        same, different = np.repeat(scores.same, drawn[same_of]), np.repeat(scores.different, together)
        if len(same) and len(different):
            found.append(equal_error_rate(same, different))
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)
