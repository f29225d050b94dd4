"""Faces as another camera would have taken them: moved, turned, mirrored, nearer, lit, blurred, partly hidden."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from lookalike_training.augment.damage import blur
from lookalike_training.augment.tone import chance, change_gamma, span
from lookalike_training.siblings.framed_face import MIRRORED


@dataclass(frozen=True)
class PortraitChances:
    """How far a varied face may be from where it was."""

    turned: float = 0.35  #: radians, either way
    nearer: float = 1.35  #: times as large
    farther: float = 2.1  #: times as small
    stretched: float = 1.08  #: one side against the other
    moved: float = 0.27  #: of the half width and height, either way


def move_portrait(x: Tensor, marks: Tensor, size: tuple[int, int], most: PortraitChances) -> tuple[Tensor, Tensor]:
    """``vary_portrait`` without light, blur and noise.

    Half are mirrored; what comes in from outside is the picture's edge, an even grey or a corner of another picture.
    """
    n = len(x)
    height, width = size
    half_in = torch.tensor([x.shape[3] / 2, x.shape[2] / 2])
    half_out = torch.tensor([width / 2, height / 2])
    angle = (torch.rand(n) * 2 - 1) * most.turned
    # Farther is drawn more rarely the farther it is.
    low, high = torch.tensor(1 / most.nearer).log(), torch.tensor(most.farther).log()
    size_of = torch.exp(low + (high - low) * torch.rand(n) * torch.rand(n).sqrt()) * x.shape[2] / height
    stretch = torch.exp((torch.rand(n) * 2 - 1) * torch.tensor(most.stretched).log())
    flip = torch.where(chance(n, 0.5), -1.0, 1.0)
    shift = (torch.rand(n, 2) * 2 - 1) * most.moved * half_out * size_of.view(-1, 1)
    c, s = angle.cos() * size_of, angle.sin() * size_of
    # Pixels of the new picture, from its middle -> pixels of the old one, from its middle.
    matrix = torch.stack([flip * c * stretch, -s, flip * s * stretch, c], 1).view(n, 2, 2)
    in_units = matrix * half_out / half_in.view(1, 2, 1)
    grid = F.affine_grid(
        torch.cat([in_units, (shift / half_in).unsqueeze(2)], 2), [n, 1, height, width], align_corners=False
    )
    moved = F.grid_sample(x, grid, padding_mode="border", align_corners=False)
    outside = (grid.abs() > 1).any(3).unsqueeze(1)
    corner = F.interpolate(
        x[torch.randperm(n)][:, :, : x.shape[2] // 3, : x.shape[3] // 3], size, mode="bilinear", align_corners=False
    )
    ground = torch.where(chance(n, 0.5).view(-1, 1, 1, 1), corner, torch.rand(n, 1, 1, 1))
    moved = torch.where(outside & chance(n, 0.5).view(-1, 1, 1, 1), ground, moved)
    back = ((marks * half_in - shift.unsqueeze(1)) @ torch.linalg.inv(matrix).transpose(1, 2)) / half_out
    return moved, torch.where((flip < 0).view(-1, 1, 1), back[:, list(MIRRORED)], back)


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


def vary_portrait(
    x: Tensor, marks: Tensor, size: tuple[int, int], most: PortraitChances | None = None
) -> tuple[Tensor, Tensor]:
    """``x`` [n, 1, h, w] in 0..1, ``marks`` [n, 5, 2] (x, y) in -1..1 -> both, in varied pictures of ``size`` (height,
    width). Marks may leave the picture."""
    x, marks = move_portrait(x, marks, size, most or PortraitChances())
    x = _hidden(_lit(x), 0.25)
    blurred = chance(len(x), 0.25)
    if blurred.any():
        x = torch.where(blurred.view(-1, 1, 1, 1), blur(x, float(0.3 + torch.rand(()))), x)
    return (x + torch.randn_like(x) * 0.03 * torch.rand(len(x), 1, 1, 1)).clamp(0, 1), marks
