"""The loss over a run, as a PNG. Drawn with Pillow: a plotting library would be the largest dependency here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

COLOURS = ("#1f6feb", "#d1242f", "#1a7f37", "#9a6700", "#8250df")


def _smoothed(values: Sequence[float], window: int) -> list[float]:
    out, total = [], 0.0
    for i, v in enumerate(values):
        total += v - (values[i - window] if i >= window else 0)
        out.append(total / min(i + 1, window))
    return out


def draw_loss_curve(file: Path, series: Mapping[str, Sequence[tuple[int, float]]], title: str = "") -> None:
    """``series``: name -> (step, value) pairs in order. Each is drawn pale, and smoothed on top."""
    width, height, left, top, right, bottom = 900, 420, 70, 40, 20, 45
    picture = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(13)
    points = [p for values in series.values() for p in values]
    if not points:
        picture.save(file)
        return
    last = max(1, max(s for s, _ in points))
    # The first steps of a run are far off; the curve is about the rest.
    ordered = sorted(v for _, v in points)
    low, high = ordered[0], ordered[min(len(ordered) - 1, int(len(ordered) * 0.995))]
    span = (high - low) or 1.0

    def place(step: float, value: float) -> tuple[float, float]:
        x = left + (width - left - right) * step / last
        y = height - bottom - (height - top - bottom) * (min(value, high) - low) / span
        return x, y

    for i in range(6):
        value, step = low + span * i / 5, last * i / 5
        y, x = place(0, value)[1], place(step, low)[0]
        draw.line((left, y, width - right, y), "#e5e7eb")
        draw.text((6, y - 8), f"{value:.3g}", "#57606a", font)
        draw.text((x - 10, height - bottom + 8), f"{step:.0f}", "#57606a", font)
    draw.text((left, 10), title, "black", font)
    draw.text((width // 2 - 15, height - 20), "step", "#57606a", font)
    for i, (name, values) in enumerate(series.items()):
        colour = COLOURS[i % len(COLOURS)]
        pale = tuple((c + 255 * 2) // 3 for c in bytes.fromhex(colour[1:]))
        steps = [s for s, _ in values]
        raw = [place(s, v) for s, v in values]
        smooth = _smoothed([v for _, v in values], max(1, len(values) // 40))
        if len(raw) > 1:
            draw.line(raw, pale)
            draw.line([place(s, v) for s, v in zip(steps, smooth, strict=True)], colour, 2)
        draw.text((width - right - 160, top + 4 + 18 * i), f"{name}: {smooth[-1]:.4g}", colour, font)
    file.parent.mkdir(parents=True, exist_ok=True)
    picture.save(file)
