"""Weights made by others are read only where they are, byte for byte, what a recipe was written for."""

from __future__ import annotations

import hashlib
from pathlib import Path


def check_file(file: Path, sha256: str) -> None:
    """Raises ``ValueError`` where ``file`` has another SHA-256."""
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    if digest != sha256:
        raise ValueError(f"{file}: SHA-256 is {digest}, expected {sha256}")
