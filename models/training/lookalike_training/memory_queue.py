"""Embeddings of earlier batches as further negatives (cross-batch memory, Wang et al. 2020).

With a small learning rate an embedding of a few steps ago is still nearly right, and a thousand negatives cost one
matrix product instead of a thousand pictures.
"""

from __future__ import annotations

import torch
from torch import Tensor


class MemoryQueue:
    def __init__(self, size: int, dimension: int):
        self.size = size
        self.embeddings = torch.empty(0, dimension)
        self.labels: Tensor | None = None

    def push(self, embeddings: Tensor, labels: Tensor) -> None:
        """Newest first; the oldest rows beyond ``size`` are forgotten. ``labels`` [n] or [n, s], one form a queue."""
        self.embeddings = torch.cat([embeddings.detach(), self.embeddings])[: self.size]
        self.labels = labels if self.labels is None else torch.cat([labels, self.labels])[: self.size]

    def state_dict(self) -> dict[str, Tensor | None]:
        return {"embeddings": self.embeddings, "labels": self.labels}

    def load_state_dict(self, state: dict[str, Tensor | None]) -> None:
        self.embeddings, self.labels = state["embeddings"], state["labels"]
