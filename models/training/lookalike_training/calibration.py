"""Thresholds with a stated rate of false alarms.

A false-positive rate is measured on pairs of different pictures; the threshold for rate r is the similarity that a
share r of them reaches. Recall is the share of true copies that stay above it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

RATES = (1e-2, 1e-3, 1e-4)


def unrelated_similarities(embeddings: np.ndarray, known_copies: Sequence[tuple[int, int]] = ()) -> np.ndarray:
    """Similarity (cosine clipped to [0, 1]) of every pair of rows of ``embeddings`` [n, d], less ``known_copies``."""
    similarity = np.clip(embeddings @ embeddings.T, 0, 1)
    wanted = np.triu(np.ones(similarity.shape, dtype=bool), k=1)
    for i, j in known_copies:
        wanted[min(i, j), max(i, j)] = False
    return similarity[wanted]


def thresholds(
    negatives: np.ndarray, positives: np.ndarray, calibrated_on: str, rates: Sequence[float] = RATES
) -> list[dict]:
    """Entries for ``thresholds`` of ``model.json``: one a rate that the number of negatives can support.

    A rate needs ten pairs above the line to mean anything, so rates below 10 / n are left out.
    """
    ordered = np.sort(negatives)[::-1]
    found = []
    for rate in rates:
        allowed = int(np.floor(rate * len(ordered)))
        if allowed < 10:
            continue
        # Just above the first pair that must stay outside: at most `allowed` pairs reach the threshold.
        threshold = float(np.nextafter(np.float32(ordered[allowed]), np.float32(2)))
        threshold = min(1.0, np.ceil(threshold * 1e4) / 1e4)
        entry: dict = {"similarity": round(threshold, 4), "falsePositiveRate": rate}
        if len(positives):
            entry["recall"] = round(float((positives >= threshold).mean()), 4)
        found.append({**entry, "calibratedOn": calibrated_on})
    return found
