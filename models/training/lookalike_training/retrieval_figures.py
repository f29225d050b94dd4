"""Figures of copy detection, from one table of similarities.

Micro average precision and recall at a precision pool the candidate pairs of all queries into one ranking, as the
Image Similarity Challenge does (Douze et al. 2021, "The 2021 Image Similarity Dataset and Challenge"), because one
threshold has to serve all queries. Every query here has exactly one true picture.
"""

from __future__ import annotations

import numpy as np


def _pooled(similarity: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Correctness [queries * references] of all pairs, best first; ties count against us."""
    right = np.zeros(similarity.shape, dtype=bool)
    right[np.arange(len(truth)), truth] = True
    flat, labels = similarity.ravel(), right.ravel()
    return labels[np.lexsort((labels, -flat))]


def micro_average_precision(similarity: np.ndarray, truth: np.ndarray) -> float:
    """``similarity`` [queries, references], ``truth`` [queries] -> area under the pooled precision-recall curve."""
    ordered = _pooled(similarity, truth)
    places = np.flatnonzero(ordered)
    precision = np.arange(1, len(places) + 1) / (places + 1)
    return float(precision.mean())


def recall_at_precision(similarity: np.ndarray, truth: np.ndarray, precision: float) -> float:
    """The largest share of true pairs found at a threshold where at least ``precision`` of the answers are right."""
    ordered = _pooled(similarity, truth)
    places = np.flatnonzero(ordered)
    good = np.flatnonzero(np.arange(1, len(places) + 1) / (places + 1) >= precision)
    return float((good[-1] + 1) / len(places)) if len(good) else 0.0


def recall_at_one(similarity: np.ndarray, truth: np.ndarray) -> float:
    rows = np.arange(len(truth))
    own = similarity[rows, truth]
    beaten = (similarity >= own[:, None]).sum(axis=1) == 1
    return float(beaten.mean())
