"""Training of what frames a face: the landmark head, on maps of the frozen backbone that are computed once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from lookalike_training.augment.portrait import vary_portrait
from lookalike_training.checkpoint import seed_everything
from lookalike_training.progress import Progress
from lookalike_training.schedule import cosine_with_warmup
from lookalike_training.siblings.efficientnet_lite import normalised
from lookalike_training.siblings.framed_face import HEIGHT, WIDTH, Framing, LandmarkHead

#: Landmarks are looked for at half the size of the input.
HALF = (HEIGHT // 2, WIDTH // 2)
#: Marks, in -1..1, times this are pixels of that picture from its middle.
_PIXELS = torch.tensor([HALF[1] / 2, HALF[0] / 2])


@dataclass(frozen=True)
class FramingPlan:
    views: int = 5000  #: varied faces in all
    steps: int = 600
    batch: int = 64
    warmup: int = 60
    learning_rate: float = 2e-3
    seed: int = 1


@dataclass
class FaceMaps:
    """What the head sees of varied faces, in half precision, and what it should say: ``middle`` [v, 40, 14, 12],
    ``deep`` [v, 112, 7, 6], ``marks`` [v, 5, 2], ``picture`` [v] (which one was varied)."""

    middle: Tensor
    deep: Tensor
    marks: Tensor
    picture: Tensor


@torch.no_grad()
def maps_of_views(framing: Framing, pictures: Tensor, marks: Tensor, plan: FramingPlan, batch: int = 50) -> FaceMaps:
    """``pictures`` [n, 1, h, w] in 0..1, ``marks`` [n, 5, 2]."""
    seed_everything(plan.seed)
    parts = []
    progress = Progress(plan.views)
    for done in range(0, plan.views, batch):
        chosen = torch.randint(len(pictures), (min(batch, plan.views - done),))
        varied, moved = vary_portrait(pictures[chosen], marks[chosen], HALF)
        middle, deep = framing.maps(normalised(varied))
        parts.append((middle.half(), deep.half(), moved, chosen))
        progress.show(done + len(chosen), "varied faces")
    return FaceMaps(*(torch.cat(column) for column in zip(*parts, strict=True)))


def between_eyes(marks: Tensor) -> Tensor:
    """[n, 5, 2] -> [n], in pixels of the picture at half size."""
    places = marks * _PIXELS
    return ((places[:, 0] + places[:, 1] - places[:, 2] - places[:, 3]) / 2).norm(dim=1)


def errors(found: Tensor, marks: Tensor) -> Tensor:
    """[n, 5, 2] each -> [n, 5, 2], in distances between the eyes."""
    return (found - marks) * _PIXELS / between_eyes(marks).clamp(min=6).view(-1, 1, 1)


def train_head(maps: FaceMaps, kept: Tensor, plan: FramingPlan) -> tuple[LandmarkHead, list[tuple[int, float]]]:
    """``kept`` [v] bool: the views to train on. Returns the head and (step, loss)."""
    seed_everything(plan.seed)
    head = LandmarkHead()
    optimiser = torch.optim.AdamW(head.parameters(), lr=plan.learning_rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: cosine_with_warmup(step, plan.steps, plan.warmup)
    )
    allowed = torch.where(kept)[0]
    history = []
    progress = Progress(plan.steps)
    for step in range(1, plan.steps + 1):
        chosen = allowed[torch.randint(len(allowed), (plan.batch,))]
        found = head(maps.middle[chosen].float(), maps.deep[chosen].float())
        # A tenth of the distance between the eyes is where the loss turns from squared to linear.
        error = errors(found, maps.marks[chosen]) * 10
        loss = F.smooth_l1_loss(error, torch.zeros_like(error))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        history.append((step, float(loss.detach())))
        progress.show(step, f"loss {history[-1][1]:.3f}")
    return head.eval(), history
