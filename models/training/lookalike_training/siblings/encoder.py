"""What every sibling is: something that turns a batch into embeddings.

Siamese networks (Bromley et al. 1993) run the same weights on both inputs. There is therefore only one network here;
"siblings" are two calls of it, and everything that compares lives in ``distances`` and ``losses``.
"""

from __future__ import annotations

from torch import Tensor, nn


class Encoder(nn.Module):
    """``encode(batch) -> [n, dimension]`` with rows of unit Euclidean length.

    What a batch is depends on the sibling: pictures are [n, channels, h, w] normalised floats, stroke sequences are
    [n, steps, features] with zero rows after the end.
    """

    #: length of an embedding
    dimension: int

    def encode(self, batch: Tensor) -> Tensor:
        raise NotImplementedError

    def forward(self, batch: Tensor) -> Tensor:
        return self.encode(batch)
