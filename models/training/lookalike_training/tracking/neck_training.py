"""The neck alone, over features that are computed once: most of the gain for a small part of the time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lookalike_training.checkpoint import seed_everything
from lookalike_training.data.cache import CachedPictures
from lookalike_training.progress import Progress
from lookalike_training.schedule import cosine_with_warmup
from lookalike_training.siblings.efficientnet_lite import normalised
from lookalike_training.tracking.fully_convolutional import TrackingEncoder, inner_half
from lookalike_training.tracking.response_loss import pair_responses, response_loss, wanted_response
from lookalike_training.tracking.scenes import SceneChances, draw_scenes


@dataclass(frozen=True)
class NeckPlan:
    scenes: int = 768
    steps: int = 300
    batch: int = 24
    warmup: int = 20
    learning_rate: float = 3e-3
    seed: int = 1


@dataclass
class SceneFeatures:
    """Half-precision outputs of the frozen backbone: ``exemplars`` [3, n, 120, 8, 8], ``regions`` [n, 120, 32, 32]."""

    exemplars: Tensor
    regions: Tensor
    place: Tensor
    scale: Tensor


@torch.no_grad()
def scene_features(net: TrackingEncoder, pictures: CachedPictures, count: int, batch: int = 16) -> SceneFeatures:
    net.eval()
    parts: list[SceneFeatures] = []
    progress = Progress(count)
    for done in range(0, count, batch):
        pairs = draw_scenes(pictures, torch.randint(len(pictures), (min(batch, count - done),)))
        exemplars = inner_half(net.joined(normalised(pairs.exemplars.flatten(0, 1)))).half()
        exemplars = exemplars.view(3, len(pairs.place), *exemplars.shape[1:])
        parts.append(SceneFeatures(exemplars, net.joined(normalised(pairs.regions)).half(), pairs.place, pairs.scale))
        progress.show(min(count, done + batch), "scenes")
    return SceneFeatures(
        torch.cat([p.exemplars for p in parts], 1),
        torch.cat([p.regions for p in parts]),
        torch.cat([p.place for p in parts]),
        torch.cat([p.scale for p in parts]),
    )


def train_neck(net: TrackingEncoder, pictures: CachedPictures, plan: NeckPlan) -> list[tuple[int, float]]:
    """Train ``net.neck`` and ``net.gain`` in place; returns (step, loss)."""
    seed_everything(plan.seed)
    known = scene_features(net, pictures, plan.scenes)
    step_between_sizes = SceneChances().scale_step
    optimiser = torch.optim.AdamW([*net.neck.parameters(), net.gain], lr=plan.learning_rate, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: cosine_with_warmup(step, plan.steps, plan.warmup)
    )
    history: list[tuple[int, float]] = []
    progress = Progress(plan.steps)
    for step in range(plan.steps):
        chosen = torch.randperm(len(known.place))[: plan.batch]
        exemplars = known.exemplars[:, chosen].float()
        templates = net.templates(exemplars.flatten(0, 1)).view(3, len(chosen), -1)
        own, foreign = pair_responses(net.neck(known.regions[chosen].float()), templates)
        wanted = wanted_response(known.place[chosen], known.scale[chosen], step_between_sizes)
        loss = response_loss(own, foreign, wanted, net.gain)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
        history.append((step + 1, float(loss.detach())))
        progress.show(step + 1, f"loss {np.mean([v for _, v in history[-50:]]):.4f}")
    return history
