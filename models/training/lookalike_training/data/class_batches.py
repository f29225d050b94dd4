"""Batches from labelled folders: a few classes, a few pictures of each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np


def folder_labels(files: list[Path], root: Path) -> np.ndarray:
    """[n] integers: the number of the folder directly below ``root`` in which each file lies."""
    names = [f.relative_to(root).parts[0] for f in files]
    number = {name: i for i, name in enumerate(sorted(set(names)))}
    return np.array([number[name] for name in names])


def class_batches(labels: np.ndarray, batch: int, each: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Endless batches of ``batch`` indices: ``batch / each`` classes with ``each`` pictures (with repeats where a class
    has fewer: augmentation makes them differ)."""
    members = [np.flatnonzero(labels == c) for c in np.unique(labels)]
    if len(members) < 2:
        raise ValueError("labelled folders need at least two classes")
    classes = min(len(members), max(2, batch // each))
    while True:
        picked = rng.choice(len(members), classes, replace=False)
        yield np.concatenate([rng.choice(members[c], each, replace=len(members[c]) < each) for c in picked])
