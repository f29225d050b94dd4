"""InfoNCE (van den Oord et al. 2018) with all other copies as positives, as in NT-Xent (Chen et al. 2020) and SupCon
(Khosla et al. 2020): the form that SSCD (Pizzi et al. 2022) trains copy detection with."""

from __future__ import annotations

import torch
from torch import Tensor


def info_nce_loss(
    embeddings: Tensor,
    labels: Tensor,
    temperature: float = 0.05,
    memory: Tensor | None = None,
    memory_labels: Tensor | None = None,
) -> Tensor:
    """Mean over positive pairs (i, j) of -log(e_ij / (e_ij + sum over negatives k of e_ik)), e_ij = exp(s_ij / t).

    Args:
        embeddings: [n, d] of unit length; labels [n].
        memory, memory_labels: [m, d], [m] earlier embeddings (no gradient), used as further negatives only; rows that
            carry the label of an anchor do not count for it.
    """
    similarity = embeddings @ embeddings.T / temperature
    same = labels[:, None] == labels[None]
    itself = torch.eye(len(labels), dtype=torch.bool)
    negatives = similarity.masked_fill(same, -torch.inf)
    if memory is not None and memory_labels is not None and len(memory):
        older = embeddings @ memory.T / temperature
        older = older.masked_fill(labels[:, None] == memory_labels[None], -torch.inf)
        negatives = torch.cat([negatives, older], dim=1)
    against = torch.logsumexp(negatives, dim=1)
    rows, columns = (same & ~itself).nonzero(as_tuple=True)
    own = similarity[rows, columns]
    return (torch.logaddexp(own, against[rows]) - own).mean()
