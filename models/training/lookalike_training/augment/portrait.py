"""Faces as another day would have taken them: moved, turned, mirrored, lit, blurred, partly hidden."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from lookalike_training.augment.damage import blur
from lookalike_training.augment.tone import chance, change_gamma, span


def _moved(x: Tensor) -> Tensor:
    """Turned by up to 12 degrees, 0.85-1.18 of the size a side (up to 5% apart), shifted by up to 8%, half mirrored."""
    n, _, height, width = x.shape
    angle = (torch.rand(n) * 2 - 1) * 0.21
    size = torch.exp((torch.rand(n) * 2 - 1) * 0.165)
    stretch = torch.exp((torch.rand(n) * 2 - 1) * 0.05)
    flip = torch.where(chance(n, 0.5), -1.0, 1.0)
    shift = (torch.rand(n, 2) * 2 - 1) * 0.16
    c, s = angle.cos(), angle.sin()
    aspect = width / height
    matrix = torch.stack(
        [
            torch.stack([flip * c * size * stretch, -s * size / aspect, shift[:, 0]], 1),
            torch.stack([flip * s * size * aspect, c * size / stretch, shift[:, 1]], 1),
        ],
        1,
    )
    grid = F.affine_grid(matrix, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)


def _lit(x: Tensor) -> Tensor:
    """Brighter on one side, as by a window; then contrast, brightness and gamma."""
    n, _, height, width = x.shape
    down, across = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
    slope = (torch.rand(n, 2, 1, 1) * 2 - 1) * 0.35
    x = x * (1 + slope[:, :1] * down + slope[:, 1:] * across)
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    x = (x - mean) * span(n, 0.65, 1.4) + mean * span(n, 0.7, 1.35)
    return change_gamma(x.clamp(0, 1), 0.7, 1.4)


def _hidden(x: Tensor, share: float) -> Tensor:
    """A grey rectangle of up to 40% a side over ``share`` of the pictures: glasses, hands and hair come and go."""
    n, _, height, width = x.shape
    middle = torch.rand(n, 2, 1, 1)
    half = 0.06 + 0.14 * torch.rand(n, 2, 1, 1)
    down = torch.linspace(0, 1, height).view(1, height, 1)
    across = torch.linspace(0, 1, width).view(1, 1, width)
    inside = ((down - middle[:, 0]).abs() < half[:, 0]) & ((across - middle[:, 1]).abs() < half[:, 1])
    inside = (inside & chance(n, share).view(-1, 1, 1)).unsqueeze(1)
    return torch.where(inside, torch.rand(n, 1, 1, 1), x)


def vary_portrait(x: Tensor) -> Tensor:
    """``x`` [n, 1, h, w] in 0..1 -> the same, varied."""
    x = _hidden(_lit(_moved(x)), 0.4)
    blurred = chance(len(x), 0.25)
    if blurred.any():
        x = torch.where(blurred.view(-1, 1, 1, 1), blur(x, float(0.4 + 1.1 * torch.rand(()))), x)
    return (x + torch.randn_like(x) * 0.02 * torch.rand(len(x), 1, 1, 1)).clamp(0, 1)
