"""Reading a picture exactly as the product does.

The rules (the encoder's contract with the TypeScript side): EXIF orientation applied, first frame of an animation,
transparency flattened on white, converted to sRGB, then squashed to the model's size whatever the aspect.
"""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps

EXTENSIONS = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff", ".bmp", ".pgm", ".avif"})
#: The EXIF tag; from 5 on, width and height are stored the other way round.
ORIENTATION = 0x0112
_SRGB = ImageCms.createProfile("sRGB")


def list_pictures(folder: Path) -> list[Path]:
    """Every picture below ``folder``, sorted by path so that a seed means the same on every machine."""
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in EXTENSIONS and p.is_file())


def _to_srgb(picture: Image.Image) -> Image.Image:
    profile = picture.info.get("icc_profile")
    if profile and picture.mode in ("RGB", "CMYK", "L"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(picture, source, _SRGB, outputMode="RGB")
            if converted is not None:
                return converted
        except (ImageCms.PyCMSError, OSError):
            pass  # A damaged profile is ignored, as browsers and libvips do.
    return picture.convert("RGB")


def _shrunk_on_load(picture: Image.Image, side: int) -> Image.Image:
    """Decode at 1/8, 1/4 or 1/2 as sharp chooses it for a target of ``side`` x ``side``.

    Found by measuring: sharp 0.35 takes 1/k once the picture is k + 1 times the target, and libvips drops the last
    row or column of a side that k does not divide, which Pillow keeps.
    """
    w, h = picture.size
    orientation = picture.getexif()
    profile = picture.info.get("icc_profile")
    for k in (8, 4, 2):
        if min(w, h) >= (k + 1) * side:
            picture.draft(None, (w // k, h // k))
            picture = picture.crop((0, 0, w // k, h // k))
            break
    picture.info["exif"] = orientation.tobytes()
    if profile:
        picture.info["icc_profile"] = profile
    return picture


def open_picture(file: Path | io.BytesIO, at_least: int | None = None) -> Image.Image:
    """An upright sRGB picture. With ``at_least`` a JPEG is decoded at a half, quarter or eighth where it then still has
    more than that many pixels a side: much cheaper, and what sharp does."""
    picture = Image.open(file)
    if at_least is not None and picture.format == "JPEG":
        picture = _shrunk_on_load(picture, at_least)
    picture = ImageOps.exif_transpose(picture)
    if picture.mode in ("I;16", "I;16B", "I;16L", "I"):
        picture = Image.fromarray((np.asarray(picture).astype(np.float32) / 257).round().clip(0, 255).astype(np.uint8))
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        ground = Image.new("RGBA", picture.size, (255, 255, 255, 255))
        picture = Image.alpha_composite(ground, picture).convert("RGB")
    return _to_srgb(picture)


def _shrunk(picture: Image.Image, axis: int, size: int) -> Image.Image:
    """Triangle filter along one axis (0 = width), after a box filter by a whole factor where at least a factor of two
    is left for it: libvips' default ``gap``. Sides that are small enough stay."""
    old = picture.size[axis]
    if old <= size:
        return picture
    whole = int(old / size / 2)
    if whole > 1:
        picture = picture.reduce((whole, 1) if axis == 0 else (1, whole))
    new = (size, picture.height) if axis == 0 else (picture.width, size)
    return picture.resize(new, Image.Resampling.BILINEAR)


def _enlarged(pixels: np.ndarray, size: int, axis: int) -> np.ndarray:
    """Bilinear along one axis, with libvips' alignment: output i lies at i / scale - 1/2 of the input.

    That is up to half a pixel off the centred alignment of Pillow, and on an axis that keeps its size it averages
    neighbours. A whitened embedding notices (cosine 0.92 on small pictures), so training follows the library that the
    product decodes with.
    """
    old = pixels.shape[axis]
    place = np.arange(size) * (old / size) - 0.5
    low = np.floor(place).astype(int)
    share = (place - low).reshape([-1 if a == axis else 1 for a in range(pixels.ndim)])
    first = np.take(pixels, np.clip(low, 0, old - 1), axis).astype(np.float32)
    second = np.take(pixels, np.clip(low + 1, 0, old - 1), axis).astype(np.float32)
    return np.floor(first + (second - first) * share + 0.5).astype(np.uint8)


def squash(picture: Image.Image, width: int, height: int) -> np.ndarray:
    """[height, width, 3] uint8; the aspect is not kept.

    Equals sharp's ``resize(width, height, {fit: "fill", kernel: "linear"})``: box and triangle filters where an
    axis shrinks (Pillow and libvips agree there within rounding); as soon as one axis grows, libvips' bilinear on both.
    """
    picture = picture.convert("RGB")
    # Rows first, as libvips goes: both round in between, and the other order doubles the difference.
    shrunk = _shrunk(_shrunk(picture, 1, height), 0, width)
    pixels = np.asarray(shrunk)
    if pixels.shape[1] < width or pixels.shape[0] < height:
        pixels = _enlarged(_enlarged(pixels, width, 1), height, 0)
    return pixels


def contain(picture: Image.Image, width: int, height: int) -> np.ndarray:
    """[height, width, 3] uint8; the aspect is kept and the rest is white, half of it on each side.

    Equals sharp's ``resize(width, height, {fit: "contain", kernel: "linear"})`` on white: both axes are scaled by one
    factor, and what that leaves of a pixel is rounded.
    """
    factor = max(picture.width / width, picture.height / height)
    inner = (max(1, round(picture.width / factor)), max(1, round(picture.height / factor)))
    pixels = squash(picture, *inner)
    out = np.full((height, width, 3), 255, np.uint8)
    top, left = (height - inner[1]) // 2, (width - inner[0]) // 2
    out[top : top + inner[1], left : left + inner[0]] = pixels
    return out


#: The resize rules of ``model.json`` that are trained with; ``open_picture`` has the side that it may decode at.
FITS = {"squash": squash, "contain": contain}


def open_for_model(file: Path | io.BytesIO, width: int, height: int, fit: str = "squash") -> Image.Image:
    """``open_picture`` with a JPEG decoded as small as the product decodes it for a model of that size."""
    header = Image.open(file)
    stored = header.size[::-1] if header.getexif().get(ORIENTATION, 1) >= 5 else header.size
    shrink = (min if fit == "squash" else max)(stored[0] / width, stored[1] / height)
    # `open_picture` compares the shorter side: with the length that it is shrunk to.
    return open_picture(file, at_least=max(1, math.ceil(min(stored) / shrink)))


def model_picture(file: Path | io.BytesIO, width: int, height: int, fit: str = "squash") -> np.ndarray:
    """[height, width, 3] uint8 of a file, as the product makes it for a model of that size."""
    return FITS[fit](open_for_model(file, width, height, fit), width, height)


def grey(pixels: np.ndarray) -> np.ndarray:
    """[h, w, 3] uint8 -> [h, w] uint8, as the product's preprocessor rounds it."""
    return np.asarray(Image.fromarray(pixels).convert("L"))
