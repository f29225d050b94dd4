"""Trains a picture sibling on copies of pictures (self-supervised) or on labelled folders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from lookalike_training.augment.copy_maker import COPIES, NEARLY_ORIGINAL, CopyMaker
from lookalike_training.averaged_weights import AveragedWeights
from lookalike_training.checkpoint import seed_everything
from lookalike_training.data.cache import CachedPictures
from lookalike_training.data.class_batches import class_batches
from lookalike_training.data.neighbour_batches import neighbour_batches
from lookalike_training.losses.by_name import LOSSES
from lookalike_training.losses.info_nce import info_nce_loss
from lookalike_training.losses.koleo import koleo_loss
from lookalike_training.losses.shown_pictures import own_labels
from lookalike_training.memory_queue import MemoryQueue
from lookalike_training.picture_batches import normalise
from lookalike_training.schedule import cosine_with_warmup
from lookalike_training.siblings.efficientnet_lite import MEAN, STD
from lookalike_training.siblings.picture_encoder import PictureEncoder
from lookalike_training.training_run import Part, TrainingRun, seed_step


@dataclass(frozen=True)
class Plan:
    """One run. Everything here is written into the checkpoint, and a run resumes only under the same plan."""

    side: int = 128  #: pixels
    batch: int = 64  #: pictures a step; the network sees two views of each
    steps: int = 640
    warmup: int = 30
    learning_rate: float = 5e-4  #: of the projection
    backbone_share: float = 0.4  #: of that, for the backbone
    weight_decay: float = 1e-4
    frozen_blocks: int = 11  #: of 16, from the input; -1 trains the stem too
    loss: str = "info-nce"
    temperature: float = 0.05
    koleo: float = 3.0
    memory: int = 4096  #: earlier embeddings as negatives, for info-nce
    group: int = 3  #: look-alikes that are put into a batch together; 1 = none
    copies_share: float = 1.0  #: of the copy recipe's chances
    seed: int = 1


def _batches(
    plan: Plan, pictures: CachedPictures, neighbours: np.ndarray | None, labels: np.ndarray | None
) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(plan.seed)
    if labels is not None:
        return class_batches(labels, plan.batch, 4, rng)
    return neighbour_batches(neighbours, len(pictures), plan.batch, plan.group, rng)


class CopyBatches(IterableDataset):
    """(views [2n, 3, side, side] uint8, labels [2n, 4]) a step, made in a process of their own.

    The first label is a view's own, the others are those of the tiles of a collage, -1 for none.

    Every step seeds its own randomness, so a resumed run sees the batches that the killed one would have seen.
    """

    def __init__(
        self,
        plan: Plan,
        pictures: CachedPictures,
        neighbours: np.ndarray | None,
        labels: np.ndarray | None,
        done: int,
    ):
        self.plan, self.pictures, self.neighbours, self.labels, self.done = plan, pictures, neighbours, labels, done

    def __iter__(self):
        plan = self.plan
        supervised = self.labels is not None
        batches = _batches(plan, self.pictures, self.neighbours, self.labels)
        original = CopyMaker(COPIES.scaled(0.5) if supervised else NEARLY_ORIGINAL)
        copied = CopyMaker(COPIES.scaled(0.5 if supervised else plan.copies_share))
        for step in range(plan.steps):
            chosen = next(batches)
            if step < self.done:
                continue
            seed_step(plan, step)
            pixels, aspect = self.pictures.take(chosen)
            fillers = torch.randint(len(self.pictures), (min(64, len(self.pictures)),))
            others, _ = self.pictures.take(fillers)
            filler_labels = torch.from_numpy(self.labels)[fillers] if supervised else fillers
            views, shown = [], []
            for maker in (original, copied):
                made, tiles = maker.copies_and_tiles(pixels, aspect, plan.side, others)
                views.append((made * 255).round().to(torch.uint8))
                also = torch.where(tiles >= 0, filler_labels[tiles.clamp(min=0)], -1)
                own = torch.from_numpy(self.labels[chosen] if supervised else chosen)
                shown.append(torch.cat([own[:, None], also], 1))
            yield torch.cat(views), torch.cat(shown)


def batch_loss(plan: Plan, embeddings: Tensor, labels: Tensor, memory: MemoryQueue | None) -> Tensor:
    if plan.loss == "info-nce":
        loss = info_nce_loss(
            embeddings,
            labels,
            plan.temperature,
            memory.embeddings if memory else None,
            memory.labels if memory else None,
        )
    else:
        loss = LOSSES[plan.loss](embeddings, own_labels(labels))
    return loss + plan.koleo * koleo_loss(embeddings, labels) if plan.koleo else loss


def train_pictures(
    net: PictureEncoder,
    pictures: CachedPictures,
    plan: Plan,
    folder: Path,
    neighbours: np.ndarray | None = None,
    labels: np.ndarray | None = None,
    checkpoint_every: int = 50,
    workers: int = 1,
) -> PictureEncoder:
    """Train ``net`` (norms already folded) and return its averaged weights.

    Without ``labels`` every picture is its own class and its copies are the positives; with them [n], all pictures of
    a class are. ``folder`` receives ``checkpoint.pt``, ``loss.png`` and ``loss.csv``; a run that finds its checkpoint
    goes on from there.
    """
    seed_everything(plan.seed)
    net.train()
    net.freeze(plan.frozen_blocks)
    backbone = [p for p in net.backbone.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(
        [
            {"params": backbone, "lr": plan.learning_rate * plan.backbone_share},
            {"params": net.project.parameters(), "lr": plan.learning_rate},
        ],
        weight_decay=plan.weight_decay,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: cosine_with_warmup(step, plan.steps, plan.warmup)
    )
    average = AveragedWeights(net)
    memory = MemoryQueue(plan.memory, net.dimension) if plan.memory and plan.loss == "info-nce" else None
    parts: dict[str, Part] = {"net": net, "optimiser": optimiser, "schedule": schedule}
    if memory:
        parts["memory"] = memory
    title = f"{plan.loss}, {plan.side} px"
    run = TrainingRun(folder, plan, average, parts, checkpoint_every, plan.loss, title)
    loader = DataLoader(
        CopyBatches(plan, pictures, neighbours, labels, run.done),
        batch_size=None,
        num_workers=workers,
        prefetch_factor=2 if workers else None,
    )
    for pixels, both in loader:
        views = normalise(pixels, MEAN, STD).contiguous(memory_format=torch.channels_last)
        embeddings = net.encode(views)
        loss = batch_loss(plan, embeddings, both, memory)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        schedule.step()
        average.update(net)
        if memory:
            memory.push(embeddings.detach(), both)
        if run.record(float(loss.detach())):
            lines = (f"{s},{v:.6f}\n" for s, v in run.history)
            (folder / "loss.csv").write_text("step,loss\n" + "".join(lines))
    return average.net
