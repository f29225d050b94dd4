"""The drawing sibling: a small residual CNN from scratch, for dark strokes on light ground.

Koch et al. 2015 use 105 x 105 pixels and 39 million weights; characters survive at a third of that size, and batch
norm needs a hundredth of the weights.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lookalike_training.siblings.encoder import Encoder


def _conv(inputs: int, outputs: int, stride: int = 1) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)]


class _Stage(nn.Module):
    """Halve the side, then one residual convolution."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.down = nn.Sequential(*_conv(inputs, outputs, 2), nn.ReLU(inplace=True))
        self.body = nn.Sequential(*_conv(outputs, outputs))

    def forward(self, x: Tensor) -> Tensor:
        x = self.down(x)
        return F.relu(x + self.body(x))


class DrawingEncoder(Encoder):
    """[n, 1, side, side] normalised grey, side divisible by 8 -> [n, dimension].

    Args:
        widths: channels at a half, quarter and eighth of the input's side.
    """

    def __init__(self, dimension: int = 128, widths: tuple[int, int, int] = (40, 80, 128), side: int = 32):
        super().__init__()
        if side % 8:
            raise ValueError("side must be divisible by 8")
        self.dimension, self.side = dimension, side
        first, second, third = widths
        self.body = nn.Sequential(_Stage(1, first), _Stage(first, second), _Stage(second, third))
        # Where a stroke lies is what a character is: the last map is flattened, not averaged.
        self.project = nn.Linear(third * (side // 8) ** 2, dimension)

    def encode(self, batch: Tensor) -> Tensor:
        x = self.body(batch)
        return F.normalize(self.project(torch.flatten(x, 1)).float(), dim=1)
