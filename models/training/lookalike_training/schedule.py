"""Learning rates over a run."""

from __future__ import annotations

import math


def cosine_with_warmup(step: int, steps: int, warmup: int) -> float:
    """Factor on the learning rate at ``step`` of ``steps``: linear up, half a cosine down to a hundredth."""
    if step < warmup:
        return (step + 1) / warmup
    progress = (step - warmup) / max(1, steps - warmup)
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
