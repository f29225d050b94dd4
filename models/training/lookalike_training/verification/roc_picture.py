"""Error curves as a PNG: true accepts against false accepts, the latter on a logarithmic axis."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from lookalike_training.loss_curve import COLOURS
from lookalike_training.verification.figures import equal_error_rate, roc
from lookalike_training.verification.pairs import PairScores


def draw_roc(file: Path, methods: Mapping[str, PairScores], title: str) -> None:
    width, height, left, top, right, bottom = 760, 560, 64, 40, 24, 52
    rates = [10.0**e for e in range(-4, 1)]
    smallest = max(rates[0], min(1 / len(s.different) for s in methods.values()))
    picture = Image.new("RGB", (width, height), "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(13)

    def place(false_accept: float, true_accept: float) -> tuple[float, float]:
        across = 1 - math.log10(max(false_accept, smallest)) / math.log10(smallest)
        return left + (width - left - right) * across, height - bottom - (height - top - bottom) * true_accept

    for rate in [r for r in rates if r >= smallest]:
        x, _ = place(rate, 0)
        draw.line((x, top, x, height - bottom), "#e5e7eb")
        draw.text((x - 14, height - bottom + 8), f"{rate:g}", "#57606a", font)
    for share in (0, 0.2, 0.4, 0.6, 0.8, 1):
        _, y = place(1, share)
        draw.line((left, y, width - right, y), "#e5e7eb")
        draw.text((24, y - 8), f"{share:.1f}", "#57606a", font)
    draw.text((left, 12), title, "black", font)
    draw.text((width // 2 - 60, height - 24), "false accept rate", "#57606a", font)
    draw.text((6, top - 20), "true accepts", "#57606a", font)
    for i, (name, scores) in enumerate(methods.items()):
        curve = roc(scores.same, scores.different)
        points = [place(f, t) for f, t in zip(curve.false_accept, curve.true_accept, strict=True)]
        draw.line(points, COLOURS[i % len(COLOURS)], 3 if i == 0 else 2)
        error = equal_error_rate(scores.same, scores.different)
        text = f"{name}: equal error rate {error:.1%}"
        draw.text((width - right - 300, height - bottom - 24 - 20 * (len(methods) - i)), text, COLOURS[i], font)
    file.parent.mkdir(parents=True, exist_ok=True)
    picture.save(file, optimize=True)
