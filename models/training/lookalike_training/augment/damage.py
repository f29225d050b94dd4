"""Loss of detail: blur, noise, downscaling, recompression."""

from __future__ import annotations

import io
import random

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F


def blur(x: Tensor, sigma: float) -> Tensor:
    """Gaussian, ``sigma`` in pixels, the same for the whole batch."""
    reach = max(1, int(sigma * 2.5 + 0.5))
    k = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma) ** 2)
    k = k / k.sum()
    c = x.shape[1]
    x = F.pad(x, (reach, reach, reach, reach), mode="replicate")
    x = F.conv2d(x, k.view(1, 1, 1, -1).expand(c, 1, 1, -1), groups=c)
    return F.conv2d(x, k.view(1, 1, -1, 1).expand(c, 1, -1, 1), groups=c)


def noise(x: Tensor, sigma: float) -> Tensor:
    return (x + torch.randn_like(x) * sigma).clamp_(0, 1)


def small_and_back(x: Tensor, factor: float) -> Tensor:
    """Saved at ``factor`` of the size and enlarged again; below a third, blocky at times."""
    side = x.shape[-1]
    small = F.interpolate(x, size=max(16, int(side * factor)), mode="bilinear", antialias=True, align_corners=False)
    return F.interpolate(small, size=side, mode="bilinear", align_corners=False)


def recompress(x: Tensor, low: int = 10, high: int = 80) -> Tensor:
    """Through a real JPEG or WebP encoder, a random quality each."""
    pixels = (x.clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()
    out = []
    for one in pixels:
        buffer = io.BytesIO()
        kind = "JPEG" if random.random() < 0.8 else "WEBP"
        # method 0 is WebP's fastest search: the artefacts are the same kind.
        options = {"quality": random.randint(low, high), **({"method": 0} if kind == "WEBP" else {})}
        Image.fromarray(one).save(buffer, kind, **options)
        buffer.seek(0)
        out.append(np.asarray(Image.open(buffer).convert("RGB")))
    return torch.from_numpy(np.stack(out)).permute(0, 3, 1, 2).float().div_(255)
