"""Trains the recurrent sibling on pen strokes by InfoNCE; measured one-shot on alphabets it has not seen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from lookalike_training.averaged_weights import AveragedWeights
from lookalike_training.checkpoint import seed_everything
from lookalike_training.data.class_batches import class_batches
from lookalike_training.data.omniglot import OneShotRun
from lookalike_training.data.strokes import FEATURES, StrokeDrawings, distort_sequences, read_strokes
from lookalike_training.export import export_onnx
from lookalike_training.loss_curve import draw_loss_curve
from lookalike_training.losses.info_nce import info_nce_loss
from lookalike_training.one_shot import mean_error
from lookalike_training.progress import Progress
from lookalike_training.schedule import cosine_with_warmup
from lookalike_training.siblings.stroke_rnn import StrokeEncoder

#: Held out, by name: their characters are never trained on.
HELD_OUT = ("Early_Aramaic", "Sanskrit")


@dataclass(frozen=True)
class StrokePlan:
    steps: int = 300
    batch: int = 128
    each: int = 4
    learning_rate: float = 2e-3
    temperature: float = 0.1
    seed: int = 1


def one_shot_runs(
    drawings: StrokeDrawings, chosen: np.ndarray, count: int, seed: int, ways: int = 20
) -> list[OneShotRun]:
    """20-way runs within one alphabet, one drawer's strokes as examples and another's as queries."""
    rng = np.random.default_rng(seed)
    runs = []
    alphabets = np.unique(drawings.alphabets[chosen])
    while len(runs) < count:
        alphabet = rng.choice(alphabets)
        inside = chosen & (drawings.alphabets == alphabet)
        picked = rng.choice(np.unique(drawings.characters[inside]), ways, replace=False)
        first, second = rng.choice(np.unique(drawings.drawers[inside]), 2, replace=False)

        def of(drawer: int, inside=inside, picked=picked) -> np.ndarray:
            at = [np.flatnonzero(inside & (drawings.characters == c) & (drawings.drawers == drawer)) for c in picked]
            return np.array([a[0] if len(a) else -1 for a in at])

        support, queries = of(first), of(second)
        if (support < 0).any() or (queries < 0).any():
            continue
        runs.append(OneShotRun(drawings.sequences[support], drawings.sequences[queries], np.arange(ways)))
    return runs


@torch.no_grad()
def embed_strokes(net: StrokeEncoder, sequences: np.ndarray) -> np.ndarray:
    """[n, steps, 7] -> [n, d]."""
    net.eval()
    return net.encode(torch.from_numpy(np.ascontiguousarray(sequences))).numpy()


def train_stroke_model(data: Path, work: Path, plan: StrokePlan) -> dict[str, float]:
    """Prints and returns the error on the held-out alphabets, trained and untrained; exports ``work/model.onnx``."""
    drawings = read_strokes([data / f"strokes_background_small{i}.zip" for i in (1, 2)])
    held = np.isin(drawings.alphabets, [drawings.names.index(n) for n in HELD_OUT])
    runs = one_shot_runs(drawings, held, 40, seed=3)
    seed_everything(plan.seed)
    rng = np.random.default_rng(plan.seed)
    net = StrokeEncoder(FEATURES)
    before, _ = mean_error(partial(embed_strokes, net), runs)
    average = AveragedWeights(net, 0.99)
    optimiser = torch.optim.AdamW(net.parameters(), lr=plan.learning_rate, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda s: cosine_with_warmup(s, plan.steps, 50))
    fit = np.flatnonzero(~held)
    batches = class_batches(drawings.characters[fit], plan.batch, plan.each, rng)
    history: list[tuple[int, float]] = []
    progress = Progress(plan.steps)
    for step in range(1, plan.steps + 1):
        net.train()
        chosen = fit[next(batches)]
        x = torch.from_numpy(distort_sequences(drawings.sequences[chosen], rng))
        loss = info_nce_loss(net.encode(x), torch.from_numpy(drawings.characters[chosen]), plan.temperature)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        average.update(net)
        history.append((step, float(loss.detach())))
        progress.show(step, f"loss {np.mean([v for _, v in history[-50:]]):.4f}")
    work.mkdir(parents=True, exist_ok=True)
    draw_loss_curve(work / "loss.png", {"info-nce": history}, "strokes")
    torch.save(average.net.state_dict(), work / "strokes.pt")
    export_onnx(average.net, torch.from_numpy(drawings.sequences[:4]), work / "model.onnx", "strokes")
    after, spread = mean_error(partial(embed_strokes, average.net), runs)
    figures = {"untrained error": before, "error": after, "standard error": spread}
    print(f"20-way one-shot within {', '.join(HELD_OUT)}, {len(runs)} runs: {figures}")
    return figures
