"""Trains a verifier: a grey grid sibling, a metric loss, averaged weights, checkpoints that resume."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from lookalike_training.averaged_weights import AveragedWeights
from lookalike_training.checkpoint import seed_everything
from lookalike_training.losses.by_name import LOSSES
from lookalike_training.losses.margin_softmax import MarginSoftmax
from lookalike_training.schedule import cosine_with_warmup
from lookalike_training.siblings.grid_encoder import GridEncoder
from lookalike_training.training_run import Part, TrainingRun

#: Batch of normalised pictures [n, 1, h, w] and labels [n]; called once a step, with the seed of that step set.
DrawBatch = Callable[[], tuple[Tensor, Tensor]]
MARGIN_SOFTMAX = "margin-softmax"


@dataclass(frozen=True)
class VerifierPlan:
    steps: int
    loss: str  #: a name of ``losses.by_name``, or ``margin-softmax`` over all labels
    learning_rate: float = 1e-3  #: of the projection
    backbone_share: float = 0.3  #: of that, for the backbone
    frozen_blocks: int = 3
    weight_decay: float = 0.01
    warmup: int = 20
    average: float = 0.99
    seed: int = 1


def train_verifier(
    net: GridEncoder,
    draw: DrawBatch,
    plan: VerifierPlan,
    folder: Path,
    labels: int = 0,
    check: Callable[[GridEncoder], str] | None = None,
    check_every: int = 50,
) -> GridEncoder:
    """Returns the averaged weights; resumes from ``folder/checkpoint.pt``. ``labels``: how many there are, for the
    margin softmax. ``check`` says how good a network is, for the log."""
    seed_everything(plan.seed)
    net.freeze(plan.frozen_blocks)
    rates = {"backbone": plan.learning_rate * plan.backbone_share, "project": plan.learning_rate}
    groups = [
        {"params": [p for p in net.backbone_parameters() if p.requires_grad], "lr": rates["backbone"]},
        {"params": list(net.project.parameters()), "lr": rates["project"]},
    ]
    head = MarginSoftmax(net.dimension, labels, scale=16.0) if plan.loss == MARGIN_SOFTMAX else None
    if head is not None:
        groups.append({"params": list(head.parameters()), "lr": 10 * plan.learning_rate})
    loss_of = head if head is not None else LOSSES[plan.loss]
    optimiser = torch.optim.AdamW(groups, weight_decay=plan.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda s: cosine_with_warmup(s, plan.steps, plan.warmup))
    average = AveragedWeights(net, plan.average)
    parts: dict[str, Part] = {"net": net, "optimiser": optimiser, "schedule": schedule}
    if head is not None:
        parts["head"] = head
    run = TrainingRun(folder, plan, average, parts, check_every, plan.loss, folder.name, shown=30)
    for _ in run.steps():
        net.train()
        batch, wanted = draw()
        loss = loss_of(net.encode(batch.contiguous(memory_format=torch.channels_last)), wanted)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
        average.update(net)
        if run.record(float(loss.detach())) and check is not None:
            print(f"step {run.done}: {check(average.net)}", flush=True)
    return average.net.eval()
