"""What makes two signatures alike, from few writers: whitened, scaled by the hand, then moved a little on pairs.

1. **Pair whitening** of the principal components: directions in which one writer's genuine signatures differ are scaled
   down. In closed form.
2. **Variability** of each writer, the distance halfway between genuine pairs and forgeries, is foretold from a single
   signature by a ridge regression. In closed form.
3. **Refinement** by some steps on the logistic loss of all pairs, every writer weighed alike. It is held to where it
   started and sees components with dropout, for without either it learns the training writers by heart.
4. **Trust in length**, after the steps: on the writers that they have seen, how long a projection is says nothing of
   its errors any more; on others it does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from lookalike_training.siblings.variability import VariabilityHead
from lookalike_training.verification.figures import equal_error_point
from lookalike_training.verification.projection import WhiteningPlan, whitened_projection


@dataclass(frozen=True)
class MetricPlan(WhiteningPlan):
    dimension: int = 256  #: of the vectors, one of which the variability takes
    components: int = 400
    ridge: float = 0.3  #: of the mean variance of the whitened signatures
    steps: int = 50
    learning_rate: float = 0.02  #: of the projection: relative to its mean weight
    hold: float = 3.0  #: weight of the squared relative change of the projection and of the variability
    dropout: float = 0.2
    steepness: float = 20.0  #: of the logistic loss, per unit of similarity


@dataclass
class Hand:
    """Rows of one writer's ``genuine`` signatures and of the ``forged`` ones."""

    genuine: Tensor
    forged: Tensor

    def similarities(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Unit rows [n, d] -> those of all genuine pairs, and of all pairs of a genuine one with a forgery."""
        own = vectors[self.genuine]
        i, j = torch.triu_indices(len(own), len(own), 1)
        return (own @ own.T)[i, j], (own @ vectors[self.forged].T).flatten()


def hands(writers: np.ndarray, genuine: np.ndarray) -> list[Hand]:
    """Of the writers that have pairs of both kinds."""
    found = []
    for writer in np.unique(writers):
        own, forged = np.flatnonzero((writers == writer) & genuine), np.flatnonzero((writers == writer) & ~genuine)
        if len(own) > 1 and len(forged):
            found.append(Hand(torch.from_numpy(own), torch.from_numpy(forged)))
    return found


def fit_metric(features: Tensor, writers: np.ndarray, genuine: np.ndarray, plan: MetricPlan) -> VariabilityHead:
    """``features`` [n, c], ``writers`` [n], ``genuine`` [n] booleans -> the head that reads such features."""
    mean = features.mean(0)
    torch.manual_seed(plan.seed)
    _, _, basis = torch.svd_lowrank(features - mean, q=min(plan.components, len(features) - 1), niter=3)
    components = (features - mean) @ basis
    # A forgery is the work of another hand, so each is alone with its label.
    labels = np.where(genuine, writers, writers.max() + 1 + np.arange(len(writers)))
    whitening = WhiteningPlan(plan.dimension - 1, basis.shape[1], plan.shrinkage, plan.seed)
    weight, bias = whitened_projection(components, torch.from_numpy(labels), whitening)
    head = VariabilityHead(basis.shape[1], plan.dimension)
    known = hands(writers, genuine)
    with torch.no_grad():
        head.project.weight.copy_(weight)
        head.project.bias.copy_(bias)
        _fit_variability(head, F.normalize(head.project(components), dim=1), known, plan)
    _refine(head, components, known, plan)
    shipped = VariabilityHead(features.shape[1], plan.dimension).requires_grad_(False)
    shipped.variability.load_state_dict(head.variability.state_dict())
    with torch.no_grad():
        shipped.project.weight.copy_(head.project.weight @ basis.T)
        shipped.project.bias.copy_(head.project.bias - shipped.project.weight @ mean)
    shipped.trust_length(features[torch.from_numpy(genuine)])
    return shipped


def _fit_variability(head: VariabilityHead, z: Tensor, known: list[Hand], plan: MetricPlan) -> None:
    """``z`` [n, dimension - 1] of unit length."""
    halfway = torch.stack([sum(part.mean() for part in hand.similarities(z)) / 2 for hand in known])
    wanted = torch.log(1 - halfway)
    wanted = wanted - wanted.mean()
    rows = torch.cat([torch.cat([hand.genuine, hand.forged]) for hand in known])
    # Writers weigh alike, and so do genuine signatures and forgeries of each.
    weights = torch.cat([torch.full((len(part),), 0.5 / len(part)) for h in known for part in (h.genuine, h.forged)])
    weights = weights / len(known)
    targets = torch.cat([value.expand(len(h.genuine) + len(h.forged)) for h, value in zip(known, wanted, strict=True)])
    middle = weights @ z[rows]
    x = z[rows] - middle
    covariance = (x * weights[:, None]).T @ x
    ridge = plan.ridge * covariance.diagonal().mean() * torch.eye(len(covariance))
    slope = torch.linalg.solve(covariance + ridge, (x * weights[:, None]).T @ targets)
    head.variability.weight.copy_(slope[None])
    head.variability.bias.copy_(-(slope @ middle))


def _refine(head: VariabilityHead, components: Tensor, known: list[Hand], plan: MetricPlan) -> None:
    """``components`` [n, k]; changes ``head`` in place."""
    held = [(p, p.detach().clone()) for p in (head.project.weight, head.variability.weight)]
    with torch.no_grad():
        start = [equal_error_point(*map(Tensor.numpy, hand.similarities(head(components))))[1] for hand in known]
    threshold = torch.tensor(float(np.mean(start)), requires_grad=True)
    rate = plan.learning_rate * float(head.project.weight.detach().abs().mean())
    optimiser = torch.optim.Adam(
        [
            {"params": list(head.project.parameters()), "lr": rate},
            {"params": [*head.variability.parameters(), threshold], "lr": plan.learning_rate},
        ]
    )
    torch.manual_seed(plan.seed)
    for _ in range(plan.steps):
        vectors = head(F.dropout(components, plan.dropout))
        loss = torch.zeros(())
        for hand in known:
            same, different = hand.similarities(vectors)
            loss = loss + F.softplus(plan.steepness * (threshold - same)).mean() / len(known)
            loss = loss + F.softplus(plan.steepness * (different - threshold)).mean() / len(known)
        for now, before in held:
            loss = loss + plan.hold * (now - before).square().sum() / before.square().sum().clamp(min=1e-6)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
