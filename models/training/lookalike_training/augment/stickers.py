"""A stock of things that people paste on pictures: words, faces, shapes, logos. Drawn once, placed at random."""

from __future__ import annotations

import random
import string

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn import functional as F

from lookalike_training.augment import warp

SIDE = 96


def _random_colour(rng: random.Random) -> tuple[int, int, int, int]:
    return (*(rng.choice((0, 255, rng.randint(0, 255))) for _ in range(3)), rng.choice((255, 255, 255, 170)))


def _random_words(rng: random.Random, count: int) -> str:
    letters = string.ascii_letters + string.digits
    return " ".join("".join(rng.choices(letters, k=rng.randint(2, 9))) for _ in range(count))


def _lettering(rng: random.Random) -> Image.Image:
    font = ImageFont.load_default(rng.randint(14, 40))
    text = "\n".join(_random_words(rng, rng.randint(1, 3)) for _ in range(rng.randint(1, 3)))
    probe = ImageDraw.Draw(Image.new("RGBA", (1, 1)))
    stroke = rng.choice((0, 0, 2, 3))
    box = probe.multiline_textbbox((0, 0), text, font, stroke_width=stroke)
    patch = Image.new("RGBA", (int(box[2]) + 6, int(box[3]) + 6), _random_colour(rng) if rng.random() < 0.25 else 0)
    ImageDraw.Draw(patch).multiline_text(
        (3, 3), text, _random_colour(rng), font, stroke_width=stroke, stroke_fill=_random_colour(rng)
    )
    return patch.resize((SIDE, SIDE), Image.Resampling.BILINEAR)


def _face(rng: random.Random) -> Image.Image:
    patch = Image.new("RGBA", (SIDE, SIDE), 0)
    draw = ImageDraw.Draw(patch)
    skin = rng.choice(((255, 210, 60, 255), (255, 170, 40, 255), (240, 80, 70, 255), _random_colour(rng)))
    draw.ellipse((2, 2, SIDE - 3, SIDE - 3), skin, (120, 80, 0, 255) if rng.random() < 0.5 else None, 2)
    ink = (50, 30, 0, 255)
    r = rng.uniform(4, 10)
    for x in (0.32, 0.68):
        cx, cy = SIDE * x, SIDE * rng.uniform(0.34, 0.42)
        draw.ellipse((cx - r, cy - r * 1.4, cx + r, cy + r * 1.4), rng.choice((ink, (255, 255, 255, 255))))
    if rng.random() < 0.5:
        draw.chord((SIDE * 0.25, SIDE * 0.4, SIDE * 0.75, SIDE * 0.85), 0, 180, rng.choice((ink, (255, 255, 255, 255))))
    else:
        draw.arc((SIDE * 0.25, SIDE * 0.4, SIDE * 0.75, SIDE * 0.8), *rng.choice(((10, 170), (190, 350))), ink, 5)
    return patch


def _shape(rng: random.Random) -> Image.Image:
    patch = Image.new("RGBA", (SIDE, SIDE), 0)
    draw = ImageDraw.Draw(patch)
    kind = rng.randrange(4)
    colour = _random_colour(rng)
    if kind == 0:
        draw.rounded_rectangle((0, 0, SIDE - 1, SIDE - 1), rng.randint(0, 40), colour)
    elif kind == 1:
        draw.ellipse((2, 2, SIDE - 3, SIDE - 3), None if rng.random() < 0.5 else colour, colour, rng.randint(3, 14))
    elif kind == 2:
        points = [(rng.randint(0, SIDE), rng.randint(0, SIDE)) for _ in range(rng.randint(3, 7))]
        draw.polygon(points, colour)
    else:
        middle = SIDE / 2
        spikes = rng.randint(4, 9)
        points = []
        for i in range(spikes * 2):
            radius = middle if i % 2 == 0 else middle * rng.uniform(0.35, 0.6)
            angle = np.pi * i / spikes
            points.append((middle + radius * np.sin(angle), middle - radius * np.cos(angle)))
        draw.polygon(points, colour)
    return patch


def draw_stock(count: int = 384, seed: int = 5) -> Tensor:
    """[count, 4, 96, 96] RGBA in 0..1."""
    rng = random.Random(seed)
    drawn = []
    for i in range(count):
        make = (_lettering, _lettering, _face, _shape)[i % 4]
        drawn.append(np.asarray(make(rng).convert("RGBA")))
    return torch.from_numpy(np.stack(drawn)).permute(0, 3, 1, 2).float().div_(255)


def paste(x: Tensor, stock: Tensor, smallest: float = 0.12, largest: float = 0.5) -> Tensor:
    """One random sticker on each picture of ``x``, ``smallest``..``largest`` of its width, at times stretched."""
    n, side = len(x), x.shape[-1]
    patch = stock[torch.randint(len(stock), (n,))]
    size = smallest + (largest - smallest) * torch.rand(n)
    stretch = torch.exp((torch.rand(n) - 0.3) * 1.2)
    half = torch.stack([size * stretch.sqrt(), size / stretch.sqrt()], 1).clamp(max=1) / 2
    middle = torch.rand(n, 2)
    rectangle = torch.cat([middle - half, middle + half], 1)
    turn = warp.rotation((torch.rand(n) - 0.5) * 50, torch.ones(n), torch.zeros(n, dtype=torch.bool))
    placed = warp.apply(turn @ warp.into_rectangle(rectangle), warp.grid(n, side))
    laid = F.grid_sample(patch, placed, padding_mode="zeros", align_corners=False)
    alpha = laid[:, 3:]
    return x * (1 - alpha) + laid[:, :3] * alpha
