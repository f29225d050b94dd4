"""What a face model has to beat: pixels, eigenfaces and local binary patterns. Each gives scores [n, n], higher = more
alike; nothing is fitted on the people that are tested."""

from __future__ import annotations

import numpy as np


def _minus_euclidean(rows: np.ndarray) -> np.ndarray:
    squared = (rows**2).sum(1)
    return -np.sqrt(np.maximum(squared[:, None] + squared[None] - 2 * rows @ rows.T, 0))


def pixel_scores(pictures: np.ndarray) -> np.ndarray:
    """Euclidean distance of the grey pixels. ``pictures`` [n, h, w]."""
    return _minus_euclidean(pictures.reshape(len(pictures), -1).astype(np.float64))


def eigenface_scores(training: np.ndarray, pictures: np.ndarray, components: int = 60) -> np.ndarray:
    """Turk and Pentland 1991: cosine in the space of the training faces' principal components, each divided
    by its deviation (the Mahalanobis cosine of later comparisons, which is the better variant); the first
    ``components`` hold nine tenths of the variance."""
    rows = training.reshape(len(training), -1).astype(np.float64)
    mean = rows.mean(0)
    _, values, basis = np.linalg.svd(rows - mean, full_matrices=False)
    basis = basis[:components] / (values[:components, None] / np.sqrt(len(rows)))
    projected = (pictures.reshape(len(pictures), -1) - mean) @ basis.T
    unit = projected / np.linalg.norm(projected, axis=1, keepdims=True)
    return unit @ unit.T


def _uniform_patterns() -> np.ndarray:
    """[256] -> 0..58: patterns with at most two changes around the circle each have a bin, the rest share the last."""
    table, following = np.full(256, 58), 0
    for code in range(256):
        bits = [(code >> i) & 1 for i in range(8)]
        if sum(bits[i] != bits[i - 1] for i in range(8)) <= 2:
            table[code], following = following, following + 1
    return table


def pattern_scores(pictures: np.ndarray, grid: int = 7) -> np.ndarray:
    """Ahonen, Hadid, Pietikainen 2006: histograms of uniform local binary patterns (8 neighbours at 1 px) in
    ``grid`` x ``grid`` regions, chi-squared distance."""
    table = _uniform_patterns()
    middle = pictures[:, 1:-1, 1:-1].astype(np.int16)
    height, width = pictures.shape[1:]
    codes = np.zeros(middle.shape, dtype=np.int64)
    around = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))
    for bit, (dy, dx) in enumerate(around):
        moved = pictures[:, 1 + dy : height - 1 + dy, 1 + dx : width - 1 + dx]
        codes |= (moved >= middle).astype(np.int64) << bit
    labels = table[codes]
    histograms = []
    for rows in np.array_split(labels, grid, axis=1):
        for region in np.array_split(rows, grid, axis=2):
            flat = region.reshape(len(region), -1)
            histograms.append(np.stack([np.bincount(one, minlength=59) / flat.shape[1] for one in flat]))
    described = np.concatenate(histograms, axis=1)
    scores = np.empty((len(described), len(described)))
    for i, own in enumerate(described):
        total = own + described
        scores[i] = -((own - described) ** 2 / np.where(total > 0, total, 1)).sum(1)
    return scores
