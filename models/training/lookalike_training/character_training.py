"""Trains the drawing sibling on Omniglot's background alphabets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from lookalike_training.augment.drawing_warp import distort
from lookalike_training.averaged_weights import AveragedWeights
from lookalike_training.checkpoint import seed_everything
from lookalike_training.data.omniglot import Drawings
from lookalike_training.losses.margin_softmax import MarginSoftmax
from lookalike_training.schedule import cosine_with_warmup
from lookalike_training.siblings.drawing_cnn import DrawingEncoder
from lookalike_training.siblings.encoder import Encoder
from lookalike_training.training_run import TrainingRun

#: Of ink (1) and paper (0) together, about: drawings are mostly paper.
INK_MEAN, INK_STD = 0.1, 0.25
#: The same on the 0..1 scale of pixels, where paper is 1: (p - mean) / std = -(ink - INK_MEAN) / INK_STD.
PIXEL_MEAN, PIXEL_STD = (1 - INK_MEAN,), (INK_STD,)
#: The normalised value of empty paper.
PAPER = INK_MEAN / INK_STD


@dataclass(frozen=True)
class CharacterPlan:
    steps: int = 3000
    batch: int = 128
    warmup: int = 200
    learning_rate: float = 2e-3
    weight_decay: float = 5e-4
    margin: float = 0.2
    scale: float = 24.0
    rotations: int = 4  #: quarter turns that count as further characters
    seed: int = 1


def train_characters(
    net: DrawingEncoder, drawings: Drawings, plan: CharacterPlan, folder: Path, checkpoint_every: int = 200
) -> Encoder:
    """Margin softmax over all characters, each of ``rotations`` quarter turns a character of its own (as Santoro et al.
    2016 and later work count them). Returns averaged weights; resumes from ``folder/checkpoint.pt``."""
    seed_everything(plan.seed)
    _, classes = np.unique(drawings.characters, return_inverse=True)
    count = int(classes.max()) + 1
    head = MarginSoftmax(net.dimension, count * plan.rotations, plan.margin, plan.scale)
    optimiser = torch.optim.AdamW(
        [*net.parameters(), *head.parameters()], lr=plan.learning_rate, weight_decay=plan.weight_decay
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: cosine_with_warmup(step, plan.steps, plan.warmup)
    )
    average = AveragedWeights(net, 0.998)
    ink = 1 - torch.from_numpy(drawings.pictures).float().div(255)[:, None]
    labels = torch.from_numpy(classes)
    parts = {"net": net, "head": head, "optimiser": optimiser, "schedule": schedule}
    run = TrainingRun(folder, plan, average, parts, checkpoint_every, "margin softmax", "characters", shown=100)
    net.train()
    for _ in run.steps():
        chosen = torch.randint(len(ink), (plan.batch,))
        turns = torch.randint(plan.rotations, (plan.batch,))
        x = ink[chosen]
        for quarter in range(1, plan.rotations):
            x = torch.where((turns == quarter).view(-1, 1, 1, 1), torch.rot90(x, quarter, (2, 3)), x)
        x = (INK_MEAN - distort(x)) / INK_STD
        loss = head(net.encode(x.contiguous(memory_format=torch.channels_last)), labels[chosen] + count * turns)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
        average.update(net)
        run.record(float(loss.detach()))
    return average.net.eval()


def pixels_of(drawings: np.ndarray) -> torch.Tensor:
    """[n, side, side] uint8 -> [n, 1, side, side] normalised, as the exported model expects."""
    return (torch.from_numpy(np.ascontiguousarray(drawings)).float().div(255)[:, None] - PIXEL_MEAN[0]) / PIXEL_STD[0]


@torch.no_grad()
def embed_drawings(net: Encoder, drawings: np.ndarray, batch: int = 256) -> np.ndarray:
    """[n, side, side] uint8 -> [n, d]."""
    net.eval()
    parts = [net.encode(pixels_of(drawings[i : i + batch])).numpy() for i in range(0, len(drawings), batch)]
    return np.concatenate(parts)
