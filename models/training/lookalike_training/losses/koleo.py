"""KoLeo: a differential-entropy regulariser (Sablayrolles et al. 2019, "Spreading vectors for similarity search")."""

from __future__ import annotations

import torch
from torch import Tensor

from lookalike_training.distances import pairwise_euclidean
from lookalike_training.losses.shown_pictures import share_a_picture


def koleo_loss(embeddings: Tensor, labels: Tensor) -> Tensor:
    """-mean log of the distance to the nearest embedding of another picture.

    The entropy estimator of Kozachenko and Leonenko: minimising it spreads embeddings evenly over the sphere, so that
    one threshold means the same everywhere. Copies of the same picture must stay together and are left out (as SSCD
    does), hence the labels: [n], or [n, s] with what else a picture shows (``shown_pictures``).
    """
    d = pairwise_euclidean(embeddings, embeddings)
    d = d.masked_fill(share_a_picture(labels, labels), torch.inf)
    nearest = d.min(dim=1).values
    # A small batch of few classes may hold no stranger for some.
    return -torch.log(nearest[nearest.isfinite()] + 1e-6).sum() / len(nearest)
