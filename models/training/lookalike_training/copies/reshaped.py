"""Copies that cut, turn or bend."""

from __future__ import annotations

import random

import numpy as np
from PIL import Image, ImageOps


def cropped(picture: Image.Image, area: float, rng: random.Random, aspect_change: float = 1.0) -> Image.Image:
    """A window of ``area`` of the picture's surface, anywhere in it."""
    w, h = picture.size
    side = area**0.5
    stretch = rng.uniform(1 / aspect_change, aspect_change) ** 0.5
    cw, ch = min(w, round(w * side * stretch)), min(h, round(h * side / stretch))
    x, y = rng.randint(0, w - cw), rng.randint(0, h - ch)
    return picture.crop((x, y, x + cw, y + ch))


def rotated(picture: Image.Image, degrees: float, fill: tuple[int, int, int] = (0, 0, 0)) -> Image.Image:
    """The canvas grows, the corners are filled, as editors do."""
    if degrees % 90 == 0:
        turns = {90: Image.Transpose.ROTATE_90, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_270}
        return picture.transpose(turns[int(degrees) % 360])
    return picture.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=fill)


def mirrored(picture: Image.Image) -> Image.Image:
    return ImageOps.mirror(picture)


def upside_down(picture: Image.Image) -> Image.Image:
    return ImageOps.flip(picture)


def stretched(picture: Image.Image, factor: float) -> Image.Image:
    w, h = picture.size
    return picture.resize((max(8, round(w * factor)), h), Image.Resampling.BICUBIC)


def in_perspective(picture: Image.Image, strength: float, rng: random.Random) -> Image.Image:
    """Corners pulled inwards by up to ``strength`` of a side, the outside white: a photographed print."""
    w, h = picture.size
    corners = [(0, 0), (w, 0), (w, h), (0, h)]
    moved = [
        (
            x + (1 if x == 0 else -1) * rng.uniform(0, strength) * w,
            y + (1 if y == 0 else -1) * rng.uniform(0, strength) * h,
        )
        for x, y in corners
    ]
    # Pillow wants the map from the result to the source: eight unknowns, two equations a corner.
    rows, right = [], []
    for (u, v), (x, y) in zip(moved, corners, strict=True):
        rows += [[u, v, 1, 0, 0, 0, -x * u, -x * v], [0, 0, 0, u, v, 1, -y * u, -y * v]]
        right += [x, y]
    coefficients = np.linalg.solve(np.array(rows, float), np.array(right, float))
    return picture.transform(
        picture.size, Image.Transform.PERSPECTIVE, coefficients.tolist(), Image.Resampling.BICUBIC, fillcolor=(255,) * 3
    )
