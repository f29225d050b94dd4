"""Decoded pictures on disk, so that an epoch costs no decoding.

One uint8 array [n, 3, side, side] of squashed pictures a list of files, under ``LOOKALIKE_CACHE`` or the system's
folder for temporary files. The name is a hash of the list, so another list never meets a stale cache.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lookalike_training.data.pictures import open_picture, squash


def cache_folder() -> Path:
    chosen = os.environ.get("LOOKALIKE_CACHE")
    return Path(chosen) if chosen else Path(tempfile.gettempdir()) / "lookalike-training"


@dataclass
class CachedPictures:
    """``pixels`` [n, 3, side, side] uint8 (memory-mapped), ``aspect`` [n] width / height before squashing."""

    files: list[Path]
    pixels: np.ndarray
    aspect: Tensor

    def __len__(self) -> int:
        return len(self.files)

    def take(self, indices) -> tuple[Tensor, Tensor]:
        rows = np.asarray(indices)
        return torch.from_numpy(self.pixels[rows]), self.aspect[torch.as_tensor(rows)]


def _key(files: list[Path], side: int) -> str:
    digest = hashlib.sha256(str(side).encode())
    for file in files:
        stat = file.stat()
        digest.update(f"{file}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:20]


def cached_pictures(files: list[Path], side: int = 192, folder: Path | None = None) -> CachedPictures:
    """Decode ``files`` once. Unreadable pictures are left out, and named."""
    folder = folder or cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    base = folder / f"pictures-{_key(files, side)}"
    pixels_file, index_file = base.with_suffix(".npy"), base.with_suffix(".npz")
    if not index_file.exists():
        partial = base.with_suffix(".partial.npy")
        array = np.lib.format.open_memmap(partial, "w+", np.uint8, (len(files), 3, side, side))
        kept, aspects = [], []
        for i, file in enumerate(files):
            try:
                picture = open_picture(file, at_least=side)
            except (OSError, ValueError, SyntaxError) as error:
                print(f"left out {file}: {error}")
                continue
            array[len(kept)] = squash(picture, side, side).transpose(2, 0, 1)
            aspects.append(picture.width / picture.height)
            kept.append(i)
        array.flush()
        del array
        partial.rename(pixels_file)
        np.savez(index_file, kept=np.array(kept, dtype=np.int64), aspect=np.array(aspects, dtype=np.float32))
    index = np.load(index_file)
    pixels = np.load(pixels_file, mmap_mode="r")[: len(index["kept"])]
    return CachedPictures([files[i] for i in index["kept"]], pixels, torch.from_numpy(index["aspect"]))
