"""A face encoder that frames the face itself: finds eyes and nose, turns the face upright and to one size, embeds it.

A network that tells people apart wants every face in the same place. The framing is a spatial transformer (Jaderberg et
al. 2015) inside the graph: five landmarks, the similarity transform that brings them where the recogniser
wants them, and a resampling. Whoever runs the ONNX file needs no face detector for pictures of one face.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lookalike_training.siblings.efficientnet_lite import EfficientNetLite0
from lookalike_training.siblings.encoder import Encoder
from lookalike_training.siblings.face_resnet import FEATURES, SIDE, FaceResNet

#: The input, in pixels; landmarks are looked for at half of it.
WIDTH, HEIGHT = 192, 224
#: Blocks of the backbone that landmarks are read from -> (channels, stride) of the map after them.
MIDDLE, DEEP = 5, 11
_CHANNELS = 40 + 112
_STRIDE = 8
#: Corners of the eyes (outer and inner of the one on the right of the picture, then of the one on its left) and
#: the base of the nose, where dlib's recogniser wants them: shares of the face's square (dlib,
#: ``get_face_chip_details``), around which a quarter of it is left on each side.
_WANTED = (
    (0.8595674595992, 0.2134981538014),
    (0.6460604764104, 0.2289674387677),
    (0.1205750620789, 0.2137274526848),
    (0.3340850613712, 0.2290642403242),
    (0.4901123135679, 0.6277975316475),
)
LANDMARKS = len(_WANTED)
_AROUND = 0.25
#: The landmarks of a mirrored face, in terms of the face's own.
MIRRORED = (2, 3, 0, 1, 4)


def wanted_places() -> Tensor:
    """[5, 2] (x, y) in -1 .. 1 of the recogniser's square."""
    return (torch.tensor(_WANTED) + _AROUND) / (1 + 2 * _AROUND) * 2 - 1


def places(height: int, width: int) -> Tensor:
    """[height * width, 2]: the middles of cells, (x, y) in -1 .. 1."""
    down = (torch.arange(height) + 0.5) * (2 / height) - 1
    across = (torch.arange(width) + 0.5) * (2 / width) - 1
    y, x = torch.meshgrid(down, across, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], 1)


class LandmarkHead(nn.Module):
    """Maps of the backbone -> [n, 5, 2] landmarks, (x, y) in -1 .. 1 of the picture.

    Each landmark is the mean place under a softmax over the cells (integral regression, Sun et al. 2018): it is
    finer than a cell, and moves with the face.
    """

    def __init__(self, width: int = 64, dropout: float = 0.1):
        super().__init__()
        self.mix = nn.Sequential(
            nn.Dropout2d(dropout),
            nn.Conv2d(_CHANNELS, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, LANDMARKS, 1),
        )
        self.register_buffer("places", places(HEIGHT // 2 // _STRIDE, WIDTH // 2 // _STRIDE), persistent=False)

    def forward(self, middle: Tensor, deep: Tensor) -> Tensor:
        """``middle`` [n, 40, 14, 12], ``deep`` [n, 112, 7, 6]."""
        both = torch.cat([middle, F.interpolate(deep, scale_factor=2, mode="bilinear", align_corners=False)], 1)
        return torch.softmax(self.mix(both).flatten(2), 2) @ self.places


class Framing(nn.Module):
    """[n, 1, 112, 96] normalised grey -> [n, 5, 2] landmarks. The backbone (a grey one) is kept as it is."""

    def __init__(self, backbone: EfficientNetLite0):
        super().__init__()
        self.stem = backbone.stem
        self.blocks = nn.ModuleList(list(backbone.blocks)[:DEEP])
        self.head = LandmarkHead()

    def maps(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """What the head reads."""
        x = self.stem(batch)
        for block in self.blocks[:MIDDLE]:
            x = block(x)
        middle = x
        for block in self.blocks[MIDDLE:]:
            x = block(x)
        return middle, x

    def forward(self, batch: Tensor) -> Tensor:
        return self.head(*self.maps(batch))


class FramedFace(Encoder):
    """[n, 1, 224, 192] normalised grey -> [n, 128]."""

    def __init__(self, framing: Framing, recogniser: FaceResNet):
        super().__init__()
        self.framing, self.recogniser, self.dimension = framing, recogniser, FEATURES
        self.register_buffer("half_size", torch.tensor([WIDTH / 2, HEIGHT / 2]), persistent=False)
        self.register_buffer("wanted", wanted_places(), persistent=False)
        self.register_buffer("square", places(SIDE, SIDE), persistent=False)

    def framed(self, batch: Tensor, landmarks: Tensor) -> Tensor:
        """``landmarks`` [n, 5, 2] -> [n, 1, 150, 150], the faces where the recogniser wants them.

        The similarity transform of least squares from the wanted places to the landmarks (Umeyama 1991), which in two
        dimensions has a closed form. Beyond the picture its edge goes on.
        """
        found = landmarks * self.half_size
        middle, wanted_middle = found.mean(1, keepdim=True), self.wanted.mean(0)
        a, b = self.wanted - wanted_middle, found - middle
        cosine = (a * b).sum((1, 2)) / (a * a).sum()
        sine = (a[:, 0] * b[:, :, 1] - a[:, 1] * b[:, :, 0]).sum(1) / (a * a).sum()
        turn = torch.stack([cosine, sine, -sine, cosine], 1).view(-1, 2, 2)
        grid = ((self.square - wanted_middle) @ turn + middle) / self.half_size
        return F.grid_sample(batch, grid.view(-1, SIDE, SIDE, 2), padding_mode="border", align_corners=False)

    def encode(self, batch: Tensor) -> Tensor:
        landmarks = self.framing(F.avg_pool2d(batch, 2))
        return F.normalize(self.recogniser(self.framed(batch, landmarks)), dim=1)
