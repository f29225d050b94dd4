"""PCA whitening of embeddings (Jegou and Chum 2012), as one linear layer.

Directions that vary much among unrelated pictures say little about which of them are copies; whitening evens them
out. Full whitening blows up noise in the weak directions, so the spectrum is shrunk towards its mean first.
"""

from __future__ import annotations

import torch
from torch import Tensor


def fit_whitening(
    features: Tensor, dimension: int, shrinkage: float = 0.1, power: float = 0.5
) -> tuple[Tensor, Tensor]:
    """``features`` [n, c] -> weight [dimension, c] and bias [dimension] with ``y = weight @ x + bias``.

    Args:
        shrinkage: 0 keeps the eigenvalues, 1 replaces all by the mean of the kept ones.
        power: eigenvalues are divided out to this power; 0.5 is whitening, 0 a plain projection.
    """
    x = features.double()
    mean = x.mean(dim=0)
    covariance = torch.cov((x - mean).T)
    values, vectors = torch.linalg.eigh(covariance)
    values, vectors = values.flip(0)[:dimension].clamp(min=0), vectors.flip(1)[:, :dimension]
    # An eigenvector's sign is arbitrary and differs between LAPACK builds; fix it so that a rebuild is the same model.
    signs = torch.sign(vectors[vectors.abs().argmax(dim=0), torch.arange(vectors.shape[1])])
    vectors = vectors * signs
    values = (1 - shrinkage) * values + shrinkage * values.mean()
    weight = (vectors / values.pow(power)).T
    # A common scale keeps the numbers near one; unit length afterwards makes it irrelevant.
    weight = weight * values.pow(power).mean()
    return weight.float(), (-(weight @ mean)).float()


def fit_pair_whitening(
    originals: Tensor, copies: Tensor, dimension: int, shrinkage: float = 0.1
) -> tuple[Tensor, Tensor]:
    """Whitening learned from true pairs (Mikolajczyk and Matas 2007; Radenovic, Tolias, Chum 2018, section 3.4).

    Directions in which copies differ from their originals are scaled down, then a rotation keeps the directions in
    which different pictures vary most.

    Args:
        originals, copies: [n, c]; row i of both shows the same picture.
        shrinkage: share of the mean eigenvalue added to the covariance of differences, as n is seldom >> c.
    """
    a, b = originals.double(), copies.double()
    mean = torch.cat([a, b]).mean(0)
    difference = (a - b) / 2**0.5
    within = difference.T @ difference / len(a)
    within = (1 - shrinkage) * within + shrinkage * torch.eye(len(within)).double() * within.diagonal().mean()
    values, vectors = torch.linalg.eigh(within)
    calm = vectors @ torch.diag(values.clamp(min=1e-9).rsqrt()) @ vectors.T
    _, directions = torch.linalg.eigh(torch.cov(((a - mean) @ calm).T))
    kept = directions.flip(1)[:, :dimension]
    kept = kept * torch.sign(kept[kept.abs().argmax(0), torch.arange(kept.shape[1])])
    weight = kept.T @ calm
    weight = weight / weight.norm(dim=1).mean()
    return weight.float(), (-(weight @ mean)).float()
