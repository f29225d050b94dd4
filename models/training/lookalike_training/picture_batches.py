"""Pictures to embeddings, in batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from torch import Tensor

from lookalike_training.siblings.encoder import Encoder


def normalise(pixels: Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """[n, c, h, w] uint8 (or floats in 0..255) -> (p / 255 - mean) / std."""
    shape = (1, len(mean), 1, 1)
    return (pixels.float() / 255 - torch.tensor(mean).view(shape)) / torch.tensor(std).view(shape)


def _chunks(pixels: Iterable[np.ndarray], size: int) -> Iterator[np.ndarray]:
    held: list[np.ndarray] = []
    for one in pixels:
        held.append(one)
        if len(held) == size:
            yield np.stack(held)
            held = []
    if held:
        yield np.stack(held)


@torch.no_grad()
def embed(
    encode, pixels: Iterable[np.ndarray], mean: tuple[float, ...], std: tuple[float, ...], batch: int = 32
) -> np.ndarray:
    """[h, w, 3] uint8 pictures -> [n, d] float32. ``encode`` is an ``Encoder`` or any function of a batch."""
    if isinstance(encode, Encoder):
        encode.eval()
    rows = []
    for chunk in _chunks(pixels, batch):
        x = torch.from_numpy(chunk).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
        rows.append(encode(normalise(x, mean, std)).float().numpy())
    return np.concatenate(rows)
