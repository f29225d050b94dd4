"""The AT&T (ORL) faces: folders s1 ... s40, ten pictures each. People of the test occur nowhere else.

Samaria and Harter 1994, AT&T Laboratories Cambridge; research use with credit.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lookalike_training.data.pictures import grey, model_picture

TRAINING = range(1, 29)
TEST = range(29, 41)
FOLDS = 4


@dataclass
class Faces:
    """``pictures`` [n, h, w] uint8 as the model sees them, ``people`` [n]."""

    pictures: np.ndarray
    people: np.ndarray

    def of(self, chosen: np.ndarray) -> Faces:
        return Faces(self.pictures[chosen], self.people[chosen])


def face_files(folder: Path, people: range) -> list[tuple[int, Path]]:
    found = [(p, f) for p in people for f in sorted((folder / f"s{p}").glob("*.pgm"), key=lambda f: int(f.stem))]
    if not found:
        raise FileNotFoundError(f"no faces below {folder}: expected s{people[0]}/1.pgm and so on")
    return found


def read_faces(folder: Path, people: range, width: int, height: int, fit: str = "squash") -> Faces:
    files = face_files(folder, people)
    pictures = np.stack([grey(model_picture(f, width, height, fit)) for _, f in files])
    return Faces(pictures, np.array([p for p, _ in files]))


def fold_of(people: np.ndarray) -> np.ndarray:
    """[n]: the fold that holds each person out."""
    return people % FOLDS
