"""``train-signatures``: the model that ships as ``signatures``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lookalike_training.baseline import IMAGENET_WEIGHTS
from lookalike_training.export import export_onnx
from lookalike_training.half_weights import halve_weights
from lookalike_training.manifest import Manifest
from lookalike_training.siblings.depths_encoder import DepthsEncoder
from lookalike_training.siblings.efficientnet_lite import grey_stem, load_pretrained
from lookalike_training.siblings.fold_norm import fold_norms
from lookalike_training.siblings.ink_frame import InkFrame
from lookalike_training.siblings.signature_encoder import SignatureEncoder, ink_normalised
from lookalike_training.signatures.metric import MetricPlan, fit_metric
from lookalike_training.signatures.writers import FOLDS, Signatures, fold_of, read_signatures
from lookalike_training.verification.figures import equal_error_rate
from lookalike_training.verification.operating_points import operating_points, reference_points
from lookalike_training.verification.pairs import PairScores, pairs_with_forgeries, scores_of_references, similarities

#: Of the picture as it comes in, then of the frame around its ink: so large that strokes are some cells of a map wide.
PICTURE = (160, 320)
FRAME = (384, 768)
#: References of a writer that are scored together, and how often they are drawn.
REFERENCES = (3, 5, 10)
DRAWS = 20


def new_network(dimension: int) -> DepthsEncoder:
    backbone = fold_norms(load_pretrained())
    grey_stem(backbone)
    net = DepthsEncoder(backbone, FRAME, dimension)
    return net.to(memory_format=torch.channels_last).eval()


@torch.no_grad()
def framed_ink(pictures: np.ndarray) -> Tensor:
    """[n, *PICTURE] uint8 -> [n, 1, *FRAME]: what the model's first layers make of them."""
    frame = InkFrame(PICTURE, FRAME)
    parts = torch.from_numpy(pictures).split(64)
    return torch.cat([frame(part.float()[:, None] / 255) for part in parts])


@torch.no_grad()
def scaled_covariances(net: DepthsEncoder, ink: Tensor) -> tuple[Tensor, Tensor]:
    """(features [n, c], their scales [c]): every depth weighs the same, however many its numbers."""
    parts = [
        net.covariances(ink_normalised(part).contiguous(memory_format=torch.channels_last)) for part in ink.split(16)
    ]
    depths = [torch.cat(depth) for depth in zip(*parts, strict=True)]
    scales = torch.cat([depth.var(0).sum().sqrt().expand(depth.shape[1]) for depth in depths])
    return torch.cat(depths, 1) / scales, scales


def held_out_scores(features: Tensor, signatures: Signatures, plan: MetricPlan) -> np.ndarray:
    """[n, n]: similarities within each fold, by a metric that never saw its writers; 0 elsewhere."""
    score = np.zeros((len(features), len(features)))
    for fold in range(FOLDS):
        held = fold_of(signatures.writers) == fold
        fitted = signatures.of(~held)
        head = fit_metric(features[torch.from_numpy(~held)], fitted.writers, fitted.genuine, plan)
        rows = head(features[torch.from_numpy(held)]).numpy()
        score[np.ix_(held, held)] = similarities(rows, rows)
    return score


def train_signature_model(data: Path, out: Path, plan: MetricPlan, command: str) -> None:
    """``data`` holds 001 ... 059; writers from 049 on are not read."""
    signatures = read_signatures(data, False, PICTURE[1], PICTURE[0])
    writers, genuine = signatures.writers, signatures.genuine
    net = new_network(plan.dimension)
    features, scales = scaled_covariances(net, framed_ink(signatures.pictures))
    score = held_out_scores(features, signatures, plan)
    pairs = pairs_with_forgeries(score, writers, genuine)
    print(f"{FOLDS}-fold cross-validation by writer, equal error rates: one reference {_error(pairs):.2%}")
    together = {
        n: scores_of_references(score, writers, genuine, n, "mean", DRAWS, 0, relative=True) for n in REFERENCES
    }
    for references, relative in together.items():
        alone = scores_of_references(score, writers, genuine, references, "mean", DRAWS, 0)
        print(f"{references} references {_error(alone):.2%}, relative to how alike they are {_error(relative):.2%}")
    net.head = fit_metric(features, writers, genuine, plan)
    net.head.project.weight.div_(scales)
    _write(net, signatures, pairs, together, out, plan, command)


def _error(scores: PairScores) -> float:
    return equal_error_rate(scores.same, scores.different)


def _write(
    net: DepthsEncoder,
    signatures: Signatures,
    pairs: PairScores,
    together: dict[int, PairScores],
    out: Path,
    plan: MetricPlan,
    command: str,
) -> None:
    """Export, calibrate on scores by models that had not seen the writers, describe. ``together``: of so many
    references."""
    shipped = SignatureEncoder(net, PICTURE).eval()
    out.mkdir(parents=True, exist_ok=True)
    export_onnx(shipped, torch.from_numpy(signatures.pictures[:3]).float()[:, None] / 255, out / "model.onnx")
    halve_weights(out / "model.onnx")
    writers = len(np.unique(signatures.writers))
    unseen = f"of {writers} writers, each scored by a model that was not fitted on them ({FOLDS}-fold cross-validation)"
    found, default = operating_points(
        pairs,
        f"pairs of genuine signatures, and of a genuine one with a skilled forgery, {unseen}",
        rates=(0.1, 0.05, 0.01),
        default_rate=None,
    )
    Manifest(
        name=out.name,
        description="Offline signatures, dark ink on paper: were two written by the same hand, or is one a forgery?",
        width=PICTURE[1],
        height=PICTURE[0],
        color_order="gray",
        mean=(0.0,),
        std=(1.0,),
        fit="contain",
        dimension=shipped.dimension,
        thresholds=found,
        default_threshold=default,
        reference_thresholds=[
            point
            for references, scores in together.items()
            for point in reference_points(
                scores, references, f"genuine signatures and skilled forgeries against {references} references {unseen}"
            )
        ],
        training_data=[
            {
                "name": "SigComp 2011 Dutch offline signatures, writers 001 to 048",
                "license": "research use (ICDAR 2011 signature verification competition)",
                "use": "last layers, cross-validation and calibration",
            },
            {**IMAGENET_WEIGHTS, "use": "pretrained backbone, kept as it is"},
        ],
        command=command,
        seed=plan.seed,
        extra_recipe={"plan": asdict(plan)},
    ).write(out)
