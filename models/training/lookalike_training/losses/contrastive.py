"""Contrastive loss: Hadsell, Chopra, LeCun 2006, "Dimensionality Reduction by Learning an Invariant Mapping", eq. 4."""

from __future__ import annotations

import torch
from torch import Tensor

from lookalike_training.distances import euclidean, pairwise_euclidean


def contrastive_loss(a: Tensor, b: Tensor, similar: Tensor, margin: float = 1.0) -> Tensor:
    """Mean over pairs of d^2 / 2 where ``similar``, max(0, margin - d)^2 / 2 where not; d is Euclidean.

    Args:
        a, b: [n, d] outputs of the two siblings.
        similar: [n] booleans. The paper's Y is the opposite: Y = 0 for similar pairs, Y = 1 for dissimilar ones. A
            common write-up keeps its formula and swaps the meaning, which trains the network to push copies apart.
        margin: dissimilar pairs farther apart than this cost nothing.
    """
    d = euclidean(a, b)
    together = d.pow(2) / 2
    apart = (margin - d).clamp(min=0).pow(2) / 2
    return torch.where(similar, together, apart).mean()


def contrastive_loss_of_batch(embeddings: Tensor, labels: Tensor, margin: float = 1.0) -> Tensor:
    """All pairs of a batch; similar and dissimilar pairs weigh the same in sum, however many there are of each.

    Dissimilar pairs beyond the margin are not counted, else they would drown the few that matter.
    """
    d = pairwise_euclidean(embeddings, embeddings)
    same = labels[:, None] == labels[None]
    upper = torch.triu(torch.ones_like(same), diagonal=1)
    together = d[same & upper].pow(2) / 2
    apart = (margin - d[~same & upper]).clamp(min=0).pow(2) / 2
    active = (apart > 0).sum().clamp(min=1)
    return together.sum() / max(1, together.numel()) + apart.sum() / active


def hard_contrastive_loss_of_batch(embeddings: Tensor, labels: Tensor, margin: float = 1.0) -> Tensor:
    """Of every embedding its farthest similar and its nearest dissimilar one only (hard pairs: Simo-Serra et al. 2015).

    In ``contrastive_loss_of_batch`` most dissimilar pairs inside the margin lie just inside it, and their mean says
    little of the few that make a wrong answer.
    """
    d = pairwise_euclidean(embeddings, embeddings)
    same = labels[:, None] == labels[None]
    itself = torch.eye(len(labels), dtype=torch.bool)
    farthest = d.masked_fill(~same | itself, 0).max(dim=1).values
    nearest = d.masked_fill(same, torch.inf).min(dim=1).values
    return farthest.pow(2).mean() / 2 + (margin - nearest).clamp(min=0).pow(2).mean() / 2
