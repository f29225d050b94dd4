"""``train-characters``: the model that ships as ``one-shot-characters``."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import torch

from lookalike_training.calibration import thresholds
from lookalike_training.character_training import (
    PAPER,
    PIXEL_MEAN,
    PIXEL_STD,
    CharacterPlan,
    embed_drawings,
    train_characters,
)
from lookalike_training.data.omniglot import (
    Drawings,
    make_runs,
    read_background,
    read_official_runs,
    split_alphabets,
)
from lookalike_training.export import export_onnx, open_session
from lookalike_training.manifest import Manifest
from lookalike_training.one_shot import mean_error
from lookalike_training.siblings.drawing_cnn import DrawingEncoder
from lookalike_training.siblings.several_looks import SeveralLooks

SIDE = 32


def pair_similarities(embeddings: np.ndarray, held: Drawings, seed: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """(same character, different character of the same alphabet): cosine similarities clipped to [0, 1]."""
    same, different = [], []
    for alphabet in np.unique(held.alphabets):
        inside = np.flatnonzero(held.alphabets == alphabet)
        similarity = np.clip(embeddings[inside] @ embeddings[inside].T, 0, 1)
        equal = held.characters[inside][:, None] == held.characters[inside][None]
        upper = np.triu(np.ones_like(equal), k=1)
        same.append(similarity[equal & upper])
        different.append(similarity[~equal & upper])
    return np.concatenate(same), np.concatenate(different)


def train_character_model(data: Path, out: Path, work: Path, plan: CharacterPlan, command: str, official: bool) -> None:
    """``data`` holds Omniglot's archives. ``official`` measures the 20 official runs, which are test data: once."""
    drawings = read_background(data / "images_background.zip", SIDE)
    fit, held = split_alphabets(drawings)
    torch.manual_seed(plan.seed)
    net = DrawingEncoder(side=SIDE).to(memory_format=torch.channels_last)
    trained = train_characters(net, fit, plan, work)
    runs = make_runs(held, 40, np.random.default_rng(3))
    for name, encoder in (("one look", trained), ("several looks", SeveralLooks(trained, SIDE, PAPER))):
        error, spread = mean_error(partial(embed_drawings, encoder), runs)
        print(f"validation alphabets, 20-way one-shot, {name}: error {error:.2%} +- {spread:.2%}")
    shipped = SeveralLooks(trained, SIDE, PAPER).eval()
    export_onnx(shipped, torch.randn(4, 1, SIDE, SIDE), out / "model.onnx")
    same, different = pair_similarities(embed_drawings(shipped, held.pictures), held)
    found = thresholds(
        different,
        same,
        f"pairs of characters of the same alphabet, {len(np.unique(held.alphabets))} background alphabets "
        "that were not trained on",
    )
    Manifest(
        name=out.name,
        description="Small CNN sibling that tells handwritten characters apart from one example each.",
        width=SIDE,
        height=SIDE,
        color_order="gray",
        mean=PIXEL_MEAN,
        std=PIXEL_STD,
        dimension=shipped.dimension,
        thresholds=found,
        default_threshold=found[0]["similarity"],
        training_data=[
            {
                "name": "Omniglot, images_background (30 alphabets, of which every tenth for validation)",
                "license": "MIT",
                "use": "training, validation and calibration",
            }
        ],
        command=command,
        seed=plan.seed,
        extra_recipe={"plan": dict(plan.__dict__)},
    ).write(out)
    if official:
        session = open_session(out / "model.onnx")

        def embed(pictures: np.ndarray) -> np.ndarray:
            x = (pictures.astype(np.float32)[:, None] / 255 - PIXEL_MEAN[0]) / PIXEL_STD[0]
            return session.run(None, {"pixels": x.astype(np.float32)})[0]

        error, spread = mean_error(embed, read_official_runs(data / "all_runs.zip", SIDE))
        print(f"20 official within-alphabet runs, exported model: error {error:.2%} +- {spread:.2%}")
