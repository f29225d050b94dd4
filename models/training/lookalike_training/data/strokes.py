"""Omniglot's pen strokes as sequences of movements.

A file lists strokes between START and BREAK lines, each as x,y,milliseconds. A sequence here is [steps, 7]: dx, dy of
a movement of fixed length, x, y of its end in the drawing's box, its pen state (1 = drawing, 0 = moving between
strokes), the share of the way done, and a constant 1 that tells a real step from padding.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

STEPS = 64
FEATURES = 7
SIZE = 105.0


def parse_strokes(text: str) -> list[np.ndarray]:
    """Strokes as [points, 2] in pixels of the 105 x 105 drawing, y downwards."""
    strokes: list[np.ndarray] = []
    current: list[tuple[float, float]] = []
    for line in text.split("\n"):
        line = line.strip()
        if line in ("START", ""):
            continue
        if line == "BREAK":
            if current:
                strokes.append(np.array(current))
            current = []
            continue
        x, y, _ = line.split(",")
        current.append((float(x), -float(y)))
    if current:
        strokes.append(np.array(current))
    return strokes


def as_sequence(strokes: list[np.ndarray], steps: int = STEPS) -> np.ndarray:
    """[steps, 7] float32. Points are spread evenly along the way, so speed and sampling rate do not matter; position
    and size are normalised to the drawing's own box."""
    points = np.concatenate(strokes)
    low, high = points.min(0), points.max(0)
    size = max(1.0, float((high - low).max()))
    middle = (low + high) / 2
    pen = np.concatenate([np.r_[0.0, np.ones(len(s) - 1)] for s in strokes])
    points = (points - middle) / size
    moves = np.diff(points, axis=0, prepend=points[:1])
    lengths = np.hypot(moves[:, 0], moves[:, 1])
    way = np.cumsum(lengths)
    total = max(float(way[-1]), 1e-6)
    at = np.linspace(0, total, steps + 1)
    x, y = (np.interp(at, way, points[:, i]) for i in (0, 1))
    # A resampled step draws if the segment in which its middle lies draws.
    segment = np.searchsorted(way, (at[1:] + at[:-1]) / 2).clip(max=len(pen) - 1)
    out = np.zeros((steps, FEATURES), dtype=np.float32)
    out[:, 0], out[:, 1] = np.diff(x) * steps / 8, np.diff(y) * steps / 8
    out[:, 2], out[:, 3] = x[1:] * 2, y[1:] * 2
    out[:, 4] = pen[segment]
    out[:, 5] = at[1:] / total
    out[:, 6] = 1.0
    return out


def distort_sequences(batch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Random rotation, shear and stretch of movements and places [n, steps, 7], and jitter: the affine part of another
    hand."""
    n = len(batch)
    angle = rng.uniform(-0.25, 0.25, n)
    shear = rng.uniform(-0.25, 0.25, n)
    sx, sy = rng.uniform(0.8, 1.25, n), rng.uniform(0.8, 1.25, n)
    c, s = np.cos(angle), np.sin(angle)
    matrix = np.stack([np.stack([c * sx, (c * shear - s) * sy], 1), np.stack([s * sx, (s * shear + c) * sy], 1)], 1)
    out = batch.copy()
    for pair in (slice(0, 2), slice(2, 4)):
        out[..., pair] = np.einsum("nij,nsj->nsi", matrix, batch[..., pair])
    out[..., :4] += rng.normal(0, 0.03, (*batch.shape[:2], 4))
    return out.astype(np.float32)


@dataclass
class StrokeDrawings:
    """``sequences`` [n, steps, 7], ``characters`` [n], ``alphabets`` [n] numbers, ``drawers`` [n] 1..20."""

    sequences: np.ndarray
    characters: np.ndarray
    alphabets: np.ndarray
    drawers: np.ndarray
    names: list[str]


def read_strokes(archives: list[Path]) -> StrokeDrawings:
    """All drawings of the archives; an alphabet that both hold counts once."""
    found: dict[tuple[str, str, int], str] = {}
    for archive in archives:
        with zipfile.ZipFile(archive) as zipped:
            for name in zipped.namelist():
                if not name.endswith(".txt") or "__MACOSX" in name:
                    continue
                alphabet, character, file = name.split("/")[-3:]
                found[alphabet, character, int(file[:-4].split("_")[1])] = zipped.read(name).decode()
    keys = sorted(found)
    names = sorted({k[0] for k in keys})
    characters = sorted({k[:2] for k in keys})
    number = {c: i for i, c in enumerate(characters)}
    return StrokeDrawings(
        np.stack([as_sequence(parse_strokes(found[k])) for k in keys]),
        np.array([number[k[:2]] for k in keys]),
        np.array([names.index(k[0]) for k in keys]),
        np.array([k[2] for k in keys]),
        names,
    )
