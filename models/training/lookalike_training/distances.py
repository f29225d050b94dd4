"""What comes after the siblings: distances between their outputs."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def euclidean(a: Tensor, b: Tensor) -> Tensor:
    """[n, d], [n, d] -> [n]. The square root is kept off zero, where its gradient is infinite."""
    return (a - b).pow(2).sum(-1).clamp(min=1e-12).sqrt()


def cosine(a: Tensor, b: Tensor) -> Tensor:
    """1 - cosine similarity, in 0..2: [n, d], [n, d] -> [n]."""
    return 1 - F.cosine_similarity(a, b, dim=-1)


def absolute_difference(a: Tensor, b: Tensor) -> Tensor:
    """Sum of |a_i - b_i| (L1): [n, d], [n, d] -> [n]."""
    return (a - b).abs().sum(-1)


def pairwise_euclidean(a: Tensor, b: Tensor) -> Tensor:
    """[n, d], [m, d] -> [n, m]."""
    squared = a.pow(2).sum(1, keepdim=True) + b.pow(2).sum(1) - 2 * a @ b.T
    return squared.clamp(min=1e-12).sqrt()


DISTANCES = {"euclidean": euclidean, "cosine": cosine, "absolute": absolute_difference}


class WeightedL1Head(nn.Module):
    """Koch, Zemel, Salakhutdinov 2015, section 3.1: p = sigmoid(sum_i a_i |h1_i - h2_i| + c).

    Returns the logit [n] of "same" for pairs of embeddings [n, d]; train it with binary cross-entropy, same = 1. The
    weights start negative, so that a larger difference means less alike from the first step on.
    """

    def __init__(self, dimension: int):
        super().__init__()
        self.weights = nn.Linear(dimension, 1)
        nn.init.constant_(self.weights.weight, -1.0)
        nn.init.constant_(self.weights.bias, 1.0)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return self.weights((a - b).abs()).squeeze(-1)

    def probability(self, a: Tensor, b: Tensor) -> Tensor:
        return torch.sigmoid(self(a, b))
