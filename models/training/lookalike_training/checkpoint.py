"""Checkpoints that a killed run resumes from, bit for bit where the libraries allow.

A checkpoint holds everything that the next step depends on, the state of the random generators included. It is
written beside its final name and renamed, so a crash leaves the previous one.
"""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import torch


def random_state() -> dict[str, Any]:
    return {"torch": torch.get_rng_state(), "python": random.getstate(), "numpy": np.random.get_state()}


def restore_random_state(state: dict[str, Any]) -> None:
    torch.set_rng_state(state["torch"])
    random.setstate(state["python"])
    np.random.set_state(state["numpy"])


def seed_everything(seed: int) -> None:
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)


def save_checkpoint(file: Path, state: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial")
    torch.save({**state, "random": random_state()}, partial)
    os.replace(partial, file)


def load_checkpoint(file: Path) -> dict[str, Any]:
    # Written by this program into the user's own folder; the random states are not tensors, so pickle is needed.
    return torch.load(file, map_location="cpu", weights_only=False)
