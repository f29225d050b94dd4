"""The stroke sibling: a bidirectional GRU over pen movements."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lookalike_training.siblings.encoder import Encoder


class StrokeEncoder(Encoder):
    """[n, steps, features] -> [n, dimension]; rows of zeros after the end of a sequence are padding.

    The last feature of a real step is 1 (see ``data.strokes``), so that padding can be told from a pen at rest and
    the exported graph needs no second input for lengths.
    """

    def __init__(self, features: int = 7, hidden: int = 96, layers: int = 2, dimension: int = 64):
        super().__init__()
        self.dimension = dimension
        self.embed = nn.Linear(features, hidden)
        self.rnn = nn.GRU(
            hidden, hidden, layers, batch_first=True, bidirectional=True, dropout=0.1 if layers > 1 else 0
        )
        self.project = nn.Linear(4 * hidden, dimension)

    def encode(self, batch: Tensor) -> Tensor:
        present = batch[..., -1:]
        states, _ = self.rnn(torch.relu(self.embed(batch)) * present)
        # Mean and maximum over the real steps: both ends of a bidirectional state see the padding otherwise.
        mean = (states * present).sum(1) / present.sum(1).clamp(min=1)
        highest = (states - (1 - present) * 1e4).amax(1)
        return F.normalize(self.project(torch.cat([mean, highest], 1)).float(), dim=1)
