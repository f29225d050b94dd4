"""``model.json``: what the product has to know about a model (format 1)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import torch

from lookalike_training import __version__


@dataclass
class Manifest:
    name: str
    description: str
    width: int
    height: int
    color_order: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    dimension: int
    thresholds: list[dict]
    default_threshold: float
    training_data: list[dict]
    command: str
    seed: int
    kernel: str = "linear"
    fit: str = "squash"
    license: str = "Apache-2.0"
    #: ``near-duplicates`` where it tells copies of a picture from others: ``compare`` then decides as ``dedupe`` does.
    purpose: str | None = None
    #: Where several references of one subject are scored together, less how alike they are among each other.
    reference_thresholds: list[dict] = field(default_factory=list)
    extra_recipe: dict = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        """Describe ``folder/model.onnx`` in ``folder/model.json``."""
        onnx_file = folder / "model.onnx"
        content = onnx_file.read_bytes()
        described = {
            "formatVersion": 1,
            "name": self.name,
            "description": self.description,
            **({"purpose": self.purpose} if self.purpose else {}),
            "file": onnx_file.name,
            "sha256": hashlib.sha256(content).hexdigest(),
            "bytes": len(content),
            "input": {
                "name": "pixels",
                "width": self.width,
                "height": self.height,
                "colorOrder": self.color_order,
                "layout": "nchw",
                "mean": [round(v, 8) for v in self.mean],
                "std": [round(v, 8) for v in self.std],
                "resize": {"fit": self.fit, "kernel": self.kernel},
            },
            "output": {"name": "embedding", "dimension": self.dimension},
            "metric": "cosine",
            "thresholds": self.thresholds,
            "defaultThreshold": self.default_threshold,
            **({"referenceThresholds": self.reference_thresholds} if self.reference_thresholds else {}),
            "trainingData": self.training_data,
            "license": self.license,
            "recipe": {
                "command": self.command,
                "seed": self.seed,
                "version": __version__,
                "torch": torch.__version__.split("+")[0],
                **self.extra_recipe,
            },
        }
        file = folder / "model.json"
        file.write_text(json.dumps(described, indent=2) + "\n")
        return file


def read_manifest(folder: Path) -> dict:
    return json.loads((folder / "model.json").read_text())
