"""The tracking sibling: one fully convolutional network for the exemplar and for the region it is searched in.

Bertinetto et al. 2016 (SiamFC): embed a crop around the target once, embed a larger crop of every later frame with the
same weights, and slide the one over the other. Three things differ from the paper:

- The network is the beginning of EfficientNet-Lite0 with ImageNet weights, kept at stride 8; features of two depths
  are joined. It pads, which SiamFC avoids, so only the inner half of the exemplar is kept (Zhang and Peng 2019) and
  targets are trained anywhere in the region (Li et al. 2019), not only in its middle.
- The response is a cosine: each window of the region is an embedding of unit length, so a response is the similarity
  that any other encoder of this package answers, and a threshold means the same in every frame.
- Scales are searched with exemplars of several sizes over one region, not with one exemplar over several regions: the
  region is by far the dearer one, so this costs a third.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lookalike_training.siblings.efficientnet_lite import EfficientNetLite0, SamePaddedConv
from lookalike_training.siblings.encoder import Encoder

STRIDE = 8
EXEMPLAR_SIDE = 128  #: pixels; the target with its context
REGION_SIDE = 256  #: pixels; twice that
TEMPLATE_CELLS = 8  #: cells a side of the exemplar's middle
RESPONSE_CELLS = REGION_SIDE // STRIDE - TEMPLATE_CELLS + 1
CHANNELS = 64
SHALLOW, DEEP = 4, 6  #: blocks whose outputs are joined
_EPSILON = 1e-6


def _keep_stride(block: nn.Module) -> None:
    """Let a block that halves the resolution keep it (its padding becomes even again)."""
    for conv in block.modules():
        if isinstance(conv, SamePaddedConv) and conv.stride == (2, 2):
            conv.stride, conv.lopsided = (1, 1), None
            conv.padding = (conv.kernel_size[0] // 2, conv.kernel_size[1] // 2)


class TrackingEncoder(Encoder):
    """Exemplars [n, 3, 128, 128] -> [n, 4096]; regions through ``similarity``. Norms of ``backbone`` are folded."""

    dimension = CHANNELS * TEMPLATE_CELLS**2

    def __init__(self, backbone: EfficientNetLite0):
        super().__init__()
        self.stem = backbone.stem
        self.blocks = backbone.blocks[: DEEP + 1]
        _keep_stride(self.blocks[DEEP - 1])
        self.neck = nn.Conv2d(40 + 80, CHANNELS, 1)
        self.gain = nn.Parameter(torch.tensor(20.0))  # of the logits in training; no part of the exported graphs

    def freeze(self, blocks: int) -> None:
        """Keep the stem and the first ``blocks`` blocks as they are."""
        for part in [self.stem, *self.blocks[:blocks]]:
            for parameter in part.parameters():
                parameter.requires_grad_(False)

    def joined(self, pixels: Tensor) -> Tensor:
        """[n, 3, h, w] normalised pixels -> [n, 120, h / 8, w / 8]: both depths, before the neck."""
        x = self.stem(pixels)
        for block in self.blocks[: SHALLOW + 1]:
            x = block(x)
        shallow = x
        for block in self.blocks[SHALLOW + 1 :]:
            x = block(x)
        return torch.cat([shallow, x], 1)

    def features(self, pixels: Tensor) -> Tensor:
        """[n, 3, h, w] normalised pixels, sides divisible by 8 -> [n, 64, h / 8, w / 8]."""
        return self.neck(self.joined(pixels))

    def templates(self, joined: Tensor) -> Tensor:
        """[n, 120, 16, 16] of ``joined`` exemplars -> [n, 4096] of unit length: the inner half, through the neck."""
        return F.normalize(self.neck(inner_half(joined)).flatten(1), dim=1)

    def encode(self, batch: Tensor) -> Tensor:
        return self.templates(self.joined(batch))


def inner_half(joined: Tensor) -> Tensor:
    """Without the border, which has seen the network's padding. What has been cut already stays as it is."""
    edge = (joined.shape[-1] - TEMPLATE_CELLS) // 2
    return joined[:, :, edge : edge + TEMPLATE_CELLS, edge : edge + TEMPLATE_CELLS]


def correlate(features: Tensor, templates: Tensor) -> Tensor:
    """Cosine of every template with every window.

    ``features`` [1, 64, h, w], ``templates`` [k, 4096] of unit length -> [1, k, h - 7, w - 7] in -1..1.
    """
    kernel = templates.reshape(-1, CHANNELS, TEMPLATE_CELLS, TEMPLATE_CELLS)
    return F.conv2d(features, kernel) / window_norms(features)


def window_norms(features: Tensor) -> Tensor:
    """[n, 64, h, w] -> [n, 1, h - 7, w - 7]: lengths of the windows, each taken as one long vector."""
    energy = features.square().sum(1, keepdim=True)
    total = F.avg_pool2d(energy, TEMPLATE_CELLS, 1) * TEMPLATE_CELLS**2
    return torch.sqrt(total + _EPSILON)


class SearchBranch(nn.Module):
    """For a later frame: (pixels [1, 3, h, w], templates [k, 4096]) -> similarity [1, k, h/8-7, w/8-7]."""

    def __init__(self, encoder: TrackingEncoder):
        super().__init__()
        self.encoder = encoder

    def forward(self, pixels: Tensor, templates: Tensor) -> Tensor:
        return correlate(self.encoder.features(pixels), templates)
