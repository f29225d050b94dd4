"""``measure-signatures``: the exported model and plain baselines on the writers of the test, in one run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from lookalike_training.data.pictures import grey, model_picture
from lookalike_training.export import open_session
from lookalike_training.manifest import read_manifest
from lookalike_training.reference import read_for_model
from lookalike_training.signatures.recipe import DRAWS, FRAME, PICTURE, framed_ink
from lookalike_training.signatures.writers import signature_files
from lookalike_training.verification.figures import equal_error_rate, error_interval, rates_at, true_accept_at
from lookalike_training.verification.pairs import (
    PairScores,
    pairs_with_forgeries,
    rank_one,
    scores_of_references,
    similarities,
)
from lookalike_training.verification.roc_picture import draw_roc

#: Grey values below are ink, to weigh how dark it is.
INK_BELOW = 180


def unit_rows(pictures: np.ndarray) -> np.ndarray:
    """[n, ...] -> [n, d], each less its mean and of unit length."""
    rows = pictures.reshape(len(pictures), -1).astype(np.float64)
    rows = rows - rows.mean(1, keepdims=True)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def darkness(file: Path) -> float:
    """Mean grey of the ink: what pen and scanner it was, and nothing of the writing."""
    pixels = np.asarray(Image.open(file).convert("L"))
    ink = pixels[pixels < INK_BELOW]
    return float(ink.mean()) if ink.size else 255.0


def measure_signatures(data: Path, model: Path, test: bool = True) -> str:
    """The tables; writes ``roc.png`` beside the model. Without ``test``: on training writers, which says little."""
    manifest = read_manifest(model)
    session = open_session(model / manifest["file"], threads=1)
    files = signature_files(data, test)
    writers, genuine = np.array([w for w, _, _ in files]), np.array([g for _, g, _ in files])
    name = manifest["input"]["name"]
    rows = np.concatenate([session.run(None, {name: read_for_model(f, manifest)[None]})[0] for _, _, f in files])
    pictures = np.stack([grey(model_picture(f, PICTURE[1], PICTURE[0], "squash")) for _, _, f in files])
    framed = framed_ink(np.stack([grey(model_picture(f, PICTURE[1], PICTURE[0], "contain")) for _, _, f in files]))
    ink = framed.numpy().reshape(len(files), *FRAME)
    tone = np.array([darkness(f) for _, _, f in files])
    own = similarities(rows, rows)
    scores = {
        manifest["name"]: own,
        "raw pixels, squashed": unit_rows(pictures) @ unit_rows(pictures).T,
        "pixels of the framed ink": unit_rows(ink) @ unit_rows(ink).T,
        "how dark the ink is, nothing else": -np.abs(tone[:, None] - tone[None]),
    }
    pairs = {key: pairs_with_forgeries(score, writers, genuine) for key, score in scores.items()}
    first = pairs[manifest["name"]]
    lines = [
        f"{len(np.unique(writers))} writers, {len(files)} signatures: {len(first.same)} pairs of genuine signatures, "
        f"{len(first.different)} of a genuine one with a skilled forgery",
        "",
        "| one reference | equal error rate | true accepts at 10% false accepts | at 1% |",
        "| --- | --- | --- | --- |",
    ]
    for key, p in pairs.items():
        accepted = [true_accept_at(p.same, p.different, rate) for rate in (0.1, 0.01)]
        lines.append(f"| {key} | {equal_error_rate(p.same, p.different):.1%} | {accepted[0]:.1%} | {accepted[1]:.1%} |")
    low, high = error_interval(first)
    lines += ["", f"95% interval of {manifest['name']}'s equal error rate, drawing writers: {low:.1%} to {high:.1%}"]
    lines += _at_thresholds(first, manifest)
    lines += ["", *_with_references(own, writers, genuine, manifest)]
    only = np.flatnonzero(genuine)
    stranger = own[np.ix_(only, only)][writers[only][:, None] != writers[only][None]]
    lines += [
        "",
        f"genuine signatures of two different writers reach the default threshold in "
        f"{(stranger >= manifest['defaultThreshold']).mean():.1%} of the pairs; rank-1 identification with one genuine "
        f"signature a writer enrolled: {rank_one(own[np.ix_(only, only)], writers[only]):.1%}",
    ]
    draw_roc(model / "roc.png", pairs, f"skilled forgeries, {len(np.unique(writers))} unseen writers, one reference")
    return "\n".join(lines)


def accuracy(scores: PairScores, accepted: float, refused: float) -> float:
    """Share of right verdicts, from the false accept and false reject rates."""
    wrong = accepted * len(scores.different) + refused * len(scores.same)
    return 1 - wrong / (len(scores.different) + len(scores.same))


def _at_thresholds(scores: PairScores, manifest: dict) -> list[str]:
    lines = []
    for point in manifest["thresholds"]:
        accepted, refused = rates_at(scores, point["similarity"])
        lines.append(
            f"at the threshold {point['similarity']} (calibrated: {point['falsePositiveRate']:.1%} false accepts, "
            f"{1 - point['recall']:.1%} false rejects): {accepted:.1%} false accepts, {refused:.1%} false rejects, "
            f"accuracy {accuracy(scores, accepted, refused):.1%}"
        )
    return lines


def _with_references(own: np.ndarray, writers: np.ndarray, genuine: np.ndarray, manifest: dict) -> list[str]:
    """Several references: the rules, and the errors at the threshold that was calibrated for one."""
    threshold = manifest["defaultThreshold"]
    lines = [
        f"| references | rule | equal error rate | false accepts at {threshold} | false rejects |",
        "| --- | --- | --- | --- | --- |",
    ]
    for references, rule in ((3, "max"), (3, "mean"), (5, "max"), (5, "nearest two"), (5, "mean"), (10, "mean")):
        p = scores_of_references(own, writers, genuine, references, rule, DRAWS, seed=0)
        accepted, refused = rates_at(p, threshold)
        error = equal_error_rate(p.same, p.different)
        lines.append(f"| {references} | {rule} | {error:.1%} | {accepted:.1%} | {refused:.1%} |")
    lines += [
        "",
        "relative to how alike the references are:",
        "",
        "| references | equal error rate | 95% interval | calibrated margin | promised | false accepts, false rejects "
        "| accuracy |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for point in manifest["referenceThresholds"]:
        p = scores_of_references(own, writers, genuine, point["references"], "mean", DRAWS, seed=0, relative=True)
        accepted, refused = rates_at(p, point["margin"])
        low, high = error_interval(p, draws=100)
        lines.append(
            f"| {point['references']} | {equal_error_rate(p.same, p.different):.1%} | {low:.1%} to {high:.1%} "
            f"| {point['margin']} | {point['falsePositiveRate']:.1%}, {1 - point['recall']:.1%} "
            f"| {accepted:.1%}, {refused:.1%} | {accuracy(p, accepted, refused):.1%} |"
        )
    return lines
