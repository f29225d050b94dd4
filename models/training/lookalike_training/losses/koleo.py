"""KoLeo: a differential-entropy regulariser (Sablayrolles et al. 2019, "Spreading vectors for similarity search")."""

from __future__ import annotations

import torch
from torch import Tensor

from lookalike_training.distances import pairwise_euclidean


def koleo_loss(embeddings: Tensor, labels: Tensor) -> Tensor:
    """-mean log of the distance to the nearest embedding of another picture.

    The entropy estimator of Kozachenko and Leonenko: minimising it spreads embeddings evenly over the sphere, so that
    one threshold means the same everywhere. Copies of the same picture must stay together and are left out (as SSCD
    does), hence the labels.
    """
    d = pairwise_euclidean(embeddings, embeddings)
    d = d.masked_fill(labels[:, None] == labels[None], torch.inf)
    return -torch.log(d.min(dim=1).values + 1e-6).mean()
