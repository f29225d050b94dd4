"""Second-order pooling: how the channels of a map vary together, wherever that is.

The covariances over all places are a description of texture (Gram matrices: Gatys et al. 2015; bilinear pooling: Lin
et al. 2015). Their signed square roots are brought to unit length, so that no few strong pairs outweigh the rest.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class CovariancePool(nn.Module):
    """[n, channels, h, w] -> [n, channels * (channels + 1) / 2] of unit length."""

    def __init__(self, channels: int):
        super().__init__()
        row, column = torch.triu_indices(channels, channels)
        self.features = len(row)
        self.register_buffer("upper", row * channels + column, persistent=False)

    def forward(self, batch: Tensor) -> Tensor:
        values = torch.flatten(batch, 2)
        values = values - values.mean(2, keepdim=True)
        covariance = values @ values.transpose(1, 2) / values.shape[2]
        upper = torch.flatten(covariance, 1).index_select(1, self.upper)
        return F.normalize(upper.sign() * upper.abs().sqrt(), dim=1)
