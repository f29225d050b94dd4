"""The signature sibling: ink from paper, framed, then its strokes."""

from __future__ import annotations

from torch import Tensor

from lookalike_training.siblings.depths_encoder import DepthsEncoder
from lookalike_training.siblings.efficientnet_lite import MEAN, STD
from lookalike_training.siblings.encoder import Encoder
from lookalike_training.siblings.ink_frame import InkFrame


def ink_normalised(ink: Tensor) -> Tensor:
    """Ink [n, 1, h, w] in 0..1 -> dark strokes on white as the backbone was trained to see pictures."""
    return (1 - ink - MEAN[0]) / STD[0]


class SignatureEncoder(Encoder):
    """[n, 1, *picture] grey in 0..1, dark ink on light paper -> [n, dimension]."""

    def __init__(self, encoder: DepthsEncoder, picture: tuple[int, int]):
        super().__init__()
        self.frame, self.encoder, self.dimension = InkFrame(picture, encoder.size), encoder, encoder.dimension

    def encode(self, batch: Tensor) -> Tensor:
        return self.encoder.encode(ink_normalised(self.frame(batch)))
