"""InfoNCE (van den Oord et al. 2018) with all other copies as positives, as in NT-Xent (Chen et al. 2020) and SupCon
(Khosla et al. 2020): the form that SSCD (Pizzi et al. 2022) trains copy detection with."""

from __future__ import annotations

import torch
from torch import Tensor

from lookalike_training.losses.shown_pictures import own_labels, share_a_picture


def info_nce_loss(
    embeddings: Tensor,
    labels: Tensor,
    temperature: float = 0.05,
    memory: Tensor | None = None,
    memory_labels: Tensor | None = None,
) -> Tensor:
    """Mean over positive pairs (i, j) of -log(e_ij / (e_ij + sum over negatives k of e_ik)), e_ij = exp(s_ij / t).

    Args:
        embeddings: [n, d] of unit length.
        labels: [n], or [n, s] with what else a picture shows (``shown_pictures``): positives have the same own label,
            negatives share no picture at all.
        memory, memory_labels: [m, d], [m] or [m, s]: earlier embeddings (no gradient), used as further negatives only.
    """
    similarity = embeddings @ embeddings.T / temperature
    own = own_labels(labels)
    same = own[:, None] == own[None]
    itself = torch.eye(len(labels), dtype=torch.bool)
    negatives = similarity.masked_fill(share_a_picture(labels, labels), -torch.inf)
    if memory is not None and memory_labels is not None and len(memory):
        older = embeddings @ memory.T / temperature
        older = older.masked_fill(share_a_picture(labels, memory_labels), -torch.inf)
        negatives = torch.cat([negatives, older], dim=1)
    against = torch.logsumexp(negatives, dim=1)
    rows, columns = (same & ~itself).nonzero(as_tuple=True)
    positives = similarity[rows, columns]
    return (torch.logaddexp(positives, against[rows]) - positives).mean()
