import random

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)
    random.seed(0)
    np.random.seed(0)
    # More threads spin while they wait, which takes minutes where other work shares the cores.
    torch.set_num_threads(1)


@pytest.fixture
def picture() -> Image.Image:
    """320 x 240, with structure at several scales."""
    rng = random.Random(4)
    made = Image.new("RGB", (320, 240), (90, 140, 200))
    draw = ImageDraw.Draw(made)
    for _ in range(60):
        x, y, r = rng.randint(0, 320), rng.randint(0, 240), rng.randint(3, 40)
        draw.ellipse((x - r, y - r, x + r, y + r), tuple(rng.randint(0, 255) for _ in range(3)))
    return made


@pytest.fixture
def folder(tmp_path):
    """A user's folder: 48 pictures in two sub-folders."""
    rng = random.Random(1)
    for i in range(48):
        made = Image.new("RGB", (96, 80), tuple(rng.randint(0, 255) for _ in range(3)))
        draw = ImageDraw.Draw(made)
        for _ in range(12):
            x, y = rng.randint(0, 96), rng.randint(0, 80)
            box = (x, y, x + rng.randint(4, 50), y + rng.randint(4, 40))
            draw.rectangle(box, tuple(rng.randint(0, 255) for _ in range(3)))
        place = tmp_path / "pictures" / ("a" if i % 2 else "b")
        place.mkdir(parents=True, exist_ok=True)
        made.save(place / f"{i:02d}.jpg")
    return tmp_path / "pictures"
