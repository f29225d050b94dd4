"""Affine distortions of drawings, in the ranges of Koch et al. 2015, section 4.3.2: rotation within 10 degrees, shear
within 0.3, scale 0.8-1.2, shift within 2 of 35 pixels, each with probability one half; and thicker or thinner ink."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def _half(n: int, values: Tensor, neutral: float) -> Tensor:
    return torch.where(torch.rand(n) < 0.5, values, torch.full((n,), neutral))


def distort(ink: Tensor) -> Tensor:
    """``ink`` [n, 1, side, side] with 0 for paper and 1 for ink -> the same, distorted."""
    n, side = len(ink), ink.shape[-1]
    angle = _half(n, (torch.rand(n) * 2 - 1) * 0.2618, 0.0)
    shear = _half(n, (torch.rand(n) * 2 - 1) * 0.3, 0.0)
    sx = _half(n, 0.8 + 0.4 * torch.rand(n), 1.0)
    sy = _half(n, 0.8 + 0.4 * torch.rand(n), 1.0)
    shift = (torch.rand(n, 2) * 2 - 1) * 0.12
    c, s = angle.cos(), angle.sin()
    matrix = torch.stack(
        [
            torch.stack([c * sx, (c * shear - s) * sy, shift[:, 0]], 1),
            torch.stack([s * sx, (s * shear + c) * sy, shift[:, 1]], 1),
        ],
        1,
    )
    # A coarse random field bends what an affine map keeps straight, as another hand would.
    field = F.interpolate(torch.randn(n, 2, 3, 3) * 0.05, size=side, mode="bicubic", align_corners=True)
    grid = F.affine_grid(matrix, [n, 1, side, side], align_corners=False) + field.permute(0, 2, 3, 1)
    out = F.grid_sample(ink, grid, align_corners=False)
    weight = torch.exp((torch.rand(n, 1, 1, 1) - 0.5) * 1.0)
    return (out * weight).clamp(0, 1)
