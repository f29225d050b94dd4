"""A picture of a model's worst moments, for its card: made of the project's free pictures only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lookalike_training.copies.catalogue import EASY, HARD, make_copy
from lookalike_training.data.pictures import list_pictures, open_picture
from lookalike_training.export import open_session
from lookalike_training.manifest import read_manifest
from lookalike_training.reference import model_pixels


def draw_failures(folder: Path, pictures: Path, out: Path, count: int = 6, a_kind: int = 2) -> list[str]:
    """The ``count`` copies least like their original, at most ``a_kind`` of one kind, and the most alike strangers."""
    manifest = read_manifest(folder)
    session = open_session(folder / manifest["file"])

    def embed(picture: Image.Image) -> np.ndarray:
        return session.run(None, {manifest["input"]["name"]: model_pixels(picture, manifest)[None]})[0][0]

    files = list_pictures(pictures)
    opened = [open_picture(f) for f in files]
    own = np.stack([embed(p) for p in opened])
    missed = []
    for name in {**EASY, **HARD}:
        for i, picture in enumerate(opened):
            others = [opened[(i + k) % len(opened)] for k in (3, 5, 7, 8, 10)]
            copy = make_copy(name, i, picture, others, seed=1)
            missed.append((float(own[i] @ embed(copy)), name, i, copy))
    missed.sort(key=lambda m: m[0])
    shown, kinds = [], {}
    for entry in missed:
        kinds[entry[1]] = kinds.get(entry[1], 0) + 1
        if kinds[entry[1]] <= a_kind and len(shown) < count:
            shown.append(entry)
    strangers = np.triu(own @ own.T, 1)
    i, j = np.unravel_index(int(strangers.argmax()), strangers.shape)
    rows = [(opened[k], copy, f"{name}: {max(0, s):.2f}") for s, name, k, copy in shown]
    rows.append((opened[i], opened[j], f"different: {strangers[i, j]:.2f}"))
    tile, gap, label = 150, 8, 22
    sheet = Image.new("RGB", (len(rows) * (tile + gap) + gap, 2 * tile + label + 3 * gap), "white")
    draw = ImageDraw.Draw(sheet)
    for column, (above, below, text) in enumerate(rows):
        x = gap + column * (tile + gap)
        for y, picture in ((gap, above), (2 * gap + tile, below)):
            small = picture.copy()
            small.thumbnail((tile, tile))
            sheet.paste(small, (x + (tile - small.width) // 2, y + (tile - small.height) // 2))
        draw.text((x, 2 * tile + 3 * gap), text, "black", ImageFont.load_default(13))
    sheet.save(out, optimize=True)
    return [text for *_, text in rows]
