"""Which pictures of a batch must not be told apart: a collage is a copy of every one of its tiles.

Labels come as [n], or as [n, s] where the first column is the picture's own label and the others are the labels of
what else it shows, -1 for nothing.
"""

from __future__ import annotations

from torch import Tensor


def own_labels(labels: Tensor) -> Tensor:
    """[n] or [n, s] -> [n]."""
    return labels if labels.dim() == 1 else labels[:, 0]


def share_a_picture(a: Tensor, b: Tensor) -> Tensor:
    """Labels of n and of m pictures -> [n, m], true where some picture is shown by both."""
    a = a[:, None] if a.dim() == 1 else a
    b = b[:, None] if b.dim() == 1 else b
    shared = (a[:, :1] == b[:, 0]) & (b[:, 0] >= 0)
    for i in range(a.shape[1]):
        for j in range(b.shape[1]):
            if i or j:
                shared |= (a[:, i, None] == b[:, j]) & (b[:, j] >= 0)
    return shared
