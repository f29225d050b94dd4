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
    """95% interval of the equal error rate, drawing subjects (not pairs) with replacement."""
    rng = np.random.default_rng(seed)
    subjects = np.unique(scores.same_of)
    same = {s: scores.same[scores.same_of == s] for s in subjects}
    different = {s: scores.different[scores.different_of == s] for s in subjects}
    found = []
    for _ in range(draws):
        drawn = rng.choice(subjects, len(subjects))
        others = np.concatenate([different[s] for s in drawn])
        if len(others):
            found.append(equal_error_rate(np.concatenate([same[s] for s in drawn]), others))
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)
