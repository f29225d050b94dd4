"""Final figures of exported models, on the evaluation photographs.

The last 200 photographs by name are asked for through ``copies.catalogue``; the references are those 200 and, as
distractors, the validation pictures, on which none of the models was trained (thresholds were calibrated on them).
This is the only module that reads evaluation photographs.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lookalike_training.data.pictures import list_pictures
from lookalike_training.data.splits import TRAINING_PHOTOS, research_split
from lookalike_training.export import open_session
from lookalike_training.manifest import read_manifest
from lookalike_training.validation import ValidationPictures, validate


def evaluation_photos(data: Path) -> list[Path]:
    return list_pictures(data / "photos")[TRAINING_PHOTOS:]


def evaluate(folders: list[Path], data: Path, photos: int) -> str:
    """Tables of all models on the same copies."""
    asked = evaluation_photos(data)
    files = [*asked, *research_split(data).validation]
    pictures = ValidationPictures.read(files, queries=photos, seed=11, among=len(asked))
    out = []
    for folder in folders:
        manifest = read_manifest(folder)
        session = open_session(folder / manifest["file"])
        wanted = manifest["input"]
        mean, std = (np.array(wanted[k], dtype=np.float32) for k in ("mean", "std"))

        def embed(pixels, session=session, mean=mean, std=std) -> np.ndarray:
            rows = []
            for start in range(0, len(pixels), 16):
                x = (pixels[start : start + 16].astype(np.float32) / 255 - mean) / std
                rows.append(session.run(None, {"pixels": np.ascontiguousarray(x.transpose(0, 3, 1, 2))})[0])
            return np.concatenate(rows)

        report = validate(embed, pictures, wanted["width"])
        out.append(f"{folder.name}: {len(pictures.queries)} photographs among {len(files)}\n{report.text()}")
    return "\n\n".join(out)
