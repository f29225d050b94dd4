"""What the response should look like: a softmax over all places and sizes where the target might be.

SiamFC trains each place of the response by itself (logistic loss). Here the places of one target compete: over the
three exemplar sizes in its own region, and over the regions of a few other targets, where it is nowhere.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from lookalike_training.tracking.fully_convolutional import (
    CHANNELS,
    EXEMPLAR_SIDE,
    RESPONSE_CELLS,
    STRIDE,
    TEMPLATE_CELLS,
    window_norms,
)

STRANGERS = 4  #: other regions in which a target is looked for
_SPREAD = 0.7  #: cells
_SCALE_SPREAD = 0.5  #: steps


def pair_responses(features: Tensor, templates: Tensor) -> tuple[Tensor, Tensor]:
    """Own and foreign responses.

    ``features`` [n, 64, h, w] of regions, ``templates`` [3, n, 4096] -> cosines [n, 3, h - 7, w - 7] of each region
    with its target's three exemplars, and [n, s, h - 7, w - 7] of each *template* with the s next regions.
    """
    n = len(features)
    strangers = min(STRANGERS, n - 1)
    # Region j meets the middle exemplars of the targets j + 1 ... j + s.
    foreign = [templates[1].roll(-(r + 1), 0) for r in range(strangers)]
    kernels = torch.stack([*templates, *foreign], 1)
    kernels = kernels.reshape(-1, CHANNELS, TEMPLATE_CELLS, TEMPLATE_CELLS)
    joined = features.reshape(1, n * CHANNELS, *features.shape[2:])
    cosine = F.conv2d(joined, kernels, groups=n)
    cosine = cosine.view(n, 3 + strangers, *cosine.shape[2:]) / window_norms(features)
    back = [cosine[:, 3 + r].roll(r + 1, 0) for r in range(strangers)]
    return cosine[:, :3], torch.stack(back, 1) if back else cosine[:, :0]


def wanted_response(place: Tensor, scale: Tensor, step: float) -> Tensor:
    """[n, 3, 25, 25] summing to one a target: a bump at its ``place`` [n, 2], weighed by how near its ``scale`` [n] is
    to each exemplar's."""
    cells = torch.arange(RESPONSE_CELLS, dtype=torch.float32)
    middle = (RESPONSE_CELLS - 1) / 2 + place * (EXEMPLAR_SIDE / STRIDE)
    bumps = torch.exp(-((cells - middle[..., None]) ** 2) / (2 * _SPREAD**2))
    steps = torch.tensor([-1.0, 0.0, 1.0]) - (torch.log(scale) / math.log(step))[:, None]
    sizes = torch.exp(-(steps**2) / (2 * _SCALE_SPREAD**2))
    wanted = sizes[:, :, None, None] * bumps[:, 1][:, None, :, None] * bumps[:, 0][:, None, None, :]
    return wanted / wanted.sum(dim=(1, 2, 3), keepdim=True)


def response_loss(own: Tensor, foreign: Tensor, wanted: Tensor, gain: Tensor) -> Tensor:
    """Cross-entropy of ``gain`` times the cosines, foreign ones in the denominator."""
    logits = gain * torch.cat([own.flatten(1), foreign.flatten(1)], 1)
    log_share = logits[:, : own[0].numel()] - logits.logsumexp(1, keepdim=True)
    return -(wanted.flatten(1) * log_share).sum(1).mean()
