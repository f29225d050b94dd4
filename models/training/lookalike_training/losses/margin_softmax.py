"""Softmax over classes with a cosine margin: CosFace (Wang et al. 2018), equation 4.

A contrastive loss compares what happens to be in a batch; here every class has a learned centre and an embedding
competes with all of them at every step. For one-shot tasks the centres are thrown away after training.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class MarginSoftmax(nn.Module):
    """Args: dimension of an embedding, number of classes, ``margin`` taken off the own cosine, ``scale`` of logits."""

    def __init__(self, dimension: int, classes: int, margin: float = 0.2, scale: float = 24.0):
        super().__init__()
        self.centres = nn.Parameter(torch.randn(classes, dimension) * 0.05)
        self.margin, self.scale = margin, scale

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Embeddings [n, d] of unit length, labels [n] -> mean cross-entropy."""
        cosine = embeddings @ F.normalize(self.centres, dim=1).T
        own = F.one_hot(labels, cosine.shape[1]).to(cosine.dtype)
        return F.cross_entropy(self.scale * (cosine - self.margin * own), labels)
