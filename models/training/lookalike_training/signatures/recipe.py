"""``train-signatures``: the model that ships as ``signatures``."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lookalike_training.augment.pen import as_other_writers, vary_signature
from lookalike_training.baseline import IMAGENET_WEIGHTS
from lookalike_training.export import export_onnx
from lookalike_training.half_weights import halve_weights
from lookalike_training.manifest import Manifest
from lookalike_training.siblings.efficientnet_lite import load_pretrained
from lookalike_training.siblings.fold_norm import fold_norms
from lookalike_training.siblings.grid_encoder import GridEncoder, grey_stem
from lookalike_training.siblings.ink_frame import InkFrame
from lookalike_training.siblings.signature_encoder import SignatureEncoder, ink_normalised
from lookalike_training.signatures.writers import Signatures, held_out, read_signatures
from lookalike_training.verification.figures import equal_error_rate
from lookalike_training.verification.operating_points import operating_points
from lookalike_training.verification.pairs import PairScores, pairs_with_forgeries, similarities
from lookalike_training.verification.training import VerifierPlan, train_verifier

#: Of the picture as it comes in, then of the frame around its ink.
PICTURE = (112, 224)
FRAME = (64, 128)
BLOCKS, GRID = 11, (4, 8)
#: A batch: writers, genuine signatures of each, forgeries of each.
WRITERS, GENUINE, FORGED = 5, 5, 4


def new_network(dimension: int) -> GridEncoder:
    backbone = fold_norms(load_pretrained())
    grey_stem(backbone)
    net = GridEncoder(backbone, BLOCKS, FRAME, GRID, dimension)
    return net.to(memory_format=torch.channels_last).eval()


@torch.no_grad()
def framed_ink(pictures: np.ndarray) -> Tensor:
    """[n, *PICTURE] uint8 -> [n, 1, *FRAME]: what the model's first layers make of them, once for all steps."""
    frame = InkFrame(PICTURE, FRAME)
    parts = torch.from_numpy(pictures).split(64)
    return torch.cat([frame(part.float()[:, None] / 255) for part in parts])


@torch.no_grad()
def embed_ink(net: GridEncoder, ink: Tensor) -> np.ndarray:
    net.eval()
    parts = (ink_normalised(part).contiguous(memory_format=torch.channels_last) for part in ink.split(64))
    return torch.cat([net.encode(part) for part in parts]).numpy()


@torch.no_grad()
def start_from_principal_components(net: GridEncoder, ink: Tensor) -> None:
    """A projection that keeps most of what differs: better than chance from the first step on."""
    features = torch.cat([net.features(ink_normalised(part)) for part in ink.split(64)])
    mean = features.mean(0)
    _, singular, basis = torch.svd_lowrank(features - mean, q=net.dimension, niter=3)
    variance = singular**2 / len(features)
    # Small weights: the projection has to move far, and the optimiser's steps are of one size.
    weight = basis.T / (variance + variance.mean()).sqrt()[:, None]
    net.project.weight.copy_(weight)
    net.project.bias.copy_(-weight @ mean)


def batch_of_writers(signatures: Signatures, ink: Tensor) -> tuple[Tensor, Tensor]:
    """Some writers, some genuine signatures and forgeries of each: ink [n, 1, h, w], labels [n].

    Genuine signatures of a writer share a label; every forgery has one of its own, so that it is a negative for all,
    and never a positive for another forgery, which is the work of another hand.
    """
    chosen, labels = [], []
    for writer in np.random.choice(np.unique(signatures.writers), WRITERS, replace=False):
        own = np.flatnonzero((signatures.writers == writer) & signatures.genuine)
        forged = np.flatnonzero((signatures.writers == writer) & ~signatures.genuine)
        forged = np.random.choice(forged, min(FORGED, len(forged)), replace=False)
        chosen += [*np.random.choice(own, GENUINE, replace=False), *forged]
        labels += [writer] * GENUINE + [1000 + i for i in forged]
    rows = torch.as_tensor(np.array(chosen))
    varied = vary_signature(as_other_writers(ink[rows], torch.from_numpy(signatures.writers[rows])))
    return ink_normalised(varied), torch.as_tensor(np.array(labels))


def scores_of(net: GridEncoder, signatures: Signatures, ink: Tensor) -> PairScores:
    rows = embed_ink(net, ink)
    return pairs_with_forgeries(similarities(rows, rows), signatures.writers, signatures.genuine)


def train_signature_model(data: Path, out: Path, work: Path, plan: VerifierPlan, dimension: int, command: str) -> None:
    """``data`` holds 001 ... 059; writers from 049 on are not read."""
    everyone = read_signatures(data, False, PICTURE[1], PICTURE[0])
    held = held_out(everyone.writers)
    ink = framed_ink(everyone.pictures)
    fit, fit_ink = everyone.of(~held), ink[torch.from_numpy(~held)]
    checked, checked_ink = everyone.of(held), ink[torch.from_numpy(held)]
    net = new_network(dimension)
    start_from_principal_components(net, fit_ink)

    def check(candidate: GridEncoder) -> str:
        scores = scores_of(candidate, checked, checked_ink)
        return f"equal error rate on held-out writers {equal_error_rate(scores.same, scores.different):.2%}"

    print(f"untrained: {check(net)}", flush=True)
    trained = train_verifier(net, lambda: batch_of_writers(fit, fit_ink), plan, work, check=check, check_every=40)
    out.mkdir(parents=True, exist_ok=True)
    shutil.copy(work / "loss.png", out / "loss.png")
    finish_signature_model(trained, checked, checked_ink, out, plan, command)


def finish_signature_model(
    trained: GridEncoder, checked: Signatures, checked_ink: Tensor, out: Path, plan: VerifierPlan, command: str
) -> None:
    """Export, calibrate on ``checked`` writers, describe."""
    shipped = SignatureEncoder(trained, PICTURE).eval()
    example = torch.from_numpy(checked.pictures[:3]).float()[:, None] / 255
    export_onnx(shipped, example, out / "model.onnx")
    halve_weights(out / "model.onnx")
    writers = len(np.unique(checked.writers))
    found, default = operating_points(
        scores_of(trained, checked, checked_ink),
        f"pairs of genuine signatures, and of a genuine one with a skilled forgery, of {writers} writers that were not "
        "trained on",
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
        training_data=[
            {
                "name": "SigComp 2011 Dutch offline signatures, writers 001 to 048 (every fourth held out)",
                "license": "research use (ICDAR 2011 signature verification competition)",
                "use": "training, choice and calibration",
            },
            IMAGENET_WEIGHTS,
        ],
        command=command,
        seed=plan.seed,
        extra_recipe={"plan": asdict(plan)},
    ).write(out)
