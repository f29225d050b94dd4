"""Losses over a batch, by the names that the command takes."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from lookalike_training.losses.contrastive import contrastive_loss_of_batch, hard_contrastive_loss_of_batch
from lookalike_training.losses.info_nce import info_nce_loss
from lookalike_training.losses.multi_similarity import multi_similarity_loss
from lookalike_training.losses.triplet import batch_hard_triplet_loss, semi_hard_triplet_loss

BatchLoss = Callable[[Tensor, Tensor], Tensor]
LOSSES: dict[str, BatchLoss] = {
    "contrastive": contrastive_loss_of_batch,
    "contrastive-hard": hard_contrastive_loss_of_batch,
    "triplet-semi-hard": semi_hard_triplet_loss,
    "triplet-batch-hard": batch_hard_triplet_loss,
    "info-nce": info_nce_loss,
    "multi-similarity": multi_similarity_loss,
}
