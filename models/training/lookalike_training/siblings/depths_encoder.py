"""A grey-picture sibling that looks at strokes and not at where they are: averaged maps of several depths, projected.

A signature is never written twice in one place, so what lies where differs between two genuine ones as much as between
a genuine one and a forgery. How strokes are made (their widths, bends, ends, crossings, tremor) is in the average over
a map; early maps know of the finest of it, later ones of larger forms.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lookalike_training.siblings.efficientnet_lite import EfficientNetLite0
from lookalike_training.siblings.encoder import Encoder

#: Blocks whose maps are averaged -> (channels, stride).
DEPTHS = {3: (24, 4), 5: (40, 8), 8: (80, 16), 11: (112, 16)}


class DepthsEncoder(Encoder):
    """[n, 1, h, w] normalised grey (h and w divisible by 32) -> [n, dimension].

    Args:
        backbone: a grey one (``grey_stem``); blocks after the last depth are dropped.
        size: (h, w) of the input.
        columns: parts, side by side, that each map is averaged over.
    """

    def __init__(self, backbone: EfficientNetLite0, size: tuple[int, int], columns: int, dimension: int):
        super().__init__()
        if size[0] % 32 or size[1] % (32 * columns):
            raise ValueError(f"{columns} columns of a {size} picture: expected sides divisible by 32")
        self.dimension, self.size = dimension, size
        self.stem = backbone.stem
        self.blocks = nn.ModuleList(list(backbone.blocks)[: max(DEPTHS)])
        self.pools = nn.ModuleDict(
            {
                str(depth): nn.AvgPool2d((size[0] // stride, size[1] // stride // columns))
                for depth, (_, stride) in DEPTHS.items()
            }
        )
        self.project = nn.Linear(columns * sum(channels for channels, _ in DEPTHS.values()), dimension)

    def averages(self, batch: Tensor) -> list[Tensor]:
        """[n, 1, h, w] -> of each depth [n, channels * columns]."""
        x, found = self.stem(batch), []
        for depth, block in enumerate(self.blocks, 1):
            x = block(x)
            if depth in DEPTHS:
                found.append(torch.flatten(self.pools[str(depth)](x), 1))
        return found

    def encode(self, batch: Tensor) -> Tensor:
        return F.normalize(self.project(torch.cat(self.averages(batch), 1)), dim=1)
