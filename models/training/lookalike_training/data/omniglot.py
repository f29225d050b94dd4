"""Omniglot (Lake, Salakhutdinov, Tenenbaum 2015), read straight from its zip archives.

The background alphabets train and validate; the evaluation alphabets and the 20 official runs are test data. Nothing
in this package trains on them.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

#: Background alphabets held out to choose recipes and to calibrate: every tenth by name.
VALIDATION_EVERY = 10


@dataclass
class Drawings:
    """``pictures`` [n, side, side] uint8 (ink is dark), ``characters`` [n] and ``alphabets`` [n] numbers."""

    pictures: np.ndarray
    characters: np.ndarray
    alphabets: np.ndarray
    names: list[str]

    def of(self, chosen: np.ndarray) -> Drawings:
        return Drawings(self.pictures[chosen], self.characters[chosen], self.alphabets[chosen], self.names)


def read_drawing(content: bytes, side: int) -> np.ndarray:
    """[side, side] uint8, as the product would make it: grey, squashed with a triangle filter."""
    picture = Image.open(io.BytesIO(content)).convert("L")
    return np.asarray(picture.resize((side, side), Image.Resampling.BILINEAR))


def read_background(archive: Path, side: int) -> Drawings:
    """All drawings of ``images_background.zip`` in the order of their paths."""
    with zipfile.ZipFile(archive) as zipped:
        files = sorted(n for n in zipped.namelist() if n.endswith(".png") and "__MACOSX" not in n)
        pictures = np.stack([read_drawing(zipped.read(f), side) for f in files])
    parts = [f.split("/") for f in files]
    alphabets = sorted({p[-3] for p in parts})
    characters = sorted({(p[-3], p[-2]) for p in parts})
    number = {c: i for i, c in enumerate(characters)}
    return Drawings(
        pictures,
        np.array([number[p[-3], p[-2]] for p in parts]),
        np.array([alphabets.index(p[-3]) for p in parts]),
        alphabets,
    )


def split_alphabets(drawings: Drawings) -> tuple[Drawings, Drawings]:
    """(fit, validation): whole alphabets, so that validation characters come from unseen scripts."""
    held = drawings.alphabets % VALIDATION_EVERY == 0
    return drawings.of(~held), drawings.of(held)


@dataclass
class OneShotRun:
    """``support`` [20, side, side], one drawing a character; ``queries`` [20, side, side]; ``truth`` [20]: the index
    of the support drawing of the same character."""

    support: np.ndarray
    queries: np.ndarray
    truth: np.ndarray


def read_official_runs(archive: Path, side: int) -> list[OneShotRun]:
    """The 20 within-alphabet runs of ``all_runs.zip``."""
    runs = []
    with zipfile.ZipFile(archive) as zipped:
        for i in range(1, 21):
            lines = zipped.read(f"run{i:02d}/class_labels.txt").decode().split("\n")
            pairs = [line.split() for line in lines if line.strip()]
            training = sorted({b for _, b in pairs})
            support = np.stack([read_drawing(zipped.read(_inside(f)), side) for f in training])
            queries = np.stack([read_drawing(zipped.read(_inside(a)), side) for a, _ in pairs])
            runs.append(OneShotRun(support, queries, np.array([training.index(b) for _, b in pairs])))
    return runs


def _inside(path: str) -> str:
    # The labels name files from the folder of the runs, with or without it.
    return path[path.index("run") :]


def make_runs(drawings: Drawings, count: int, rng: np.random.Generator, ways: int = 20) -> list[OneShotRun]:
    """Runs of the same form from other alphabets: ``ways`` characters of one alphabet, one drawer's drawings as the
    support and another's as the queries, as the official ones were made."""
    runs = []
    numbers = [a for a in np.unique(drawings.alphabets)]
    while len(runs) < count:
        alphabet = rng.choice(numbers)
        inside = np.flatnonzero(drawings.alphabets == alphabet)
        characters = np.unique(drawings.characters[inside])
        if len(characters) < ways:
            # Small alphabets give smaller runs in the original too; here they are topped up by none, and left out.
            numbers = [a for a in numbers if a != alphabet]
            if not numbers:
                raise ValueError(f"no alphabet has {ways} characters")
            continue
        picked = rng.choice(characters, ways, replace=False)
        members = [inside[drawings.characters[inside] == c] for c in picked]
        # The twenty drawings of a character are sorted by drawer.
        first, second = rng.choice(min(map(len, members)), 2, replace=False)
        order = rng.permutation(ways)
        runs.append(
            OneShotRun(
                drawings.pictures[[m[first] for m in members]],
                drawings.pictures[[members[i][second] for i in order]],
                order,
            )
        )
    return runs
