"""From a picture of a signature to its ink alone, framed: the first layers of the signature sibling, without weights.

Inside the network, so that whoever runs the ONNX file needs to know nothing of it:

1. **Ink from paper** by the two means of Ridler and Calvard 1978: the threshold moves to the middle between the mean of
   what is darker and the mean of what is lighter, until it stands. Ink is then measured between those two means, so
   that neither the shade of the paper nor how dark a pen or a scanner writes is left in it.
2. **Frame** around all ink but its outermost share, so that specks and margins do not count.
3. The frame is drawn into the output with its aspect kept, in the middle.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

#: Rounds of the two means; they stand after four on scans.
ROUNDS = 5
#: Of the way from paper to ink: what is less is paper.
FAINTEST = 0.35
#: Share of the ink that may lie outside of the frame on each side.
OUTSIDE = 0.004


def two_means(pixels: Tensor) -> tuple[Tensor, Tensor]:
    """[n, 1, h, w] -> (dark, light), each [n, 1, 1, 1]."""
    area = (1, 2, 3)
    threshold = pixels.mean(area, keepdim=True) - 0.02
    dark = light = threshold
    for _ in range(ROUNDS):
        below = (pixels < threshold).to(pixels.dtype)
        dark = (pixels * below).sum(area, keepdim=True) / below.sum(area, keepdim=True).clamp(min=1)
        above = 1 - below
        light = (pixels * above).sum(area, keepdim=True) / above.sum(area, keepdim=True).clamp(min=1)
        threshold = (dark + light) / 2
    return dark, light


def ink_of(pixels: Tensor) -> Tensor:
    """[n, 1, h, w] grey in 0..1, dark on light -> ink in 0..1: 0 is paper, 1 as dark as the ink is on average."""
    dark, light = two_means(pixels)
    depth = (light - pixels) / (light - dark).clamp(min=0.05)
    return ((depth - FAINTEST) / (1 - FAINTEST)).clamp(0, 1)


def _edges(profile: Tensor) -> tuple[Tensor, Tensor]:
    """[n, k] ink along one axis -> where it begins and ends [n], in -1..1."""
    share = torch.cumsum(profile, 1) / profile.sum(1, keepdim=True).clamp(min=1e-3)
    k = profile.shape[1]
    first = (share < OUTSIDE).to(profile.dtype).sum(1)
    last = (share < 1 - OUTSIDE).to(profile.dtype).sum(1) + 1
    return first * (2 / k) - 1, last.clamp(max=k) * (2 / k) - 1


class InkFrame(nn.Module):
    """[n, 1, h, w] grey in 0..1 -> [n, 1, *size] ink in 0..1.

    Made to enlarge: a frame with fewer pixels than the part of the picture that it covers loses thin strokes.
    """

    def __init__(self, picture: tuple[int, int], size: tuple[int, int], margin: float = 0.04):
        super().__init__()
        self.margin = margin
        height, width = size
        down = (torch.arange(height) + 0.5) * (2 / height) - 1
        across = (torch.arange(width) + 0.5) * (2 / width) - 1
        # Of the input's pixels that a half side of the output covers, were both drawn at one scale.
        self.picture, self.shape = picture, height / width
        self.register_buffer("down", down[None, :, None], persistent=False)
        self.register_buffer("across", across[None, None], persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        ink = ink_of(pixels)
        left, right = _edges(ink.sum((1, 2)))
        top, bottom = _edges(ink.sum((1, 3)))
        height, width = self.picture
        # In pixels of the input: half a side of the output, so that the frame fits in both directions.
        half_width = torch.maximum((right - left) * width / 4, (bottom - top) * height / 4 / self.shape)
        half_width = half_width.clamp(min=4.0) * (1 + 2 * self.margin)
        x = ((left + right) / 2).view(-1, 1, 1) + (half_width * 2 / width).view(-1, 1, 1) * self.across
        y = ((top + bottom) / 2).view(-1, 1, 1) + (half_width * self.shape * 2 / height).view(-1, 1, 1) * self.down
        # Coordinates of every place [n, height, width], from those of columns and of rows.
        x, y = x + torch.zeros_like(self.down), y + torch.zeros_like(self.across)
        return F.grid_sample(ink, torch.stack([x, y], -1), align_corners=False)
