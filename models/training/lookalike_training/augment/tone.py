"""Colour: brightness, contrast, saturation, hue cast, gamma, grey, sepia, inverted bands."""

from __future__ import annotations

import torch
from torch import Tensor

LUMA = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)


def chance(n: int, p: float) -> Tensor:
    return torch.rand(n) < p


def span(n: int, low: float, high: float) -> Tensor:
    """[n, 1, 1, 1] uniform in low..high."""
    return (low + (high - low) * torch.rand(n)).view(n, 1, 1, 1)


def grey(x: Tensor) -> Tensor:
    return (x * LUMA).sum(1, keepdim=True).expand_as(x)


def change_tone(x: Tensor, strength: float, grey_share: float) -> Tensor:
    """Random brightness, contrast, saturation and colour cast of up to ``strength``; ``grey_share`` turns grey.

    One affine map a picture: x -> saturation, then contrast about its mean, then brightness a channel.
    """
    n = len(x)
    saturation = span(n, 1 - strength, 1 + strength)
    saturation = torch.where(chance(n, grey_share).view(-1, 1, 1, 1), torch.zeros_like(saturation), saturation)
    contrast = span(n, 1 - strength * 0.8, 1 + strength * 0.8)
    brightness = span(n, 1 - strength, 1 + strength * 0.7)
    cast = 1 + (torch.rand(n, 3, 1, 1) - 0.5) * strength * 0.5
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    g = grey(x)
    x = g + (x - g) * saturation
    x = ((x - mean) * contrast + mean) * (brightness * cast)
    return x.clamp_(0, 1)


def change_gamma(x: Tensor, low: float = 0.5, high: float = 2.0) -> Tensor:
    n = len(x)
    exponent = torch.exp(span(n, torch.log(torch.tensor(low)).item(), torch.log(torch.tensor(high)).item()))
    return x.clamp(min=1e-4).pow(exponent)
