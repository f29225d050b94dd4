"""``signature-tone``: is the darkness of the ink the hand's, or the collection's? On training writers only.

Forgeries in this set are darker than genuine signatures. If that were pressure and speed of a forging hand, a model
might look at it; if it is another pen or scanner, a model that does has learned who collected what. Two things tell
them apart:

- Some writers signed in two sessions. What belongs to the hand is the same in both.
- Paper that no ink has touched knows of the scanner and of nothing else.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from lookalike_training.export import open_session
from lookalike_training.manifest import read_manifest
from lookalike_training.reference import read_for_model
from lookalike_training.signatures.metric import MetricPlan
from lookalike_training.signatures.recipe import (
    DRAWS,
    PICTURE,
    framed_ink,
    held_out_scores,
    new_network,
    scaled_covariances,
)
from lookalike_training.signatures.writers import FOLDS, fold_of, read_signatures, signature_files
from lookalike_training.verification.figures import equal_error_rate
from lookalike_training.verification.pairs import similarities

#: Writers whose first twelve genuine signatures are of one session, and the others of another.
TWO_SESSIONS = (1, 2, 3, 4, 6, 9, 12)
FIRST_SESSION = 12
#: Scored together, of one session.
REFERENCES = 5
#: Grey values below are ink; paper is what is further than this many pixels from any that is not quite white.
INK_BELOW, PAPER_ABOVE, AWAY = 180, 200, 12
#: Steps (down, across) at which the noise of the paper is compared with itself.
LAGS = ((0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (0, 3), (3, 0), (0, 4), (4, 0), (0, 8), (8, 0))


def grey_pixels(file: Path) -> Tensor:
    """[h, w] float32, 0 to 255."""
    return torch.from_numpy(np.asarray(Image.open(file).convert("L")).astype(np.float32))


def darkest_ink(pixels: Tensor) -> float:
    """The grey that a hundredth of the ink is darker than."""
    ink = pixels[pixels < INK_BELOW]
    return float(torch.quantile(ink, 0.01)) if len(ink) else 255.0


def paper_noise(pixels: Tensor) -> np.ndarray:
    """[18] of the paper alone: how strong its noise is, how alike to itself a few pixels on, and its tails."""
    field = pixels[None, None]
    marked = F.max_pool2d((field < PAPER_ABOVE).float(), 2 * AWAY + 5, 1, AWAY + 2)[0, 0]
    paper = marked == 0
    noise = pixels - F.avg_pool2d(F.pad(field, [7] * 4, mode="replicate"), 15, 1)[0, 0]
    height, width = pixels.shape
    if not paper.any():
        return np.zeros(len(LAGS) + 7)
    strength = noise[paper].square().mean() + 1e-6
    alike = []
    for down, across in LAGS:
        a, b = noise[down:, across:], noise[: height - down, : width - across]
        both = paper[down:, across:] & paper[: height - down, : width - across]
        alike.append(float((a[both] * b[both]).mean() / strength) if both.any() else 0.0)
    tails = [float((noise[paper].abs() > limit).float().mean()) for limit in (0.5, 1, 1.5, 2, 3, 4)]
    return np.array([float(strength.log()), *alike, *tails])


def separable(features: np.ndarray, forged: np.ndarray, writers: np.ndarray) -> float:
    """Probability that a linear rule ranks a forgery above a genuine signature (area under the ROC), by writers that
    it was not fitted on."""
    x = (features - features.mean(0)) / (features.std(0) + 1e-6)
    x = np.concatenate([x, np.ones((len(x), 1))], 1)
    wanted = np.where(forged, 1.0, -1.0)
    rated = np.zeros(len(x))
    for fold in range(FOLDS):
        held = fold_of(writers) == fold
        a = x[~held]
        rule = np.linalg.solve(a.T @ a / len(a) + 0.01 * np.eye(a.shape[1]), a.T @ wanted[~held] / len(a))
        rated[held] = x[held] @ rule
    return float((rated[forged][:, None] > rated[~forged][None]).mean())


def measure_tone(data: Path, model: Path) -> str:
    files = signature_files(data, test=False)
    writers, genuine = np.array([w for w, _, _ in files]), np.array([g for _, g, _ in files])
    pictures = [grey_pixels(file) for _, _, file in files]
    tone = np.array([darkest_ink(p) for p in pictures])
    noise = np.stack([paper_noise(p) for p in pictures])
    lines = [
        "forgery or genuine, told without any reference, area under the ROC on held-out writers: "
        f"darkest ink {separable(tone[:, None], ~genuine, writers):.3f}, "
        f"untouched paper {separable(noise, ~genuine, writers):.3f}",
        "",
        f"writers {', '.join(f'{w:03d}' for w in TWO_SESSIONS)}, two sessions, equal error rates against forgeries:",
        "",
        "| | pairs within the first session | within the second | one of each |",
        "| --- | --- | --- | --- |",
    ]
    chosen = np.isin(writers, TWO_SESSIONS)
    of, real = writers[chosen], genuine[chosen]
    number = np.array([int(file.stem) for (_, _, file), keep in zip(files, chosen, strict=True) if keep])
    later = number >= FIRST_SESSION
    manifest = read_manifest(model)
    session = open_session(model / manifest["file"], threads=1)
    name = manifest["input"]["name"]
    rows = np.concatenate(
        [
            session.run(None, {name: read_for_model(file, manifest)[None]})[0]
            for (_, _, file), keep in zip(files, chosen, strict=True)
            if keep
        ]
    )
    darkness = -np.abs(tone[chosen][:, None] - tone[chosen][None])
    unseen = _unseen_scores(data)[np.ix_(chosen, chosen)]
    for label, score, pairs_of in (
        ("darkest ink", darkness, _by_session),
        (f"{manifest['name']}, fitted on these writers", similarities(rows, rows), _by_session),
        ("the same recipe, fitted on others", unseen, _by_session),
        (f"{REFERENCES} references of one session, relative, fitted on others", unseen, _references_by_session),
    ):
        errors = [f"{equal_error_rate(*pairs):.1%}" for pairs in pairs_of(score, of, real, later)]
        lines.append(f"| {label} | {' | '.join(errors)} |")
    greys = [
        f"{np.median(part):.0f}"
        for part in (
            tone[chosen][real & ~later],
            tone[chosen][real & later],
            tone[chosen][~real],
            tone[genuine & ~chosen],
        )
    ]
    lines += [
        "",
        f"median of the darkest ink: first session {greys[0]}, second {greys[1]}, forgeries {greys[2]}; "
        f"genuine signatures of the other writers {greys[3]}",
    ]
    return "\n".join(lines)


def _by_session(score: np.ndarray, writers: np.ndarray, genuine: np.ndarray, later: np.ndarray):
    """(same, different) of pairs within the first session, within the second, and across; a forgery is compared with
    the signatures of the session asked, across with both."""
    i, j = np.triu_indices(len(writers), k=1)
    of_one = writers[i] == writers[j]
    both, either = of_one & genuine[i] & genuine[j], of_one & (genuine[i] ^ genuine[j])
    session = np.where(genuine[i], later[i], later[j])
    values = score[i, j]
    for second in (False, True):
        yield values[both & (later[i] == second) & (later[j] == second)], values[either & (session == second)]
    yield values[both & (later[i] != later[j])], values[either]


def _unseen_scores(data: Path) -> np.ndarray:
    """[n, n]: by the recipe at its defaults, fitted on other folds of the writers."""
    signatures = read_signatures(data, False, PICTURE[1], PICTURE[0])
    plan = MetricPlan()
    features, _ = scaled_covariances(new_network(plan.dimension), framed_ink(signatures.pictures))
    return held_out_scores(features, signatures, plan)


def _references_by_session(score: np.ndarray, writers: np.ndarray, genuine: np.ndarray, later: np.ndarray):
    """As ``_by_session``, of signatures against several references of one session, relative to how alike those are;
    across, genuine signatures are of the session that the references are not of."""
    rng = np.random.default_rng(0)
    found: dict[str, tuple[list, list]] = {"first": ([], []), "second": ([], []), "across": ([], [])}
    for writer in np.unique(writers):
        forged = np.flatnonzero((writers == writer) & ~genuine)
        sessions = [np.flatnonzero((writers == writer) & genuine & (later == second)) for second in (False, True)]
        for here, there, name in ((*sessions, "first"), (*sessions[::-1], "second")):
            for _ in range(DRAWS):
                chosen = rng.choice(here, REFERENCES, replace=False)
                among = score[np.ix_(chosen, chosen)][np.triu_indices(REFERENCES, k=1)].mean()

                def judged(asked: np.ndarray, chosen=chosen, among=among) -> np.ndarray:
                    return score[np.ix_(asked, chosen)].mean(1) - among

                for kind, own in ((name, np.setdiff1d(here, chosen)), ("across", there)):
                    found[kind][0].append(judged(own))
                    found[kind][1].append(judged(forged))
    for same, different in found.values():
        yield np.concatenate(same), np.concatenate(different)
