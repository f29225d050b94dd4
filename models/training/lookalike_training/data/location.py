"""Where the research data lies: outside the repository, and never inside it."""

from __future__ import annotations

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[4]


def data_folder() -> Path:
    """``LOOKALIKE_DATA``, or ``shared/data`` beside the repository."""
    chosen = os.environ.get("LOOKALIKE_DATA")
    return Path(chosen) if chosen else REPOSITORY.parent / "shared" / "data"
