"""Copies with something added: borders, captions, stickers, a screenshot around them, other pictures beside them."""

from __future__ import annotations

import math
import random

from PIL import Image, ImageDraw, ImageFont, ImageOps

WORDS = (  # noqa: SIM905
    "when you finally find it again monday mood nobody asked but here we are sale today only follow for more"
).split(" ")


def bordered(picture: Image.Image, share: float, colour: tuple[int, int, int]) -> Image.Image:
    return ImageOps.expand(picture, round(max(picture.size) * share), colour)


def captioned(picture: Image.Image, rng: random.Random, share: float = 0.18) -> Image.Image:
    """White bar above with black words, as memes have it."""
    w, h = picture.size
    bar = round(h * share)
    canvas = Image.new("RGB", (w, h + bar), "white")
    canvas.paste(picture, (0, bar))
    text = " ".join(rng.choices(WORDS, k=5))
    ImageDraw.Draw(canvas).text((w * 0.03, bar * 0.2), text, "black", ImageFont.load_default(max(8, round(bar * 0.5))))
    return canvas


def written_on(picture: Image.Image, rng: random.Random, lines: int = 3) -> Image.Image:
    """Large words across the picture."""
    copy = picture.copy()
    w, h = copy.size
    draw = ImageDraw.Draw(copy)
    for _ in range(lines):
        font = ImageFont.load_default(max(10, round(h * rng.uniform(0.08, 0.16))))
        colour = tuple(rng.choice((0, 255, rng.randint(0, 255))) for _ in range(3))
        text = " ".join(rng.choices(WORDS, k=3))
        place = (rng.uniform(0, w * 0.3), rng.uniform(0, h * 0.85))
        draw.text(place, text, colour, font, stroke_width=2, stroke_fill="black" if sum(colour) > 380 else "white")
    return copy


def face_sticker(side: int) -> Image.Image:
    """A round yellow face: drawn, so that no emoji font is needed."""
    sticker = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    draw = ImageDraw.Draw(sticker)
    draw.ellipse((0, 0, side - 1, side - 1), (255, 205, 50, 255), (200, 140, 0, 255), max(1, side // 30))
    for x in (0.33, 0.67):
        draw.ellipse((side * (x - 0.07), side * 0.28, side * (x + 0.07), side * 0.48), (70, 45, 0, 255))
    draw.arc((side * 0.22, side * 0.3, side * 0.78, side * 0.82), 15, 165, (70, 45, 0, 255), max(1, side // 16))
    return sticker


def with_stickers(picture: Image.Image, rng: random.Random, count: int = 3, share: float = 0.25) -> Image.Image:
    copy = picture.copy()
    w, h = copy.size
    for _ in range(count):
        side = max(8, round(min(w, h) * share * rng.uniform(0.7, 1.3)))
        sticker = face_sticker(side).rotate(rng.uniform(-30, 30))
        copy.paste(sticker, (rng.randint(0, max(0, w - side)), rng.randint(0, max(0, h - side))), sticker)
    return copy


def screenshot(picture: Image.Image, rng: random.Random) -> Image.Image:
    """The picture in a phone's gallery app: bars above and below, grey lines for names and buttons."""
    width = 400
    shown = picture.resize((width, max(40, round(picture.height * width / picture.width))), Image.Resampling.BICUBIC)
    dark = rng.random() < 0.5
    ground, ink = ((18, 18, 18), (235, 235, 235)) if dark else ((250, 250, 250), (30, 30, 30))
    top, bottom = rng.randint(50, 110), rng.randint(60, 160)
    screen = Image.new("RGB", (width, top + shown.height + bottom), ground)
    screen.paste(shown, (0, top))
    draw = ImageDraw.Draw(screen)
    draw.text((12, 6), f"{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}", ink, ImageFont.load_default(14))
    draw.rectangle((width - 40, 8, width - 14, 18), outline=ink)
    draw.ellipse((12, top - 30, 34, top - 8), fill=tuple(rng.randint(60, 220) for _ in range(3)))
    draw.text((44, top - 28), " ".join(rng.choices(WORDS, k=2)), ink, ImageFont.load_default(15))
    y = top + shown.height + 10
    for x in (14, 54, 94):
        draw.ellipse((x, y, x + 20, y + 20), outline=ink, width=2)
    for line in range(max(0, (bottom - 45) // 20)):
        draw.text((14, y + 30 + 20 * line), " ".join(rng.choices(WORDS, k=6)), ink, ImageFont.load_default(13))
    return screen


def collage(picture: Image.Image, others: list[Image.Image], rng: random.Random, tiles: int = 2) -> Image.Image:
    """The picture as one of ``tiles`` (2 beside each other, or 2 x 2), with thin gaps."""
    columns = 2
    rows = math.ceil(tiles / columns)
    w, h, gap = 300, 300, 6
    sheet = Image.new("RGB", (columns * w + gap, rows * h + (rows - 1) * gap), "white")
    place = rng.randrange(tiles)
    rest = iter(rng.sample(others, tiles - 1))
    for i in range(tiles):
        tile = picture if i == place else next(rest)
        sheet.paste(ImageOps.fit(tile, (w, h)), ((i % columns) * (w + gap), (i // columns) * (h + gap)))
    return sheet
