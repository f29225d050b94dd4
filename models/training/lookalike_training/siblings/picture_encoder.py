"""The picture sibling: backbone, GeM pooling, one linear layer, unit length."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from lookalike_training.siblings.efficientnet_lite import FEATURES, EfficientNetLite0
from lookalike_training.siblings.encoder import Encoder
from lookalike_training.siblings.gem import GeM


class PictureEncoder(Encoder):
    """[n, 3, h, w] normalised pixels (h and w divisible by 32) -> [n, dimension]."""

    def __init__(self, dimension: int = 256, backbone: nn.Module | None = None, p: float = 3.0):
        super().__init__()
        self.dimension = dimension
        self.backbone = backbone if backbone is not None else EfficientNetLite0()
        self.pool = GeM(p)
        self.project = nn.Linear(FEATURES, dimension)

    def freeze(self, blocks: int) -> None:
        """Keep the stem and the first ``blocks`` blocks of the backbone as they are (-1: train everything).

        Early layers see edges and colours, which fine-tuning hardly changes, at the resolution where it costs most.
        """
        for parameter in self.parameters():
            parameter.requires_grad_(True)
        if blocks >= 0:
            for part in [self.backbone.stem, *self.backbone.blocks[:blocks]]:
                for parameter in part.parameters():
                    parameter.requires_grad_(False)

    def features(self, batch: Tensor) -> Tensor:
        """[n, 3, h, w] -> [n, 1280]: pooled features before the projection."""
        return self.pool(self.backbone(batch))

    def encode(self, batch: Tensor) -> Tensor:
        return F.normalize(self.project(self.features(batch)).float(), dim=1)
