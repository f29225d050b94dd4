"""Multi-similarity loss: Wang et al. 2019, equations 6-10, with its pair mining."""

from __future__ import annotations

import torch
from torch import Tensor


def multi_similarity_loss(
    embeddings: Tensor,
    labels: Tensor,
    alpha: float = 2.0,
    beta: float = 50.0,
    base: float = 0.5,
    slack: float = 0.1,
) -> Tensor:
    """Args: embeddings [n, d] of unit length, labels [n]; ``slack`` is the mining's epsilon, ``base`` lambda."""
    similarity = embeddings @ embeddings.T
    same = labels[:, None] == labels[None]
    positive = same & ~torch.eye(len(labels), dtype=torch.bool)
    negative = ~same
    with torch.no_grad():
        hardest_negative = similarity.masked_fill(~negative, -torch.inf).max(1, keepdim=True).values
        hardest_positive = similarity.masked_fill(~positive, torch.inf).min(1, keepdim=True).values
        kept_positive = positive & (similarity - slack < hardest_negative)
        kept_negative = negative & (similarity + slack > hardest_positive)
    pull = torch.where(kept_positive, torch.exp(-alpha * (similarity - base)), 0.0).sum(1).log1p() / alpha
    push = torch.where(kept_negative, torch.exp(beta * (similarity - base)), 0.0).sum(1).log1p() / beta
    return (pull + push).mean()
