"""``train-faces``: the model that ships as ``faces``."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from lookalike_training.augment.portrait import vary_portrait
from lookalike_training.baseline import IMAGENET_WEIGHTS
from lookalike_training.checkpoint import seed_everything
from lookalike_training.export import export_onnx
from lookalike_training.faces.people import FOLDS, TRAINING, Faces, fold_of, read_faces
from lookalike_training.half_weights import halve_weights
from lookalike_training.loss_curve import draw_loss_curve
from lookalike_training.manifest import Manifest
from lookalike_training.progress import Progress
from lookalike_training.siblings.efficientnet_lite import MEAN, STD, load_pretrained
from lookalike_training.siblings.fold_norm import fold_norms
from lookalike_training.siblings.grid_encoder import GridEncoder, grey_stem
from lookalike_training.siblings.mirrored import Mirrored
from lookalike_training.verification.figures import equal_error_rate, true_accept_at
from lookalike_training.verification.operating_points import operating_points
from lookalike_training.verification.pairs import PairScores, pairs_of_subjects, similarities
from lookalike_training.verification.projection import ProjectionPlan, train_projection

#: A face's shape, in multiples of the backbone's stride.
WIDTH, HEIGHT = 96, 128
BLOCKS, GRID = 13, (4, 3)
#: Views of a picture that are real: itself and its mirror image, which the model sees too.
PLAIN = 2


@dataclass(frozen=True)
class FacePlan:
    views: int = 9  #: of every picture: plain, mirrored, and varied ones
    projection: ProjectionPlan = field(default_factory=ProjectionPlan)

    @property
    def seed(self) -> int:
        return self.projection.seed


def new_network(dimension: int) -> GridEncoder:
    backbone = fold_norms(load_pretrained())
    grey_stem(backbone)
    net = GridEncoder(backbone, BLOCKS, (HEIGHT, WIDTH), GRID, dimension)
    return net.to(memory_format=torch.channels_last).eval()


def normalised(pictures: Tensor) -> Tensor:
    """[n, 1, h, w] in 0..1 -> as the network takes it."""
    return ((pictures - MEAN[0]) / STD[0]).contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def features_of_views(net: GridEncoder, faces: Faces, views: int, seed: int) -> Tensor:
    """[views, n, c]: the pictures, their mirror images, then varied ones."""
    seed_everything(seed)
    pictures = torch.from_numpy(faces.pictures).float()[:, None] / 255
    progress = Progress(views)
    rows = []
    for view in range(views):
        x = (pictures, pictures.flip(3))[view] if view < PLAIN else vary_portrait(pictures)
        rows.append(torch.cat([net.features(normalised(part)) for part in x.split(40)]))
        progress.show(view + 1, "views of every picture")
    return torch.stack(rows)


def held_out_scores(features: Tensor, people: np.ndarray, plan: ProjectionPlan) -> PairScores:
    """Cross-validation by person: a quarter of the people is scored by a projection that never saw them."""
    parts = []
    for fold in range(FOLDS):
        held = fold_of(people) == fold
        layer, _ = train_projection(features[:, ~held], torch.from_numpy(people[~held]), PLAIN, plan)
        with torch.no_grad():
            looks = F.normalize(layer(features[:PLAIN, held]), dim=2)
            rows = F.normalize(looks.sum(0), dim=1).numpy()
        parts.append(pairs_of_subjects(similarities(rows, rows), people[held]))
    return PairScores.joined(parts)


def train_face_model(data: Path, out: Path, plan: FacePlan, command: str) -> None:
    """``data`` holds s1 ... s40; people from s29 on are not read."""
    faces = read_faces(data, TRAINING, WIDTH, HEIGHT)
    net = new_network(plan.projection.dimension)
    features = features_of_views(net, faces, plan.views, plan.seed)
    scores = held_out_scores(features, faces.people, plan.projection)
    print(
        f"{FOLDS}-fold cross-validation by person: equal error rate "
        f"{equal_error_rate(scores.same, scores.different):.2%}, true accepts at 1% false accepts "
        f"{true_accept_at(scores.same, scores.different, 0.01):.1%}"
    )
    layer, history = train_projection(features, torch.from_numpy(faces.people), PLAIN, plan.projection)
    net.project.load_state_dict(layer.state_dict())
    shipped = Mirrored(net).eval()
    export_onnx(shipped, torch.randn(3, 1, HEIGHT, WIDTH), out / "model.onnx")
    halve_weights(out / "model.onnx")
    draw_loss_curve(out / "loss.png", {"margin softmax": history}, "faces: projection on stored features")
    found, default = operating_points(
        scores,
        f"pairs of {len(np.unique(faces.people))} people, each scored by a model that was not fitted on them "
        f"({FOLDS}-fold cross-validation)",
        rates=(0.01, 0.001),
        default_rate=0.01,
    )
    Manifest(
        name=out.name,
        description="Faces, framed alike: is it the same person? Trained on 28 people, for research and demonstration.",
        width=WIDTH,
        height=HEIGHT,
        color_order="gray",
        mean=MEAN[:1],
        std=STD[:1],
        dimension=shipped.dimension,
        thresholds=found,
        default_threshold=default,
        training_data=[
            {
                "name": "AT&T (ORL) faces, s1 to s28",
                "license": "AT&T Laboratories Cambridge: research use with credit",
                "use": "projection, cross-validation and calibration",
            },
            {**IMAGENET_WEIGHTS, "use": "pretrained backbone, kept as it is"},
        ],
        command=command,
        seed=plan.seed,
        extra_recipe={"plan": asdict(plan)},
    ).write(out)
