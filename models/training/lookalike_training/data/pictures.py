"""Reading a picture exactly as the product does.

The rules (the encoder's contract with the TypeScript side): EXIF orientation applied, first frame of an animation,
transparency flattened on white, converted to sRGB, then squashed to the model's size whatever the aspect.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps

EXTENSIONS = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff", ".bmp", ".pgm", ".avif"})
#: Names of reducing kernels as ``model.json`` and sharp spell them, and the Pillow filter that agrees with each.
KERNELS = {
    "linear": Image.Resampling.BILINEAR,
    "cubic": Image.Resampling.BICUBIC,
    "lanczos3": Image.Resampling.LANCZOS,
}
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


def open_picture(file: Path | io.BytesIO, at_least: int | None = None) -> Image.Image:
    """An upright sRGB picture. ``at_least`` lets JPEG decode at a half, quarter or eighth, never below that many
    pixels a side: much cheaper, and what libvips' shrink-on-load does."""
    picture = Image.open(file)
    picture.seek(0) if getattr(picture, "is_animated", False) else None
    if at_least is not None:
        picture.draft(None, (at_least, at_least))
    picture = ImageOps.exif_transpose(picture)
    if picture.mode in ("I;16", "I;16B", "I;16L", "I"):
        picture = Image.fromarray((np.asarray(picture).astype(np.float32) / 257).round().clip(0, 255).astype(np.uint8))
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        ground = Image.new("RGBA", picture.size, (255, 255, 255, 255))
        picture = Image.alpha_composite(ground, picture).convert("RGB")
    return _to_srgb(picture)


def squash(picture: Image.Image, width: int, height: int, kernel: str = "linear") -> np.ndarray:
    """[height, width, 3] uint8; the aspect is not kept."""
    return np.asarray(picture.convert("RGB").resize((width, height), KERNELS[kernel]))
