"""``measure-faces``: the exported model and the baselines on the people of the test, in one run."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lookalike_training.export import open_session
from lookalike_training.faces.baselines import eigenface_scores, pattern_scores, pixel_scores
from lookalike_training.faces.people import TEST, TRAINING, face_files, read_faces
from lookalike_training.manifest import read_manifest
from lookalike_training.reference import read_for_model
from lookalike_training.verification.figures import equal_error_rate, error_interval, rates_at, true_accept_at
from lookalike_training.verification.pairs import pairs_of_subjects, rank_one, similarities
from lookalike_training.verification.roc_picture import draw_roc

#: Baselines see the pictures at their own size.
WIDTH, HEIGHT = 92, 112


def measure_faces(data: Path, model: Path) -> str:
    """The table; writes ``roc.png`` beside the model."""
    manifest = read_manifest(model)
    session = open_session(model / manifest["file"], threads=1)
    files = face_files(data, TEST)
    people = np.array([p for p, _ in files])
    rows = np.concatenate(
        [session.run(None, {manifest["input"]["name"]: read_for_model(f, manifest)[None]})[0] for _, f in files]
    )
    training = read_faces(data, TRAINING, WIDTH, HEIGHT).pictures
    pictures = read_faces(data, TEST, WIDTH, HEIGHT).pictures
    scores = {
        manifest["name"]: similarities(rows, rows),
        "raw pixels": pixel_scores(pictures),
        "eigenfaces": eigenface_scores(training, pictures),
        "LBP histograms": pattern_scores(pictures),
    }
    pairs = {name: pairs_of_subjects(score, people) for name, score in scores.items()}
    lines = [
        f"{len(np.unique(people))} unseen people, {len(people)} pictures: "
        f"{len(pairs['raw pixels'].same)} pairs of one person, {len(pairs['raw pixels'].different)} of two",
        "",
        "| | equal error rate | true accepts at 1% false accepts | at 0.1% | rank-1, one picture enrolled |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, p in pairs.items():
        accepted = [true_accept_at(p.same, p.different, rate) for rate in (1e-2, 1e-3)]
        lines.append(
            f"| {name} | {equal_error_rate(p.same, p.different):.1%} | {accepted[0]:.1%} | {accepted[1]:.1%} "
            f"| {rank_one(scores[name], people):.1%} |"
        )
    own = pairs[manifest["name"]]
    low, high = error_interval(own)
    lines += ["", f"95% interval of {manifest['name']}'s equal error rate, drawing people: {low:.1%} to {high:.1%}"]
    for point in manifest["thresholds"]:
        accepted, refused = rates_at(own, point["similarity"])
        lines.append(
            f"at the threshold {point['similarity']} (calibrated: {point['falsePositiveRate']:.1%} false accepts, "
            f"{1 - point['recall']:.1%} false rejects): {accepted:.1%} false accepts, {refused:.1%} false rejects"
        )
    draw_roc(model / "roc.png", pairs, f"faces of {len(np.unique(people))} unseen people (ORL s29 to s40)")
    return "\n".join(lines)
