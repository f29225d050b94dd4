"""From a trained sibling to a model folder: measure, calibrate, export, describe."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch

from lookalike_training.calibration import thresholds, unrelated_similarities
from lookalike_training.export import export_onnx
from lookalike_training.manifest import Manifest
from lookalike_training.picture_batches import embed
from lookalike_training.siblings.efficientnet_lite import MEAN, STD
from lookalike_training.siblings.picture_encoder import PictureEncoder
from lookalike_training.validation import ValidationPictures, validate


@dataclass
class Card:
    """What ``model.json`` says that is not measured."""

    description: str
    training_data: list[dict]
    command: str
    seed: int
    purpose: str | None = None
    extra_recipe: dict = field(default_factory=dict)


def finish_pictures(
    net: PictureEncoder, validation_files: list[Path], out: Path, side: int, card: Card, queries: int = 150
) -> str:
    """Write ``out/model.onnx`` and ``out/model.json``; returns the table of validation figures."""
    net = net.eval()
    pictures = ValidationPictures.read(validation_files, queries)
    report = validate(partial(embed, net, mean=MEAN, std=STD), pictures, side)
    found = thresholds(
        unrelated_similarities(report.references, pictures.copies),
        report.positives(),
        f"pairs among {len(pictures.pictures)} pictures not used for fitting; recall over "
        f"{len(report.queries)} kinds of copy of {len(pictures.queries)} of them",
    )
    export_onnx(net, torch.randn(2, 3, side, side), out / "model.onnx")
    Manifest(
        name=out.name,
        description=card.description,
        width=side,
        height=side,
        color_order="rgb",
        mean=MEAN,
        std=STD,
        dimension=net.dimension,
        thresholds=found,
        # The strictest rate that was measured: a thousand pictures are half a million pairs, so that a rate that
        # sounds small still fills a report with strangers.
        default_threshold=found[-1]["similarity"] if found else 0.5,
        training_data=card.training_data,
        command=card.command,
        seed=card.seed,
        purpose=card.purpose,
        extra_recipe=card.extra_recipe,
    ).write(out)
    return report.text()
