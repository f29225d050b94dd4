"""How well an encoder finds copies, on validation pictures only.

Queries are the copies of ``copies.catalogue``; references are all validation pictures. Used to choose between
recipes and to calibrate; the figures of the model cards come from other pictures.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from lookalike_training.copies.catalogue import CATALOGUE_VERSION, EASY, HARD, make_copy
from lookalike_training.data.cache import cache_folder
from lookalike_training.data.perceptual_hash import near_pairs, perceptual_hash
from lookalike_training.data.pictures import open_picture, squash
from lookalike_training.retrieval_figures import micro_average_precision, recall_at_one, recall_at_precision

#: Pairs of different files at most this many hash bits apart are taken for copies of each other.
SAME_WITHIN_BITS = 8


@dataclass
class ValidationPictures:
    """``pictures`` are at most 500 px a side; ``queries`` index into them; ``copies`` are known copies among them."""

    pictures: list[Image.Image]
    queries: list[int]
    copies: list[tuple[int, int]]
    seed: int
    key: str

    @staticmethod
    def read(files: list[Path], queries: int, seed: int = 7, among: int | None = None) -> ValidationPictures:
        """``queries`` of the first ``among`` files (default: of all) are asked for; all files are references."""
        pictures = []
        for file in files:
            picture = open_picture(file)
            picture.thumbnail((500, 500))
            pictures.append(picture)
        hashes = np.stack([perceptual_hash(p) for p in pictures])
        copies = near_pairs(hashes, SAME_WITHIN_BITS)
        doubled = {i for pair in copies for i in pair}
        chosen = [int(i) for i in np.random.default_rng(seed).permutation(among or len(pictures)) if i not in doubled]
        key = hashlib.sha256("\n".join([f"{seed} {queries} {CATALOGUE_VERSION}", *map(str, files)]).encode())
        return ValidationPictures(pictures, sorted(chosen[:queries]), copies, seed, key.hexdigest()[:16])

    def copy(self, name: str, index: int) -> Image.Image:
        # Neighbours in a shuffled order stand in for the other pictures of a collage.
        others = [self.pictures[(index + k) % len(self.pictures)] for k in (37, 101, 211, 307, 401)]
        return make_copy(name, index, self.pictures[index], others, self.seed)

    def pixels(self, name: str | None, side: int) -> np.ndarray:
        """[n, side, side, 3]: the references (``name`` None) or the queries of one kind of copy. Made once a side:
        making the copies costs as much as embedding them."""
        file = cache_folder() / f"validation-{self.key}-{side}" / f"{name or 'references'}.npy"
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            made = self.pictures if name is None else [self.copy(name, i) for i in self.queries]
            np.save(file, np.stack([squash(p, side, side) for p in made]))
        return np.load(file, mmap_mode="r")


def figures(similarity: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    return {
        "micro-AP": micro_average_precision(similarity, truth),
        "recall@1": recall_at_one(similarity, truth),
        "recall@P.999": recall_at_precision(similarity, truth, 0.999),
    }


@dataclass
class Report:
    references: np.ndarray
    queries: dict[str, np.ndarray]
    truth: np.ndarray

    def half(self, names) -> dict[str, float]:
        similarity = np.concatenate([self.queries[n] @ self.references.T for n in names])
        return figures(similarity, np.tile(self.truth, len(names)))

    def rows(self) -> dict[str, dict[str, float]]:
        return {n: figures(q @ self.references.T, self.truth) for n, q in self.queries.items()}

    def positives(self) -> np.ndarray:
        return np.concatenate([(q * self.references[self.truth]).sum(1) for q in self.queries.values()]).clip(0, 1)

    def text(self) -> str:
        lines = [f"{'':22}{'micro-AP':>10}{'recall@1':>10}{'R@P.999':>10}"]
        table = {"EASY HALF": self.half(EASY), "HARD HALF": self.half(HARD), **self.rows()}
        for name, row in table.items():
            lines.append(f"{name:22}" + "".join(f"{v:10.4f}" for v in row.values()))
        return "\n".join(lines)


def validate(embed_pixels, pictures: ValidationPictures, side: int) -> Report:
    """``embed_pixels``: iterable of [side, side, 3] uint8 -> [n, d] float32 of unit length."""
    return Report(
        references=embed_pixels(pictures.pixels(None, side)),
        queries={name: embed_pixels(pictures.pixels(name, side)) for name in {**EASY, **HARD}},
        truth=np.array(pictures.queries),
    )
