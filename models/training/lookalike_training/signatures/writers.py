"""The SigComp 2011 Dutch signatures: folders 001 ... 059 with ``genuine`` and ``forged`` (skilled forgeries).

Liwicki et al. 2011, "Signature Verification Competition for Online and Offline Skilled Forgeries"; research use.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lookalike_training.data.pictures import grey, model_picture

LAST_TRAINING_WRITER = 48
FOLDS = 4


@dataclass
class Signatures:
    """``pictures`` [n, h, w] uint8 as the model sees them, ``writers`` [n], ``genuine`` [n] booleans."""

    pictures: np.ndarray
    writers: np.ndarray
    genuine: np.ndarray

    def of(self, chosen: np.ndarray) -> Signatures:
        return Signatures(self.pictures[chosen], self.writers[chosen], self.genuine[chosen])


def signature_files(folder: Path, test: bool) -> list[tuple[int, bool, Path]]:
    """(writer, genuine, file) of the training writers or of those of the test."""
    found = [
        (int(writer.name), kind == "genuine", file)
        for writer in sorted(p for p in folder.iterdir() if p.name.isdigit())
        if (int(writer.name) > LAST_TRAINING_WRITER) == test
        for kind in ("genuine", "forged")
        for file in sorted((writer / kind).glob("*.png"))
    ]
    if not found:
        raise FileNotFoundError(f"no signatures below {folder}: expected 001/genuine/00.png and so on")
    return found


def read_signatures(folder: Path, test: bool, width: int, height: int) -> Signatures:
    files = signature_files(folder, test)
    return Signatures(
        np.stack([grey(model_picture(f, width, height, "contain")) for _, _, f in files]),
        np.array([w for w, _, _ in files]),
        np.array([g for _, g, _ in files]),
    )


def fold_of(writers: np.ndarray) -> np.ndarray:
    """[n]: the fold that holds each writer out; every fourth writer, so that folds are of equal size."""
    _, place = np.unique(writers, return_inverse=True)
    return place % FOLDS
