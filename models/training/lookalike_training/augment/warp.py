"""Geometry: 3 x 3 matrices that say where in the source an output pixel comes from, and the sampling itself."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def identity(n: int) -> Tensor:
    return torch.eye(3).expand(n, 3, 3).clone()


def scale_and_shift(sx: Tensor, sy: Tensor, tx: Tensor, ty: Tensor) -> Tensor:
    """source = s * out + t, as [n, 3, 3]."""
    m = torch.zeros(len(sx), 3, 3)
    m[:, 0, 0], m[:, 1, 1], m[:, 2, 2] = sx, sy, 1
    m[:, 0, 2], m[:, 1, 2] = tx, ty
    return m


def window(area: Tensor, stretch: Tensor, where: Tensor) -> Tensor:
    """A crop of ``area`` [n] (share of the surface), ``stretch`` [n] (its width over its height, 1 = the picture's own
    shape), at ``where`` [n, 2] in 0..1 of the room there is."""
    sx = (area * stretch).sqrt().clamp(max=1)
    sy = (area / stretch).sqrt().clamp(max=1)
    t = where * 2 - 1
    return scale_and_shift(sx, sy, t[:, 0] * (1 - sx), t[:, 1] * (1 - sy))


def flips(horizontal: Tensor, vertical: Tensor) -> Tensor:
    """Booleans [n] each."""
    zero = torch.zeros(len(horizontal))
    return scale_and_shift(1.0 - 2.0 * horizontal.float(), 1.0 - 2.0 * vertical.float(), zero, zero)


def rotation(degrees: Tensor, aspect: Tensor, grow: Tensor) -> Tensor:
    """Turn by ``degrees`` [n]; where ``grow`` [n] the canvas grows so that nothing is cut, else corners are lost."""
    a = torch.deg2rad(degrees)
    c, s = a.cos(), a.sin()
    width = torch.where(grow, aspect * c.abs() + s.abs(), aspect)
    height = torch.where(grow, aspect * s.abs() + c.abs(), torch.ones_like(aspect))
    m = torch.zeros(len(degrees), 3, 3)
    # out (-1..1) -> canvas units -> turned -> source (-1..1), the source being `aspect` wide and 1 high.
    m[:, 0, 0], m[:, 0, 1] = c * width / aspect, s * height / aspect
    m[:, 1, 0], m[:, 1, 1] = -s * width, c * height
    m[:, 2, 2] = 1
    return m


def perspective(pulls: Tensor) -> Tensor:
    """Corners pulled inwards by ``pulls`` [n, 4, 2] (share of a side, in -1..1): the map from out to source."""
    n = len(pulls)
    corners = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    moved = corners * (1 - 2 * pulls)
    u, v = moved[..., 0], moved[..., 1]
    x, y = corners[:, 0].expand(n, 4), corners[:, 1].expand(n, 4)
    one, zero = torch.ones(n, 4), torch.zeros(n, 4)
    rows = torch.cat(
        [
            torch.stack([u, v, one, zero, zero, zero, -x * u, -x * v], -1),
            torch.stack([zero, zero, zero, u, v, one, -y * u, -y * v], -1),
        ],
        dim=1,
    )
    solved = torch.linalg.solve(rows, torch.cat([x, y], 1).unsqueeze(-1)).squeeze(-1)
    return torch.cat([solved, torch.ones(n, 1)], 1).view(n, 3, 3)


def into_rectangle(rectangle: Tensor) -> Tensor:
    """The picture shown in ``rectangle`` [n, 4] (left, top, right, bottom in 0..1 of the canvas)."""
    low, high = rectangle[:, :2] * 2 - 1, rectangle[:, 2:] * 2 - 1
    half, middle = ((high - low) / 2).clamp(min=1e-3), (high + low) / 2
    return scale_and_shift(1 / half[:, 0], 1 / half[:, 1], -middle[:, 0] / half[:, 0], -middle[:, 1] / half[:, 1])


def apply(matrix: Tensor, points: Tensor) -> Tensor:
    """``matrix`` [n, 3, 3] on ``points`` [n, h, w, 2]."""
    m = matrix[:, None, None]
    x, y = points[..., 0], points[..., 1]
    w = m[..., 2, 0] * x + m[..., 2, 1] * y + m[..., 2, 2]
    w = torch.where(w.abs() < 1e-6, torch.full_like(w, 1e-6), w)
    return torch.stack(
        [(m[..., i, 0] * x + m[..., i, 1] * y + m[..., i, 2]) / w for i in (0, 1)],
        dim=-1,
    )


def grid(n: int, side: int) -> Tensor:
    """Pixel centres [n, side, side, 2]."""
    axis = (torch.arange(side) + 0.5) * (2 / side) - 1
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    return torch.stack([x, y], -1).expand(n, side, side, 2)


def sample(pictures: Tensor, inner: Tensor, outer: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Warp ``pictures`` [n, c, S, S] (uint8 or float) to ``side``.

    ``outer`` maps the canvas to the (cropped) picture and decides what lies outside of it; ``inner`` maps the cropped
    picture to the source. Returns pixels [n, c, side, side] in 0..1 and the mask [n, 1, side, side] of the inside.
    """
    n = len(pictures)
    if pictures.dtype == torch.uint8:
        pictures = pictures.float().div_(255)
    seen = apply(outer, grid(n, side))
    mask = (seen.abs() <= 1).all(-1, keepdim=True).permute(0, 3, 1, 2)
    source = apply(inner, seen)
    # How many source pixels one output pixel covers, roughly: where it is two or more, sample a halved picture, so
    # that small copies are smooth as a real resizer makes them.
    covered = (torch.linalg.det(inner) * torch.linalg.det(outer)).abs().sqrt() * pictures.shape[-1] / side
    small = covered > 1.6
    out = torch.empty(n, pictures.shape[1], side, side)
    for chosen, level in ((~small, 0), (small, 1)):
        if chosen.any():
            part = pictures[chosen]
            if level:
                part = F.avg_pool2d(part, 2)
            out[chosen] = F.grid_sample(part, source[chosen], padding_mode="border", align_corners=False)
    return out, mask.float()
