"""Copies that change no geometry beyond scale: the easy half."""

from __future__ import annotations

import io

from PIL import Image, ImageEnhance, ImageFilter, ImageOps


def resized(picture: Image.Image, factor: float) -> Image.Image:
    w, h = picture.size
    return picture.resize((max(8, round(w * factor)), max(8, round(h * factor))), Image.Resampling.LANCZOS)


def recompressed(picture: Image.Image, quality: int, format: str = "JPEG") -> Image.Image:
    buffer = io.BytesIO()
    picture.convert("RGB").save(buffer, format, quality=quality)
    buffer.seek(0)
    return Image.open(buffer).convert("RGB")


def blurred(picture: Image.Image, share: float) -> Image.Image:
    """Gaussian, sigma as a share of the longer side."""
    return picture.filter(ImageFilter.GaussianBlur(max(picture.size) * share))


def grey(picture: Image.Image) -> Image.Image:
    return ImageOps.grayscale(picture).convert("RGB")


def toned(picture: Image.Image, brightness: float = 1.0, contrast: float = 1.0, colour: float = 1.0) -> Image.Image:
    picture = ImageEnhance.Brightness(picture).enhance(brightness)
    picture = ImageEnhance.Contrast(picture).enhance(contrast)
    return ImageEnhance.Color(picture).enhance(colour)


def gamma(picture: Image.Image, value: float) -> Image.Image:
    return picture.point([round(255 * (i / 255) ** value) for i in range(256)] * 3)
