"""The network that tells people apart: dlib's ResNet of 29 convolutions, with its weights, reading grey.

It is a Siamese network of its own: King trained it in 2017 on about three million pictures of 7,485 people with a hinge
loss over all pairs of a batch and hard negatives mined in it, and gave it to the public domain. The weights come with
the PyPI package ``face_recognition_models`` 0.3.0 (CC0).
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lookalike_training.siblings.checked_file import check_file
from lookalike_training.siblings.dlib_weights import read_layers
from lookalike_training.siblings.efficientnet_lite import MEAN, STD

WEIGHTS = "face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat"
WEIGHTS_SHA256 = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"
#: Side of the square in which it wants a face, in pixels.
SIDE = 150
FEATURES = 128
#: What dlib takes from red, green and blue (0 .. 255) before it divides by 256.
_TAKEN = (122.782, 117.001, 104.298)
#: Output channels of every block, in order; a block that has more than the one before halves the map.
_BLOCKS = (32, 32, 32, 64, 64, 64, 64, 128, 128, 128, 256, 256, 256, 256)
#: Blocks that halve the map: those with new channels, and the last.
_HALVING = (3, 7, 10, 13)


def package_file(path: str, sha256: str) -> Path:
    """A file of the installed package ``face_recognition_models``, its SHA-256 checked. The package is not imported: it
    needs a module that Python's setuptools no longer has."""
    try:
        file = Path(str(distribution("face_recognition_models").locate_file(path)))
    except PackageNotFoundError:
        raise FileNotFoundError("The face weights are missing: pip install face_recognition_models==0.3.0") from None
    check_file(file, sha256)
    return file


def _like(x: Tensor, channels: int, height: int, width: int) -> Tensor:
    """Zeros after the last channel, row and column, as dlib adds maps of different sizes."""
    return F.pad(x, (0, width - x.shape[3], 0, height - x.shape[2], 0, channels - x.shape[1]))


class _Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, halving: bool):
        super().__init__()
        self.halving = halving
        self.first = nn.Conv2d(inputs, outputs, 3, stride=2 if halving else 1, padding=0 if halving else 1)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.second(F.relu(self.first(x)))
        if self.halving:
            x = F.avg_pool2d(x, 2)
            size = (y.shape[1], max(x.shape[2], y.shape[2]), max(x.shape[3], y.shape[3]))
            x, y = _like(x, *size), _like(y, *size)
        return F.relu(x + y)


class FaceResNet(nn.Module):
    """[n, 1, 150, 150] grey, normalised as the picture backbone takes it -> [n, 128], not of unit length.

    dlib compares them by Euclidean distance and adds nothing to the last layer; its ``bias`` is there to be moved.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 32, 7, stride=2)
        inputs = (32, *_BLOCKS)
        self.blocks = nn.ModuleList(_Block(inputs[i], c, i in _HALVING) for i, c in enumerate(_BLOCKS))
        self.project = nn.Linear(_BLOCKS[-1], FEATURES)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.stem(x)), 3, stride=2)
        for block in self.blocks:
            x = block(x)
        return self.project(x.mean((2, 3)))


def _grey(weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """The stem for r = g = b, for pixels normalised with MEAN and STD instead of dlib's."""
    taken = torch.tensor(_TAKEN).view(1, 3, 1, 1)
    shifted = bias + (weight * (MEAN[0] * 255 - taken) / 256).sum((1, 2, 3))
    return weight.sum(1, keepdim=True) * (STD[0] * 255 / 256), shifted


def load_face_resnet() -> FaceResNet:
    """With dlib's weights, every affine layer folded into the convolution before it."""
    layers = read_layers(package_file(WEIGHTS, WEIGHTS_SHA256).read_bytes())
    net = FaceResNet()
    convolutions = [net.stem] + [c for block in net.blocks for c in (block.first, block.second)]
    saved = [layer for layer in layers if layer.kind == "con_4"]
    affine = [layer for layer in layers if layer.kind == "affine_"]
    for i, (conv, one, scaled) in enumerate(zip(convolutions, saved, affine, strict=True)):
        filters, rows, columns = one.shape
        weight = torch.from_numpy(one.values[:-filters]).view(filters, -1, rows, columns)
        factor, offset = torch.from_numpy(scaled.values).chunk(2)
        weight, bias = weight * factor.view(-1, 1, 1, 1), torch.from_numpy(one.values[-filters:]) * factor + offset
        if i == 0:
            weight, bias = _grey(weight, bias)
        with torch.no_grad():
            conv.weight.copy_(weight)
            conv.bias.copy_(bias)
    last = layers[-1]
    outputs, inputs = last.shape
    with torch.no_grad():
        net.project.weight.copy_(torch.from_numpy(last.values).view(inputs, outputs).T)
        net.project.bias.zero_()
    return net.eval()
