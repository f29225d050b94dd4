"""``train``: from a folder of pictures to a model folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from lookalike_training.augment.copy_maker import CopyMaker
from lookalike_training.baseline import IMAGENET_WEIGHTS, RESEARCH_DATA
from lookalike_training.checkpoint import load_checkpoint, seed_everything
from lookalike_training.data.cache import CachedPictures
from lookalike_training.data.class_batches import folder_labels
from lookalike_training.data.location import data_folder
from lookalike_training.data.pictures import list_pictures
from lookalike_training.data.splits import research_split, split_pictures
from lookalike_training.finishing import Card, finish_pictures
from lookalike_training.picture_batches import normalise
from lookalike_training.picture_preparation import prepare
from lookalike_training.picture_training import Plan, train_pictures
from lookalike_training.siblings.efficientnet_lite import MEAN, STD
from lookalike_training.siblings.picture_encoder import PictureEncoder
from lookalike_training.whitening import fit_pair_whitening

FEWEST_PICTURES = 40


@torch.no_grad()
def whiten_with_copies(net: PictureEncoder, pictures: CachedPictures, side: int, seed: int, rounds: int = 1) -> None:
    """Re-fit the projection so that directions which copying disturbs count less, from ``rounds`` random copies of
    every picture. Composed with the trained projection, so it costs nothing at run time."""
    seed_everything(seed)
    net.eval()
    maker = CopyMaker()
    originals, copies = [], []
    for _ in range(rounds):
        for start in range(0, len(pictures), 32):
            pixels, aspect = pictures.take(range(start, min(start + 32, len(pictures))))
            plain = torch.nn.functional.interpolate(pixels.float(), size=side, mode="bilinear", antialias=True)
            for found, batch in ((originals, plain), (copies, maker(pixels, aspect, side) * 255)):
                x = normalise(batch, MEAN, STD).contiguous(memory_format=torch.channels_last)
                found.append(net.project(net.features(x)))
    weight, bias = fit_pair_whitening(torch.cat(originals), torch.cat(copies), net.dimension)
    net.project.bias.copy_(weight @ net.project.bias + bias)
    net.project.weight.copy_(weight @ net.project.weight)


def train_model(
    data: Path | None,
    labelled: bool,
    out: Path,
    work: Path,
    plan: Plan,
    dimension: int,
    model_side: int,
    init: Path | None,
    command: str,
    whiten: bool = False,
) -> None:
    """``data`` None means the research data. Checkpoints and the loss curve go to ``work``, the model to ``out``."""
    if data is None:
        split = research_split(data_folder())
        described = [IMAGENET_WEIGHTS, *RESEARCH_DATA]
    else:
        files = list_pictures(data)
        if len(files) < FEWEST_PICTURES:
            raise SystemExit(f"{data}: {len(files)} pictures found, at least {FEWEST_PICTURES} are needed")
        split = split_pictures(files)
        described = [IMAGENET_WEIGHTS, {"name": data.name, "license": "your own", "use": "training and calibration"}]
    print(f"checkpoints and loss curve: {work}")
    print(f"{len(split.fit)} pictures to train on, {len(split.validation)} to calibrate on")
    prepared = prepare(split.fit, dimension, model_side)
    labels: np.ndarray | None = folder_labels(prepared.pictures.files, data) if labelled and data else None
    if plan.batch > len(prepared.pictures):
        plan = Plan(**{**plan.__dict__, "batch": len(prepared.pictures)})
    if init is not None:
        prepared.net.load_state_dict(load_checkpoint(init)["average"])
    net = train_pictures(
        prepared.net, prepared.pictures, plan, work, prepared.neighbours if labels is None else None, labels
    )
    if whiten and labels is None:
        whiten_with_copies(net, prepared.pictures, model_side, plan.seed)
    card = Card(
        description="EfficientNet-Lite0 sibling trained on copies of pictures.",
        training_data=described,
        command=command,
        seed=plan.seed,
        # Pictures of one class need not be copies of each other.
        purpose=None if labelled else "near-duplicates",
        extra_recipe={"plan": dict(plan.__dict__)},
    )
    print(finish_pictures(net, split.validation, out, model_side, card))
    print(f"wrote {out / 'model.onnx'} and {out / 'model.json'}")
