"""The last layer of a verifier where there are too few subjects for more, fitted on stored features.

With some forty subjects a whole network learns those forty by heart. What few subjects do tell is how one subject
varies, and pair whitening (``whitening.fit_pair_whitening``) divides just that out.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lookalike_training.whitening import fit_pair_whitening

#: Pairs that whitening is fitted on at most.
MOST_PAIRS = 20_000


@dataclass(frozen=True)
class WhiteningPlan:
    dimension: int = 256
    components: int = 300  #: principal components of the features that whitening sees
    shrinkage: float = 0.3
    seed: int = 1


def whitened_projection(features: Tensor, labels: Tensor, plan: WhiteningPlan) -> tuple[Tensor, Tensor]:
    """``features`` [n, c], ``labels`` [n] -> weight [dimension, c], bias [dimension].

    What has a label of its own counts for the principal components alone.
    """
    torch.manual_seed(plan.seed)
    mean = features.mean(0)
    _, _, basis = torch.svd_lowrank(features - mean, q=min(plan.components, len(features) - 1), niter=3)
    components = (features - mean) @ basis
    i, j = torch.where(torch.triu(labels[:, None] == labels[None], diagonal=1))
    if len(i) > MOST_PAIRS:
        chosen = torch.randperm(len(i))[:MOST_PAIRS]
        i, j = i[chosen], j[chosen]
    # Both ways round, so that the mean of the differences is zero.
    weight, bias = fit_pair_whitening(
        torch.cat([components[i], components[j]]),
        torch.cat([components[j], components[i]]),
        plan.dimension,
        plan.shrinkage,
    )
    weight = weight @ basis.T
    return weight, bias - weight @ mean
