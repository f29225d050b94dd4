"""The validation's list of copies, in two halves.

The halves are those of the accuracy bench; the parameters are not copied from it, and the bench's pictures are never
read here.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from PIL import Image

from lookalike_training.copies import composed, plain, reshaped

#: Count up when a copy changes: made copies are kept on disk.
CATALOGUE_VERSION = 1

#: (picture, other pictures, random generator) -> copy
Copy = Callable[[Image.Image, list[Image.Image], random.Random], Image.Image]

EASY: dict[str, Copy] = {
    "resize 50%": lambda p, o, r: plain.resized(p, 0.5),
    "resize 25%": lambda p, o, r: plain.resized(p, 0.25),
    "jpeg 50": lambda p, o, r: plain.recompressed(p, 50),
    "jpeg 15": lambda p, o, r: plain.recompressed(p, 15),
    "webp 30": lambda p, o, r: plain.recompressed(p, 30, "WEBP"),
    "blur 0.5%": lambda p, o, r: plain.blurred(p, 0.005),
    "blur 1.5%": lambda p, o, r: plain.blurred(p, 0.015),
    "grey": lambda p, o, r: plain.grey(p),
    "brighter": lambda p, o, r: plain.toned(p, brightness=1.4, contrast=1.1),
    "darker": lambda p, o, r: plain.toned(p, brightness=0.6),
    "contrast and colour": lambda p, o, r: plain.toned(p, contrast=1.5, colour=1.7),
    "gamma 1.6": lambda p, o, r: plain.gamma(p, 1.6),
}

HARD: dict[str, Copy] = {
    "crop 80%": lambda p, o, r: reshaped.cropped(p, 0.8, r),
    "crop 50%": lambda p, o, r: reshaped.cropped(p, 0.5, r),
    "border black 10%": lambda p, o, r: composed.bordered(p, 0.10, (0, 0, 0)),
    "border white 15%": lambda p, o, r: composed.bordered(p, 0.15, (255, 255, 255)),
    "caption bar": lambda p, o, r: composed.captioned(p, r),
    "text across": lambda p, o, r: composed.written_on(p, r),
    "stickers": lambda p, o, r: composed.with_stickers(p, r),
    "rotate 5": lambda p, o, r: reshaped.rotated(p, 5),
    "rotate 25": lambda p, o, r: reshaped.rotated(p, 25),
    "rotate 90": lambda p, o, r: reshaped.rotated(p, 90),
    "mirror": lambda p, o, r: reshaped.mirrored(p),
    "upside down": lambda p, o, r: reshaped.upside_down(p),
    "collage of 2": lambda p, o, r: composed.collage(p, o, r, 2),
    "collage of 4": lambda p, o, r: composed.collage(p, o, r, 4),
    "perspective": lambda p, o, r: reshaped.in_perspective(p, 0.2, r),
    "screenshot": lambda p, o, r: composed.screenshot(p, r),
}


def make_copy(name: str, index: int, picture: Image.Image, others: list[Image.Image], seed: int) -> Image.Image:
    """The copy ``name`` of the picture number ``index``: the same for every model compared."""
    rng = random.Random(f"{seed}/{name}/{index}")
    return {**EASY, **HARD}[name](picture.convert("RGB"), others, rng)
