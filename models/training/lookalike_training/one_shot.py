"""One-shot classification: which of twenty single examples shows the same character as the query?"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from lookalike_training.data.omniglot import OneShotRun


def run_error(embed: Callable[[np.ndarray], np.ndarray], run: OneShotRun) -> float:
    """Share of wrong answers of the nearest support drawing (cosine), 0..1. ``embed``: pictures -> unit rows."""
    answers = (embed(run.queries) @ embed(run.support).T).argmax(1)
    return float((answers != run.truth).mean())


def mean_error(embed: Callable[[np.ndarray], np.ndarray], runs: Sequence[OneShotRun]) -> tuple[float, float]:
    """Mean error over runs and the standard error of that mean."""
    errors = [run_error(embed, r) for r in runs]
    spread = float(np.std(errors, ddof=1)) / math.sqrt(len(errors)) if len(errors) > 1 else math.nan
    return float(np.mean(errors)), spread
