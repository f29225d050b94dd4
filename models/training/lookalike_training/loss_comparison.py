"""Losses and dimensions side by side, on equal terms.

``compare_losses``: short runs of the projection alone. The backbone stays as pretrained and its pooled features of
originals and random copies are computed once, so that a run takes seconds. ``compare_trained_losses``: runs of one
length of the whole network, minutes each, which say more.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from lookalike_training.augment.copy_maker import CopyMaker
from lookalike_training.checkpoint import seed_everything
from lookalike_training.copies.catalogue import EASY, HARD
from lookalike_training.data.cache import CachedPictures
from lookalike_training.data.splits import research_split
from lookalike_training.losses.by_name import LOSSES
from lookalike_training.losses.koleo import koleo_loss
from lookalike_training.picture_batches import embed, normalise
from lookalike_training.picture_preparation import prepare
from lookalike_training.picture_training import Plan, train_pictures
from lookalike_training.siblings.efficientnet_lite import MEAN, STD
from lookalike_training.siblings.picture_encoder import PictureEncoder
from lookalike_training.validation import Report, ValidationPictures, validate
from lookalike_training.whitening import fit_whitening

SIDE = 128
QUERIES = 100
COPIES_EACH = 2
STEPS = 300
BATCH = 256


@torch.no_grad()
def copy_features(net: PictureEncoder, pictures: CachedPictures) -> Tensor:
    """[1 + COPIES_EACH, n, 1280]: of the originals, then of random copies."""
    seed_everything(2)
    maker = CopyMaker()
    rounds = []
    for copied in range(1 + COPIES_EACH):
        parts = []
        for start in range(0, len(pictures), 48):
            pixels, aspect = pictures.take(range(start, min(start + 48, len(pictures))))
            if copied:
                x = maker(pixels, aspect, SIDE) * 255
            else:
                x = F.interpolate(pixels.float(), size=SIDE, mode="bilinear", antialias=True)
            parts.append(net.features(normalise(x, MEAN, STD).contiguous(memory_format=torch.channels_last)))
        rounds.append(torch.cat(parts))
    return torch.stack(rounds)


def train_head(features: Tensor, loss: str, koleo: float, dimension: int) -> torch.nn.Linear:
    """A linear projection, started from whitening; ``features`` [views, n, 1280]."""
    seed_everything(1)
    head = torch.nn.Linear(features.shape[2], dimension)
    weight, bias = fit_whitening(features[0], dimension, shrinkage=0.5)
    head.load_state_dict({"weight": weight, "bias": bias})
    optimiser = torch.optim.AdamW(head.parameters(), lr=1e-3, weight_decay=1e-4)
    for _ in range(STEPS):
        chosen = torch.randperm(features.shape[1])[:BATCH]
        view = torch.randint(1, len(features), (len(chosen),))
        x = torch.cat([features[0, chosen], features[view, chosen]])
        labels = torch.cat([chosen, chosen])
        e = F.normalize(head(x), dim=1)
        value = LOSSES[loss](e, labels) + (koleo * koleo_loss(e, labels) if koleo else 0)
        optimiser.zero_grad(set_to_none=True)
        value.backward()
        optimiser.step()
    return head.eval()


@torch.no_grad()
def _report(head: torch.nn.Module, references: Tensor, queries: dict[str, Tensor], truth) -> Report:
    def project(x: Tensor):
        return F.normalize(head(x), dim=1).numpy()

    return Report(project(references), {name: project(q) for name, q in queries.items()}, truth)


HEADER = ("| loss | micro-AP easy | micro-AP hard | R@P.999 easy |", "| --- | --- | --- | --- |")


def _figures(report: Report) -> list[float]:
    easy, hard = report.half(EASY), report.half(HARD)
    return [easy["micro-AP"], hard["micro-AP"], easy["recall@P.999"]]


def _row(title: str, figures: list[float]) -> str:
    return f"| {title} | " + " | ".join(f"{v:.3f}" for v in figures) + " |"


def compare_losses(data: Path) -> str:
    """A table in Markdown of validation figures: micro-AP of both halves, recall at precision 0.999 of the easy one."""
    split = research_split(data)
    prepared = prepare(split.fit, 256, SIDE)
    features = copy_features(prepared.net, prepared.pictures)
    pictures = ValidationPictures.read(split.validation, QUERIES)

    references = torch.from_numpy(embed(prepared.net.features, pictures.pixels(None, SIDE), MEAN, STD))
    queries = {
        name: torch.from_numpy(embed(prepared.net.features, pictures.pixels(name, SIDE), MEAN, STD))
        for name in {**EASY, **HARD}
    }
    truth = np.array(pictures.queries)
    runs = [("none (whitening)", "", 0.0, 256)]
    runs += [(name, name, 0.0, 256) for name in sorted(LOSSES)]
    runs += [(f"info-nce + {k:g} KoLeo", "info-nce", k, 256) for k in (0.3, 3.0, 10.0)]
    runs += [(f"info-nce + 3 KoLeo, {d}-d", "info-nce", 3.0, d) for d in (128, 64)]
    lines = list(HEADER)
    for title, loss, koleo, dimension in runs:
        if loss:
            head: torch.nn.Module = train_head(features, loss, koleo, dimension)
        else:
            head = prepared.net.project
        lines.append(_row(title, _figures(_report(head, references, queries, truth))))
        print(lines[-1], flush=True)
    return "\n".join(lines)


@dataclass(frozen=True)
class Contender:
    loss: str
    koleo: float = 0.0
    memory: int = 0

    @property
    def title(self) -> str:
        extras = [f"{self.koleo:g} KoLeo"] * (self.koleo > 0) + [f"{self.memory} remembered"] * (self.memory > 0)
        return " + ".join([self.loss, *extras])


CONTENDERS = {
    "shipped": Contender("info-nce", koleo=Plan.koleo, memory=Plan.memory),
    "triplet-batch-hard": Contender("triplet-batch-hard"),
    "contrastive": Contender("contrastive"),
    "contrastive-hard": Contender("contrastive-hard"),
    "info-nce": Contender("info-nce"),
    "triplet-semi-hard": Contender("triplet-semi-hard"),
}


def compare_trained_losses(data: Path, work: Path, steps: int, only: str | None = None) -> str:
    """The table of ``compare_losses`` for whole networks, each trained for ``steps`` on the same batches of the same
    seed, with nothing but the loss between them. Runs resume, and figures that ``work`` holds are not made again.

    Args:
        only: a key of ``CONTENDERS``; default all.
    """
    lines = list(HEADER)
    for name in [only] if only else CONTENDERS:
        contender = CONTENDERS[name]
        lines.append(_row(contender.title, _trained_figures(data, work / f"{name}-{steps}", contender, steps)))
        print(lines[-1], flush=True)
    return "\n".join(lines)


def _trained_figures(data: Path, folder: Path, contender: Contender, steps: int) -> list[float]:
    file = folder / "figures.json"
    if not file.exists():
        split = research_split(data)
        prepared = prepare(split.fit, 256, SIDE)
        plan = Plan(
            side=SIDE,
            steps=steps,
            warmup=steps // 10,
            loss=contender.loss,
            koleo=contender.koleo,
            memory=contender.memory,
        )
        net = train_pictures(prepared.net, prepared.pictures, plan, folder, prepared.neighbours)
        pictures = ValidationPictures.read(split.validation, QUERIES)
        report = validate(partial(embed, net, mean=MEAN, std=STD), pictures, SIDE)
        file.write_text(json.dumps(_figures(report)))
    return json.loads(file.read_text())
