"""Generalised-mean pooling (Radenovic, Tolias, Chum 2018, equation 3)."""

from __future__ import annotations

from torch import Tensor, nn


class GeM(nn.Module):
    """[n, c, h, w] -> [n, c]: (mean over positions of x^p)^(1/p).

    p = 1 is average pooling, p -> infinity is max pooling; 3 is the published default. It weighs what stands out in a
    picture over what fills it, which is what survives in a cropped or pasted copy.
    """

    def __init__(self, p: float = 3.0, floor: float = 1e-6):
        super().__init__()
        self.p = p
        self.floor = floor

    def forward(self, x: Tensor) -> Tensor:
        # Half precision would lose the small powers, so pooling is always in float32.
        x = x.float().clamp(min=self.floor)
        if self.p == 3.0:
            return (x * x * x).mean(dim=(2, 3)).pow(1.0 / 3.0)
        return x.pow(self.p).mean(dim=(2, 3)).pow(1.0 / self.p)
