"""Pixels as the backbone was trained on them."""

from __future__ import annotations

import torch
from torch import Tensor

from lookalike_training.siblings.efficientnet_lite import MEAN, STD


def normalised(pixels: Tensor) -> Tensor:
    """[n, 3, h, w] in 0..1 -> ``(x - mean) / std``."""
    return ((pixels - MEAN[0]) / STD[0]).contiguous(memory_format=torch.channels_last)
