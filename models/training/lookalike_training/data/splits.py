"""Which picture may be used for what.

Evaluation pictures (the last 200 of ``photos`` by name) are in no list here: nothing in this package reads them. The
rest is cut once more: four fifths to fit on, one fifth to choose and calibrate on. The cut is by position in the
sorted list, so it needs no file and no seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lookalike_training.data.pictures import list_pictures

TRAINING_PHOTOS = 200
VALIDATION_EVERY = 5
#: In these every picture shows the same thing from the same side: different pictures, but poor negatives.
UNIFORM_CLASSES = frozenset({"Faces_easy"})


@dataclass(frozen=True)
class Split:
    fit: list[Path]
    validation: list[Path]


def split_pictures(pictures: list[Path]) -> Split:
    """Every fifth picture of a sorted list goes to validation."""
    return Split(
        fit=[p for i, p in enumerate(pictures) if i % VALIDATION_EVERY != 0],
        validation=[p for i, p in enumerate(pictures) if i % VALIDATION_EVERY == 0],
    )


def research_split(data: Path) -> Split:
    """The training pictures of the shared research data, cut in two."""
    photos = list_pictures(data / "photos")[:TRAINING_PHOTOS]
    caltech = [p for p in list_pictures(data / "caltech101") if p.parent.name not in UNIFORM_CLASSES]
    clothing = list_pictures(data / "clothing")
    parts = [split_pictures(part) for part in (photos, caltech, clothing)]
    return Split(
        fit=[p for part in parts for p in part.fit],
        validation=[p for part in parts for p in part.validation],
    )
