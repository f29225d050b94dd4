"""A signature as the same hand writes it again: moved, slanted, stretched, bent a little, with another pen."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from lookalike_training.augment.tone import chance, span


@dataclass(frozen=True)
class PenRanges:
    """Half ranges of what varies, uniformly: ``turn`` in radians, ``stretch`` and ``zoom`` as exponents, ``slant``,
    ``shift`` and ``bend`` in half sides of the picture."""

    turn: float = 0.10
    zoom: float = 0.10
    stretch: float = 0.08
    slant: float = 0.12
    shift: float = 0.05
    bend: float = 0.03


def _grid(n: int, shape: tuple[int, int], r: PenRanges) -> Tensor:
    height, width = shape
    aspect = width / height
    either = lambda reach: (torch.rand(n) * 2 - 1) * reach  # noqa: E731
    c, s = (angle := either(r.turn)).cos(), angle.sin()
    zoom, stretch, slant = either(r.zoom).exp(), either(r.stretch).exp(), either(r.slant)
    matrix = torch.stack(
        [
            torch.stack([c * zoom * stretch, (slant - s) * zoom / aspect, either(r.shift)], 1),
            torch.stack([s * zoom * aspect, c * zoom / stretch, either(r.shift)], 1),
        ],
        1,
    )
    return F.affine_grid(matrix, [n, 1, height, width], align_corners=False)


def _stroke(ink: Tensor) -> Tensor:
    """A third thicker, a third thinner, by up to a pixel on each side; then fainter or fuller."""
    n = len(ink)
    thick = F.max_pool2d(ink, 3, 1, 1)
    thin = -F.max_pool2d(-ink, 3, 1, 1)
    kind, share = torch.rand(n, 1, 1, 1), torch.rand(n, 1, 1, 1)
    ink = torch.where(kind < 0.4, torch.lerp(ink, thick, share), ink)
    ink = torch.where(kind > 0.8, torch.lerp(ink, thin, 0.6 * share), ink)
    return ink.clamp(min=1e-4).pow(torch.exp(span(n, -0.4, 0.4)))


def vary_signature(ink: Tensor, ranges: PenRanges = PenRanges()) -> Tensor:
    """``ink`` [n, 1, h, w] with 0 for paper and 1 for ink -> the same, varied."""
    n, _, height, width = ink.shape
    field = F.interpolate(
        torch.randn(n, 2, 3, 5) * ranges.bend, size=(height, width), mode="bicubic", align_corners=True
    )
    grid = _grid(n, (height, width), ranges) + field.permute(0, 2, 3, 1)
    return _stroke(F.grid_sample(ink, grid, align_corners=False)).clamp(0, 1)


def as_other_writers(ink: Tensor, writers: Tensor) -> Tensor:
    """Every writer's signatures (genuine and forged alike) mirrored, turned upside down and stretched in one way drawn
    for that writer: hands that nobody has, but whose forgeries differ from them as real ones do.

    ``ink`` [n, 1, h, w], ``writers`` [n].
    """
    _, place = torch.unique(writers, return_inverse=True)
    count = int(place.max()) + 1
    sign = lambda p: torch.where(chance(count, p), -1.0, 1.0)[place]  # noqa: E731
    stretch = torch.exp((torch.rand(count) * 2 - 1) * 0.15)[place]
    slant = ((torch.rand(count) * 2 - 1) * 0.25)[place]
    aspect = ink.shape[-1] / ink.shape[-2]
    across, down = sign(0.5), sign(0.5)
    zero = torch.zeros(len(ink))
    matrix = torch.stack(
        [
            torch.stack([across, across * slant / aspect, zero], 1),
            torch.stack([zero, down * stretch, zero], 1),
        ],
        1,
    )
    return F.grid_sample(ink, F.affine_grid(matrix, list(ink.shape), align_corners=False), align_corners=False)
