"""A 64-bit DCT hash, to find pictures that are copies of each other in collections that call them different.

After Zauner 2010 ("Implementation and benchmarking of perceptual image hash functions"): the 8 x 8 lowest
frequencies of a 32 x 32 grey picture, each against their median. Used for cleaning data only, never as a model.
"""

from __future__ import annotations

import numpy as np
from PIL import Image


def _cosine_basis(size: int, kept: int) -> np.ndarray:
    k = np.arange(kept)[:, None]
    n = np.arange(size)[None, :]
    return np.cos(np.pi * k * (2 * n + 1) / (2 * size))


_BASIS = _cosine_basis(32, 8)


def perceptual_hash(picture: Image.Image) -> np.ndarray:
    """[64] booleans."""
    grey = np.asarray(picture.convert("L").resize((32, 32), Image.Resampling.LANCZOS), dtype=np.float64)
    low = (_BASIS @ grey @ _BASIS.T).ravel()
    return low > np.median(low[1:])


def near_pairs(hashes: np.ndarray, distance: int) -> list[tuple[int, int]]:
    """Index pairs (i < j) of ``hashes`` [n, 64] that differ in at most ``distance`` bits."""
    signs = np.where(hashes, 1.0, -1.0).astype(np.float32)
    different = (signs.shape[1] - signs @ signs.T) / 2
    rows, columns = np.nonzero(np.triu(different <= distance, k=1))
    return list(zip(rows.tolist(), columns.tolist(), strict=True))
