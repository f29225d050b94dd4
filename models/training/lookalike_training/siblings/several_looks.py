"""One embedding from several slightly moved looks at the same picture, inside the network.

Averaging embeddings of small rotations and scales removes part of what the drawer's hand added. As a part of the
network it exports with it: whoever runs the ONNX file needs to know nothing of it.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from lookalike_training.siblings.encoder import Encoder

#: (degrees, scale)
LOOKS = ((0, 1.0), (-8, 1.0), (8, 1.0), (0, 0.9), (0, 1.1))


class SeveralLooks(Encoder):
    """[n, c, side, side] -> [n, dimension]; costs ``len(looks)`` times the encoder."""

    def __init__(self, encoder: Encoder, side: int, ground: float, looks=LOOKS):
        """``ground`` is the normalised value of empty paper: what comes in where a look reaches beyond the picture."""
        super().__init__()
        self.encoder, self.dimension, self.ground = encoder, encoder.dimension, ground
        axis = (torch.arange(side) + 0.5) * (2 / side) - 1
        y, x = torch.meshgrid(axis, axis, indexing="ij")
        grids = []
        for degrees, scale in looks:
            c, s = math.cos(math.radians(degrees)) / scale, math.sin(math.radians(degrees)) / scale
            grids.append(torch.stack([c * x + s * y, -s * x + c * y], -1))
        self.register_buffer("grids", torch.stack(grids))

    def encode(self, batch: Tensor) -> Tensor:
        total: Tensor | None = None
        for grid in self.grids.unbind(0):
            # Zero padding around a picture whose ground is shifted to zero.
            looked = F.grid_sample(
                batch - self.ground, grid[None].expand(batch.shape[0], -1, -1, -1), align_corners=False
            )
            one = self.encoder.encode(looked + self.ground)
            total = one if total is None else total + one
        assert total is not None
        return F.normalize(total, dim=1)
