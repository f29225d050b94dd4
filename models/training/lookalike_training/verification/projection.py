"""The last layer of a verifier, where there are too few subjects for more: fitted, then trained on stored features.

With 28 people a whole network learns those 28 by heart. What few subjects do tell is how one subject varies, so the
projection starts as pair whitening (``whitening.fit_pair_whitening``), which divides just that out, and a margin
softmax moves it a little from there.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lookalike_training.checkpoint import seed_everything
from lookalike_training.losses.margin_softmax import MarginSoftmax
from lookalike_training.whitening import fit_pair_whitening

#: Pairs that whitening is fitted on at most.
MOST_PAIRS = 20_000


@dataclass(frozen=True)
class WhiteningPlan:
    dimension: int = 256
    components: int = 300  #: principal components of the features that whitening sees
    shrinkage: float = 0.3
    seed: int = 1


@dataclass(frozen=True)
class ProjectionPlan(WhiteningPlan):
    steps: int = 200
    batch: int = 64
    learning_rate: float = 3e-5
    centre_rate: float = 3e-3  #: learning rate of the class centres
    margin: float = 0.2
    scale: float = 16.0
    dropout: float = 0.2


def whitened_projection(features: Tensor, labels: Tensor, plain: int, plan: WhiteningPlan) -> tuple[Tensor, Tensor]:
    """``features`` [views, n, c], ``labels`` [n] -> weight [dimension, c], bias [dimension].

    Principal components are of all views; how a subject varies is taken from the first ``plain`` views, which are real.
    What has a label of its own counts for the components alone.
    """
    torch.manual_seed(plan.seed)
    flat = features.flatten(0, 1)
    mean = flat.mean(0)
    _, _, basis = torch.svd_lowrank(flat - mean, q=min(plan.components, len(flat) - 1), niter=3)
    real = (features[:plain].flatten(0, 1) - mean) @ basis
    repeated = labels.repeat(plain)
    i, j = torch.where(torch.triu(repeated[:, None] == repeated[None], diagonal=1))
    if len(i) > MOST_PAIRS:
        chosen = torch.randperm(len(i))[:MOST_PAIRS]
        i, j = i[chosen], j[chosen]
    # Both ways round, so that the mean of the differences is zero.
    weight, bias = fit_pair_whitening(
        torch.cat([real[i], real[j]]), torch.cat([real[j], real[i]]), plan.dimension, plan.shrinkage
    )
    weight = weight @ basis.T
    return weight, bias - weight @ mean


def train_projection(
    features: Tensor, labels: Tensor, plain: int, plan: ProjectionPlan
) -> tuple[nn.Linear, list[tuple[int, float]]]:
    """``features`` [views, n, c] of the frozen network, ``labels`` [n] -> the layer, and the loss by step."""
    weight, bias = whitened_projection(features, labels, plain, plan)
    layer = nn.Linear(features.shape[2], len(weight))
    _, classes = torch.unique(labels, return_inverse=True)
    head = MarginSoftmax(len(weight), int(classes.max()) + 1, plan.margin, plan.scale)
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)
        own = F.normalize(layer(features), dim=2).mean(0)
        for c in range(len(head.centres)):
            head.centres[c] = own[classes == c].mean(0)
    optimiser = torch.optim.AdamW(
        [
            {"params": list(layer.parameters()), "lr": plan.learning_rate},
            {"params": list(head.parameters()), "lr": plan.centre_rate},
        ],
        weight_decay=0.01,
    )
    seed_everything(plan.seed)
    history = []
    for step in range(1, plan.steps + 1):
        chosen = torch.randint(len(labels), (plan.batch,))
        x = F.dropout(features[torch.randint(len(features), (plan.batch,)), chosen], plan.dropout)
        loss = head(F.normalize(layer(x), dim=1), classes[chosen])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history.append((step, float(loss.detach())))
    return layer, history
