"""One embedding from a picture and its mirror image, inside the network: one turned left meets one turned right."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from lookalike_training.siblings.encoder import Encoder


class Mirrored(Encoder):
    """[n, c, h, w] -> [n, dimension]; costs twice the encoder."""

    def __init__(self, encoder: Encoder):
        super().__init__()
        self.encoder, self.dimension = encoder, encoder.dimension

    def encode(self, batch: Tensor) -> Tensor:
        return F.normalize(self.encoder.encode(batch) + self.encoder.encode(batch.flip(3)), dim=1)
