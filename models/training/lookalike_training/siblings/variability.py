"""A projection whose distances are scaled by how much the hand is expected to vary, within plain unit vectors.

Some signatures come out alike each time and others do not, so with one threshold for all similarities most errors are
of hands that are unlike the average. How a hand varies shows in a single signature already (a short flourish, long and
legible letters), and can be foretold from it. So can how far its direction is to be trusted: what lies near the mean of
all signatures is turned far by a small difference.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

#: Share of the squared length that tells signatures apart, for a hand that varies like the average; and at most.
SHARE, MOST = 0.5, 0.95


class VariabilityHead(nn.Module):
    """Features [n, inputs] -> unit vectors [n, dimension].

    The projection to ``dimension`` - 1 is brought to unit length, z. ``variability``, linear in z, is the logarithm of
    how much farther than on average signatures of this hand lie from each other. The result is (a z, b) with
    a^2 = SHARE * exp(-variability) and b^2 = 1 - a^2: of two signatures of one hand the cosine falls short of 1 by
    a^2 (1 - z . z'), which is the distance in units of that hand.

    ``trust_length`` multiplies a^2 by how long the projection was before, in units of what is usual: differences within
    a hand are of one size after whitening, so they turn a long projection less.
    """

    def __init__(self, inputs: int, dimension: int):
        super().__init__()
        self.project = nn.Linear(inputs, dimension - 1)
        self.variability = nn.Linear(dimension - 1, 1)
        nn.init.zeros_(self.variability.weight)
        nn.init.zeros_(self.variability.bias)
        self.usual_length: float | None = None

    def trust_length(self, features: Tensor) -> None:
        """Of ``features`` [n, inputs] the geometric mean length becomes the usual one."""
        with torch.no_grad():
            self.usual_length = float(self.project(features).norm(dim=1).log().mean().exp())

    def forward(self, features: Tensor) -> Tensor:
        projected = self.project(features)
        z = F.normalize(projected, dim=1)
        squared = SHARE * torch.exp(-self.variability(z))
        if self.usual_length is not None:
            squared = squared * projected.norm(dim=1, keepdim=True) / self.usual_length
        squared = squared.clamp(max=MOST)
        return torch.cat([squared.sqrt() * z, (1 - squared).sqrt()], 1)
