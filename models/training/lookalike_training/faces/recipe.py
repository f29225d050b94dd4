"""``train-faces``: the model that ships as ``faces``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from lookalike_training.augment.portrait import PortraitChances, move_portrait
from lookalike_training.baseline import IMAGENET_WEIGHTS
from lookalike_training.checkpoint import seed_everything
from lookalike_training.export import export_onnx
from lookalike_training.faces.framing import (
    FramingPlan,
    errors,
    maps_of_views,
    train_head,
)
from lookalike_training.faces.landmarks import teach_landmarks
from lookalike_training.faces.people import FOLDS, TRAINING, Faces, fold_of, read_faces
from lookalike_training.half_weights import halve_weights
from lookalike_training.loss_curve import draw_loss_curve
from lookalike_training.manifest import Manifest
from lookalike_training.siblings.efficientnet_lite import MEAN, STD, grey_stem, load_pretrained, normalised
from lookalike_training.siblings.face_resnet import load_face_resnet
from lookalike_training.siblings.fold_norm import fold_norms
from lookalike_training.siblings.framed_face import HEIGHT, LANDMARKS, WIDTH, FramedFace, Framing, LandmarkHead
from lookalike_training.verification.figures import equal_error_rate, true_accept_at
from lookalike_training.verification.operating_points import operating_points
from lookalike_training.verification.pairs import PairScores, pairs_of_subjects, similarities

#: The training pictures' own size.
OWN = (92, 112)
FIT = "contain"
#: What ``contain`` makes of their width and height, in shares of the input's.
INNER = torch.tensor([184 / 192, 1.0])
#: How well a face may be framed: every training picture as it is, and moved about as told.
FRAMINGS = {
    "as they are": None,
    "moved, turned by up to 20 degrees, 0.75 to 1.35 times as large": PortraitChances(farther=1.35),
    "half as large": PortraitChances(turned=0.1, nearer=0.53, farther=2.1),
}


def new_network() -> FramedFace:
    backbone = fold_norms(load_pretrained())
    grey_stem(backbone)
    return FramedFace(Framing(backbone), load_face_resnet()).to(memory_format=torch.channels_last).eval()


@torch.no_grad()
def recognised(net: FramedFace, pictures: Tensor, marks: Tensor) -> Tensor:
    """[n, 1, 224, 192] in 0..1, framed by ``marks`` [n, 5, 2] -> [n, 128] of the recogniser, not of unit length."""
    parts = zip(normalised(pictures).split(40), marks.split(40), strict=True)
    return torch.cat([net.recogniser(net.framed(batch, of_batch)) for batch, of_batch in parts])


@torch.no_grad()
def centre(net: FramedFace, rows: Tensor) -> None:
    """Make the mean of ``rows`` (``recognised``) the origin: dlib's distances stay, and cosines, which our index
    compares, spread from 0.8 .. 1 over -1 .. 1."""
    net.recogniser.project.bias.copy_(-rows.mean(0))


@torch.no_grad()
def held_out_embeddings(
    net: FramedFace, heads: list[LandmarkHead], taught: Tensor, people: np.ndarray, pictures: Tensor
) -> tuple[np.ndarray, Tensor]:
    """``heads[fold]`` never saw the people of that fold, nor does their mean count; ``pictures`` [n, 1, 224, 192] in
    0..1 -> embeddings [n, 128] and landmarks [n, 5, 2]."""
    rows, marks = np.empty((len(pictures), net.dimension), np.float32), torch.empty(len(pictures), LANDMARKS, 2)
    for fold, head in enumerate(heads):
        net.framing.head = head
        held = np.flatnonzero(fold_of(people) == fold)
        centre(net, taught[fold_of(people) != fold])
        for part in np.array_split(held, 3):
            batch = normalised(pictures[part])
            rows[part] = net(batch).numpy()
            marks[part] = net.framing(F.avg_pool2d(batch, 2))
    return rows, marks


def as_tensor(faces: Faces) -> Tensor:
    return torch.from_numpy(faces.pictures).float()[:, None] / 255


def train_face_model(data: Path, out: Path, plan: FramingPlan, command: str) -> None:
    """``data`` holds s1 ... s40; people from s29 on are not read."""
    own, seen = read_faces(data, TRAINING, *OWN), read_faces(data, TRAINING, WIDTH, HEIGHT, FIT)
    marks = torch.from_numpy(teach_landmarks(own.pictures))
    net = new_network()
    maps = maps_of_views(net.framing, as_tensor(own), marks, plan)
    fold_of_view = torch.from_numpy(fold_of(own.people))[maps.picture]
    heads = [train_head(maps, fold_of_view != fold, plan)[0] for fold in range(FOLDS)]
    taught = recognised(net, as_tensor(seen), marks * INNER)
    calibration: PairScores | None = None
    print(
        "| people that framing was not trained on, faces | equal error rate | true accepts at 0.1% | landmarks off by |"
    )
    for name, chances in FRAMINGS.items():
        seed_everything(plan.seed)
        pictures, wanted = as_tensor(seen), marks * INNER
        if chances is not None:
            pictures, wanted = move_portrait(as_tensor(own), marks, (HEIGHT, WIDTH), chances)
        rows, found = held_out_embeddings(net, heads, taught, own.people, pictures)
        scores = pairs_of_subjects(similarities(rows, rows), own.people)
        calibration = calibration or scores
        print(
            f"| {name} | {equal_error_rate(scores.same, scores.different):.2%} "
            f"| {true_accept_at(scores.same, scores.different, 0.001):.1%} "
            f"| {errors(found, wanted).norm(dim=2).mean():.1%} of the distance between the eyes |"
        )
    assert calibration is not None
    centre(net, taught)
    net.framing.head, history = train_head(maps, torch.ones_like(fold_of_view, dtype=torch.bool), plan)
    export_onnx(net.eval(), normalised(as_tensor(seen)[:3]), out / "model.onnx")
    halve_weights(out / "model.onnx")
    draw_loss_curve(out / "loss.png", {"landmarks": history}, "faces: where eyes and nose are, on stored maps")
    found_points, default = operating_points(
        calibration,
        f"pairs of {len(np.unique(own.people))} people, framed by a head that was not trained on them "
        f"({FOLDS}-fold cross-validation)",
        rates=(0.01, 0.001),
        default_rate=0.001,
    )
    Manifest(
        name=out.name,
        description="Faces: is it the same person? One face a picture, upright, half of its height and more.",
        width=WIDTH,
        height=HEIGHT,
        color_order="gray",
        mean=MEAN[:1],
        std=STD[:1],
        fit=FIT,
        dimension=net.dimension,
        thresholds=found_points,
        default_threshold=default,
        training_data=[
            {
                "name": "AT&T (ORL) faces, s1 to s28",
                "license": "AT&T Laboratories Cambridge: research use with credit",
                "use": "framing, cross-validation and calibration",
            },
            {
                "name": "about 3 million pictures of 7,485 people (FaceScrub, VGG Face and the web), through the "
                "weights of face_recognition_models 0.3.0",
                "license": "weights CC0; pictures for research",
                "use": "the recogniser, kept as it is",
            },
            {**IMAGENET_WEIGHTS, "use": "pretrained backbone of the framing, kept as it is"},
        ],
        command=command,
        seed=plan.seed,
        extra_recipe={"plan": asdict(plan)},
    ).write(out)
