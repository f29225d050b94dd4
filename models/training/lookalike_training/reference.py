"""``reference.json``: embeddings of the project's free pictures as Python computes them.

The product's tests read it, so that a drift between the two preprocessings breaks a test and not a search.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from lookalike_training.data.location import REPOSITORY
from lookalike_training.data.pictures import list_pictures, open_picture, squash
from lookalike_training.export import open_session
from lookalike_training.manifest import read_manifest


def model_pixels(picture, manifest: dict) -> np.ndarray:
    """[channels, h, w] float32, ready for the model that ``manifest`` describes."""
    wanted = manifest["input"]
    pixels = squash(picture, wanted["width"], wanted["height"])
    if wanted["colorOrder"] == "gray":
        pixels = np.asarray(Image.fromarray(pixels).convert("L"))[..., None]
    pixels = pixels.astype(np.float32)
    mean, std = (np.array(wanted[k], dtype=np.float32) for k in ("mean", "std"))
    return ((pixels / 255 - mean) / std).transpose(2, 0, 1).astype(np.float32)


def write_reference(folder: Path, pictures: Path) -> Path:
    manifest = read_manifest(folder)
    session = open_session(folder / manifest["file"])
    entries = []
    for file in list_pictures(pictures):
        picture = open_picture(file, at_least=min(manifest["input"]["width"], manifest["input"]["height"]))
        row = session.run(None, {manifest["input"]["name"]: model_pixels(picture, manifest)[None]})[0][0]
        entries.append(
            {"path": file.relative_to(REPOSITORY).as_posix(), "embedding": [round(float(v), 6) for v in row]}
        )
    out = folder / "reference.json"
    lines = ",\n".join("    " + json.dumps(e) for e in entries)
    out.write_text('{\n  "pictures": [\n' + lines + "\n  ]\n}\n")
    return out
