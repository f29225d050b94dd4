"""A stock of canvases that pictures get embedded in: captions above or below, screenshots of programs.

Each is a drawn canvas and the rectangle in which the picture stands.
"""

from __future__ import annotations

import random

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from lookalike_training.augment.stickers import _random_words

SIDE = 256


def _lines(draw: ImageDraw.ImageDraw, rng: random.Random, top: float, bottom: float, ink) -> None:
    size = rng.randint(7, 18)
    font = ImageFont.load_default(size)
    y = top + rng.uniform(0, 6)
    while y + size < bottom:
        if rng.random() < 0.8:
            draw.text((rng.uniform(2, 30), y), _random_words(rng, rng.randint(1, 6)), ink, font)
        y += size * rng.uniform(1.1, 1.8)


def _caption(rng: random.Random) -> tuple[Image.Image, tuple[float, float, float, float]]:
    dark = rng.random() < 0.35
    canvas = Image.new("RGB", (SIDE, SIDE), (0, 0, 0) if dark else (255, 255, 255))
    draw = ImageDraw.Draw(canvas)
    ink = (255, 255, 255) if dark else (0, 0, 0)
    top = rng.choice((0.0, rng.uniform(0.06, 0.3)))
    bottom = rng.uniform(0.06, 0.3) if top == 0 or rng.random() < 0.25 else 0.0
    font = ImageFont.load_default(rng.randint(12, 30))
    for low, high in ((0.0, top), (1 - bottom, 1.0)):
        if high - low > 0.02:
            draw.text((rng.uniform(2, 40), low * SIDE + 3), _random_words(rng, rng.randint(2, 6)), ink, font)
    margin = rng.choice((0.0, 0.0, rng.uniform(0, 0.05)))
    return canvas, (margin, top, 1 - margin, 1 - bottom)


def _program(rng: random.Random) -> tuple[Image.Image, tuple[float, float, float, float]]:
    dark = rng.random() < 0.5
    shade = rng.randint(0, 45) if dark else rng.randint(225, 255)
    ink = (rng.randint(180, 255),) * 3 if dark else (rng.randint(0, 90),) * 3
    canvas = Image.new("RGB", (SIDE, SIDE), (shade, shade, shade))
    draw = ImageDraw.Draw(canvas)
    left, right = rng.choice(((0.0, 1.0), (0.0, 1.0), (rng.uniform(0, 0.15), 1 - rng.uniform(0, 0.15))))
    top, bottom = rng.uniform(0.04, 0.28), 1 - rng.uniform(0.05, 0.4)
    _lines(draw, rng, 0, top * SIDE, ink)
    _lines(draw, rng, bottom * SIDE, SIDE, ink)
    for _ in range(rng.randint(1, 7)):
        x, r = rng.uniform(0, SIDE), rng.uniform(3, 12)
        y = rng.choice((rng.uniform(0, top), rng.uniform(bottom, 1))) * SIDE
        colour = tuple(rng.randint(0, 255) for _ in range(3))
        (draw.ellipse if rng.random() < 0.6 else draw.rectangle)((x - r, y - r, x + r, y + r), colour)
    return canvas, (left, top, right, bottom)


def draw_stock(count: int = 256, seed: int = 6) -> tuple[Tensor, Tensor]:
    """Canvases [count, 3, 256, 256] in 0..1 and rectangles [count, 4] (left, top, right, bottom in 0..1)."""
    rng = random.Random(seed)
    drawn = [(_caption if i % 2 else _program)(rng) for i in range(count)]
    canvases = torch.from_numpy(np.stack([np.asarray(c) for c, _ in drawn])).permute(0, 3, 1, 2).float().div_(255)
    return canvases, torch.tensor([r for _, r in drawn])
