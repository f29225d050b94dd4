"""Thresholds of a verifier for ``model.json``: where both errors are equal, and at stated false accept rates.

``recall`` in ``model.json`` is the true accept rate: one less the false reject rate.
"""

from __future__ import annotations

from collections.abc import Sequence

from lookalike_training.calibration import thresholds
from lookalike_training.verification.figures import equal_error_point, rates_at
from lookalike_training.verification.pairs import PairScores


def operating_points(
    scores: PairScores, calibrated_on: str, rates: Sequence[float], default_rate: float | None
) -> tuple[list[dict], float]:
    """(entries for ``thresholds``, the default): the default is the threshold of ``default_rate``, or, with ``None``,
    the one of equal errors."""
    _, at = equal_error_point(scores.same, scores.different)
    equal = round(at, 4)
    accepted, refused = rates_at(scores, equal)
    points = [
        {
            "similarity": equal,
            "falsePositiveRate": round(accepted, 4),
            "recall": round(1 - refused, 4),
            "calibratedOn": calibrated_on,
        }
    ]
    points += thresholds(scores.different, scores.same, calibrated_on, rates)
    points.sort(key=lambda p: p["similarity"])
    chosen = equal if default_rate is None else None
    if default_rate is not None:
        chosen = next(p["similarity"] for p in points if p["falsePositiveRate"] == default_rate)
    return points, chosen


def reference_points(scores: PairScores, references: int, calibrated_on: str) -> list[dict]:
    """Entries for ``referenceThresholds``: the margin of equal errors first, then a stricter one. A ``margin`` is the
    mean similarity to the references less that of the references among each other."""
    points, equal = operating_points(scores, calibrated_on, rates=(0.05,), default_rate=None)
    points.sort(key=lambda point: point["similarity"] != equal)
    return [{"references": references, "margin": point.pop("similarity"), **point} for point in points]
