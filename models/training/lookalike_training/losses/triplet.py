"""Triplet loss: Schroff, Kalenichenko, Philbin 2015 (FaceNet), max(0, d(a, p)^2 - d(a, n)^2 + margin).

Which triplets of a batch count is the whole art:

- semi-hard (FaceNet, section 3.2): for every anchor and positive, the nearest negative that is still farther than the
  positive; where there is none, the farthest negative.
- batch-hard (Hermans, Beyer, Leibe 2017): for every anchor its farthest positive and nearest negative.
"""

from __future__ import annotations

import torch
from torch import Tensor

from lookalike_training.distances import pairwise_euclidean


def _masks(labels: Tensor) -> tuple[Tensor, Tensor]:
    same = labels[:, None] == labels[None]
    positive = same & ~torch.eye(len(labels), dtype=torch.bool)
    return positive, ~same


def semi_hard_triplet_loss(embeddings: Tensor, labels: Tensor, margin: float = 0.2) -> Tensor:
    """Mean over all (anchor, positive) pairs of a batch."""
    squared = pairwise_euclidean(embeddings, embeddings).pow(2)
    positive, negative = _masks(labels)
    anchors, positives = positive.nonzero(as_tuple=True)
    to_positive = squared[anchors, positives]
    others = squared[anchors]
    allowed = negative[anchors]
    farther = allowed & (others > to_positive[:, None])
    nearest_farther = others.masked_fill(~farther, torch.inf).min(dim=1).values
    farthest = others.masked_fill(~allowed, -torch.inf).max(dim=1).values
    to_negative = torch.where(torch.isinf(nearest_farther), farthest, nearest_farther)
    return (to_positive - to_negative + margin).clamp(min=0).mean()


def batch_hard_triplet_loss(embeddings: Tensor, labels: Tensor, margin: float = 0.2) -> Tensor:
    """Mean over the anchors that have a positive in the batch."""
    squared = pairwise_euclidean(embeddings, embeddings).pow(2)
    positive, negative = _masks(labels)
    hardest_positive = squared.masked_fill(~positive, -torch.inf).max(dim=1).values
    hardest_negative = squared.masked_fill(~negative, torch.inf).min(dim=1).values
    usable = positive.any(1) & negative.any(1)
    return (hardest_positive - hardest_negative + margin).clamp(min=0)[usable].mean()
