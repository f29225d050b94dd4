"""``reference.json``: embeddings of the project's free pictures as Python computes them.

The product's tests read it, so that a drift between the two preprocessings breaks a test and not a search.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from lookalike_training.data.location import REPOSITORY
from lookalike_training.data.pictures import FITS, grey, list_pictures, open_for_model
from lookalike_training.export import open_session
from lookalike_training.manifest import read_manifest


def model_pixels(picture, manifest: dict) -> np.ndarray:
    """[channels, h, w] float32, ready for the model that ``manifest`` describes."""
    wanted = manifest["input"]
    pixels = FITS[wanted["resize"]["fit"]](picture, wanted["width"], wanted["height"])
    if wanted["colorOrder"] == "gray":
        pixels = grey(pixels)[..., None]
    pixels = pixels.astype(np.float32)
    mean, std = (np.array(wanted[k], dtype=np.float32) for k in ("mean", "std"))
    return ((pixels / 255 - mean) / std).transpose(2, 0, 1).astype(np.float32)


def read_for_model(file: Path, manifest: dict) -> np.ndarray:
    """[channels, h, w] float32 of a file."""
    wanted = manifest["input"]
    picture = open_for_model(file, wanted["width"], wanted["height"], wanted["resize"]["fit"])
    return model_pixels(picture, manifest)


def write_reference(folder: Path, pictures: Path) -> Path:
    manifest = read_manifest(folder)
    session = open_session(folder / manifest["file"])
    entries = []
    for file in list_pictures(pictures):
        row = session.run(None, {manifest["input"]["name"]: read_for_model(file, manifest)[None]})[0][0]
        entries.append(
            {"path": file.relative_to(REPOSITORY).as_posix(), "embedding": [round(float(v), 6) for v in row]}
        )
    out = folder / "reference.json"
    lines = ",\n".join("    " + json.dumps(e) for e in entries)
    out.write_text('{\n  "pictures": [\n' + lines + "\n  ]\n}\n")
    return out
