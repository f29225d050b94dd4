"""A grey-picture sibling that looks at strokes and not at where they are: covariances of maps of several depths.

A signature is never written twice in one place, so what lies where differs between two genuine ones as much as between
a genuine one and a forgery. How strokes are made (their widths, bends, ends, crossings, tremor) is in how the channels
of a map vary together; early maps know of the finest of it, later ones of larger forms.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lookalike_training.siblings.covariance_pool import CovariancePool
from lookalike_training.siblings.efficientnet_lite import EfficientNetLite0
from lookalike_training.siblings.encoder import Encoder
from lookalike_training.siblings.variability import VariabilityHead

#: Blocks whose maps are looked at -> channels.
DEPTHS = {1: 16, 5: 40, 8: 80, 11: 112}


class DepthsEncoder(Encoder):
    """[n, 1, h, w] normalised grey (h and w divisible by 32) -> [n, dimension].

    Args:
        backbone: a grey one (``grey_stem``); blocks after the last depth are dropped.
        size: (h, w) of the input.
    """

    def __init__(self, backbone: EfficientNetLite0, size: tuple[int, int], dimension: int):
        super().__init__()
        if size[0] % 32 or size[1] % 32:
            raise ValueError(f"a {size} picture: expected sides divisible by 32")
        self.dimension, self.size = dimension, size
        self.stem = backbone.stem
        self.blocks = nn.ModuleList(list(backbone.blocks)[: max(DEPTHS)])
        self.pools = nn.ModuleDict({str(depth): CovariancePool(channels) for depth, channels in DEPTHS.items()})
        self.head = VariabilityHead(sum(pool.features for pool in self.pools.values()), dimension)

    def covariances(self, batch: Tensor) -> list[Tensor]:
        """[n, 1, h, w] -> of each depth [n, pairs of channels]."""
        x, found = self.stem(batch), []
        for depth, block in enumerate(self.blocks, 1):
            x = block(x)
            if depth in DEPTHS:
                found.append(self.pools[str(depth)](x))
        return found

    def encode(self, batch: Tensor) -> Tensor:
        return self.head(torch.cat(self.covariances(batch), 1))
