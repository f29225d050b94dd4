"""Batches in which look-alikes meet.

Negatives drawn at random are easy: a shoe is no tiger. A batch here is made of small groups of neighbours in an
embedding (that of the untrained model), so that different pictures which look alike have to be told apart.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def neighbour_table(embeddings: np.ndarray, count: int, too_near: float = 0.97) -> np.ndarray:
    """[n, d] unit rows -> [n, count] indices of the nearest others, those above ``too_near`` left out: they may be
    copies that nobody knows of."""
    table = np.empty((len(embeddings), count), dtype=np.int64)
    for start in range(0, len(embeddings), 1024):
        similarity = embeddings[start : start + 1024] @ embeddings.T
        similarity[similarity > too_near] = -2
        similarity[np.arange(len(similarity)), np.arange(start, start + len(similarity))] = -3
        table[start : start + 1024] = np.argsort(-similarity, axis=1)[:, :count]
    return table


def neighbour_batches(
    table: np.ndarray | None, n: int, batch: int, group: int, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Endless batches of distinct indices: ``batch / group`` random seeds, each with ``group - 1`` of its neighbours.

    Without a table, plain random batches. Every index is a seed once an epoch.
    """
    if batch > n:
        raise ValueError(f"a batch of {batch} needs as many pictures, there are {n}")
    order: list[int] = []
    while True:
        chosen: dict[int, None] = {}
        while len(chosen) < batch:
            if not order:
                order = rng.permutation(n).tolist()
            seed = order.pop()
            chosen[seed] = None
            if table is not None:
                for other in rng.permutation(table[seed])[: group - 1]:
                    chosen[int(other)] = None
        yield np.array(list(chosen)[:batch])
