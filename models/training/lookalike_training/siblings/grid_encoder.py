"""A grey-picture sibling on the early part of the pretrained backbone, which keeps where things are.

Faces are small, framed alike and grey. What tells two of them apart is which detail lies where, so
the last map is reduced to a coarse grid and flattened instead of being averaged; and the deep layers, which know of
dogs and cars, are left away with most of the weights.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lookalike_training.siblings.efficientnet_lite import EfficientNetLite0
from lookalike_training.siblings.encoder import Encoder

#: Blocks that are kept -> (channels, stride) of the map after them.
CUTS = {5: (40, 8), 8: (80, 16), 11: (112, 16), 13: (192, 32), 15: (192, 32)}


def grey_stem(backbone: EfficientNetLite0) -> None:
    """Let the first convolution read one channel, in place: for r = g = b its weights add up."""
    stem = backbone.stem[0]
    stem.weight = nn.Parameter(stem.weight.detach().sum(1, keepdim=True))
    stem.in_channels = 1


class GridEncoder(Encoder):
    """[n, 1, h, w] normalised grey (h and w divisible by the cut's stride) -> [n, dimension].

    Args:
        backbone: a grey one (``grey_stem``); blocks after ``blocks`` are dropped.
        size: (h, w) of the input.
        grid: (rows, columns) that the last map is averaged to; must divide it.
    """

    def __init__(
        self, backbone: EfficientNetLite0, blocks: int, size: tuple[int, int], grid: tuple[int, int], dimension: int
    ):
        super().__init__()
        channels, stride = CUTS[blocks]
        rows, columns = size[0] // stride, size[1] // stride
        if size[0] % stride or size[1] % stride or rows % grid[0] or columns % grid[1]:
            raise ValueError(f"a {grid} grid does not fit the {rows} x {columns} map of a {size} picture")
        self.dimension, self.size = dimension, size
        self.stem = backbone.stem
        self.blocks = nn.ModuleList(list(backbone.blocks)[:blocks])
        self.pool = nn.AvgPool2d((rows // grid[0], columns // grid[1]))
        self.project = nn.Linear(channels * grid[0] * grid[1], dimension)

    def features(self, batch: Tensor) -> Tensor:
        """[n, 1, h, w] -> [n, channels * rows * columns]."""
        x = self.stem(batch)
        for block in self.blocks:
            x = block(x)
        return torch.flatten(self.pool(x), 1)

    def encode(self, batch: Tensor) -> Tensor:
        return F.normalize(self.project(self.features(batch)), dim=1)
