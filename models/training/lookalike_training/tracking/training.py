"""Trains the tracking sibling on made-up scenes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import torch

from lookalike_training.averaged_weights import AveragedWeights
from lookalike_training.checkpoint import seed_everything
from lookalike_training.data.cache import CachedPictures
from lookalike_training.schedule import cosine_with_warmup
from lookalike_training.siblings.efficientnet_lite import load_pretrained, normalised
from lookalike_training.siblings.fold_norm import fold_norms
from lookalike_training.tracking.fully_convolutional import TrackingEncoder
from lookalike_training.tracking.response_loss import pair_responses, response_loss, wanted_response
from lookalike_training.tracking.scenes import SceneChances, ScenePairs, draw_scenes
from lookalike_training.training_run import TrainingRun
from lookalike_training.whitening import fit_whitening


@dataclass(frozen=True)
class TrackingPlan:
    """One run; a run resumes only under the same plan."""

    steps: int = 800
    batch: int = 16  #: scenes
    warmup: int = 30
    learning_rate: float = 1e-3  #: of the neck
    backbone_share: float = 0.3  #: of that, for the backbone
    weight_decay: float = 1e-4
    frozen_blocks: int = 3  #: with the stem: edges and colours, at the resolutions that cost most
    seed: int = 1
    chances: SceneChances = field(default_factory=SceneChances)


def responses(net: TrackingEncoder, pairs: ScenePairs) -> tuple[torch.Tensor, torch.Tensor]:
    """Own and foreign responses of a batch of scenes."""
    steps, n = pairs.exemplars.shape[:2]
    templates = net.encode(normalised(pairs.exemplars.flatten(0, 1))).view(steps, n, -1)
    return pair_responses(net.features(normalised(pairs.regions)), templates)


@torch.no_grad()
def untrained(pictures: CachedPictures, seed: int = 1) -> TrackingEncoder:
    """The ImageNet backbone with a neck that whitens what it sees in ``pictures``: where training starts."""
    seed_everything(seed)
    net = TrackingEncoder(fold_norms(load_pretrained())).to(memory_format=torch.channels_last).eval()
    seen = []
    for _ in range(8):
        pairs = draw_scenes(pictures, torch.randint(len(pictures), (16,)))
        joined = net.joined(normalised(pairs.regions))
        seen.append(joined[:, :, 2:-2:3, 2:-2:3].permute(0, 2, 3, 1).flatten(0, 2))
    weight, bias = fit_whitening(torch.cat(seen), net.neck.out_channels, shrinkage=0.1)
    net.neck.weight.copy_(weight[:, :, None, None])
    net.neck.bias.copy_(bias)
    return net


@dataclass
class PairFigures:
    """Over made-up pairs: ``found``, share whose response peaks within one cell (8 pixels) of the target; ``sized``,
    share of those with the right one of three sizes; ``error``, median distance of the peak in pixels."""

    found: float
    sized: float
    error: float

    def __str__(self) -> str:
        return f"within a cell {self.found:.3f}, right size {self.sized:.3f}, median error {self.error:.1f} px"


@torch.no_grad()
def measure_pairs(net: TrackingEncoder, pictures: CachedPictures, count: int = 320, seed: int = 99) -> PairFigures:
    """The same scenes for every network that is asked."""
    state = torch.get_rng_state()
    torch.manual_seed(seed)
    net.eval()
    chances = SceneChances()
    errors, sizes = [], []
    for start in range(0, count, 16):
        pairs = draw_scenes(pictures, torch.arange(start, start + 16) * 7 % len(pictures), chances)
        own, _ = responses(net, pairs)
        wanted = wanted_response(pairs.place, pairs.scale, chances.scale_step)
        cells = own.shape[-1]
        best = own.flatten(1).argmax(1)
        peak = torch.stack([best % cells, best // cells % cells], 1) - (cells - 1) / 2
        errors.append(((peak - pairs.place * 16) * 8).norm(dim=1))
        sizes.append(best // cells**2 == wanted.sum(dim=(2, 3)).argmax(1))
    torch.set_rng_state(state)
    error, right = torch.cat(errors), torch.cat(sizes)
    near = error <= 12
    return PairFigures(float(near.float().mean()), float(right[near].float().mean()), float(error.median()))


def train_tracking(
    net: TrackingEncoder,
    pictures: CachedPictures,
    plan: TrackingPlan,
    folder: Path,
    checkpoint_every: int = 25,
) -> tuple[TrackingEncoder, list[tuple[int, float]]]:
    """Train ``net`` and return its averaged weights and (step, loss).

    ``folder`` receives ``checkpoint.pt`` and ``loss.png``; a run that finds its checkpoint goes on from there.
    """
    net.train()
    net.freeze(plan.frozen_blocks)
    fast = [*net.neck.parameters(), net.gain]
    slow = [p for p in net.blocks.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(
        [{"params": slow, "lr": plan.learning_rate * plan.backbone_share}, {"params": fast, "lr": plan.learning_rate}],
        weight_decay=plan.weight_decay,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: cosine_with_warmup(step, plan.steps, plan.warmup)
    )
    average = AveragedWeights(net, 0.99)
    parts = {"net": net, "optimiser": optimiser, "schedule": schedule}
    run = TrainingRun(folder, plan, average, parts, checkpoint_every, "cross-entropy", "tracking")
    for _ in run.steps():
        pairs = draw_scenes(pictures, torch.randperm(len(pictures))[: plan.batch], plan.chances)
        own, foreign = responses(net, pairs)
        wanted = wanted_response(pairs.place, pairs.scale, plan.chances.scale_step)
        loss = response_loss(own, foreign, wanted, net.gain)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_([*slow, *fast], 5.0)
        optimiser.step()
        schedule.step()
        average.update(net)
        run.record(float(loss.detach()))
    return average.net.eval(), run.history
