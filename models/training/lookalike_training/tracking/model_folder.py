"""From a trained tracking sibling to a model folder: two graphs with the same weights, and what a tracker must know."""

from __future__ import annotations

import hashlib
import json
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch

from lookalike_training.calibration import thresholds
from lookalike_training.data.cache import CachedPictures
from lookalike_training.export import OPSET, export_onnx, folded_constants, merge_pads, open_session
from lookalike_training.manifest import Manifest
from lookalike_training.siblings.efficientnet_lite import MEAN, STD
from lookalike_training.tracking.fully_convolutional import (
    EXEMPLAR_SIDE,
    REGION_SIDE,
    STRIDE,
    TEMPLATE_CELLS,
    SearchBranch,
    TrackingEncoder,
)
from lookalike_training.tracking.scenes import draw_scenes
from lookalike_training.tracking.training import responses

#: How the tracker moves its box: chosen with test/bench/tracking/tune.ts on made-up films.
PARAMETERS = {
    "scaleStep": 1.06,
    "scalePenalty": 0.01,
    "scaleDamping": 0.85,
    "windowPenalty": 0.2,
    "updateEvery": 5,
    "updateShare": 0.2,
    "firstShare": 0.35,
    "updateSimilarity": 0.6,
    "lostSimilarity": 0.25,
}


def export_search_branch(net: TrackingEncoder, file: Path, atol: float = 1e-4) -> None:
    """Write ``file`` and prove that it agrees with PyTorch, for another number of templates and another region too."""
    branch = SearchBranch(net).eval()

    def example(side: int, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        templates = torch.nn.functional.normalize(torch.randn(count, net.dimension), dim=1)
        return torch.randn(1, 3, side, side), templates

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            branch,
            example(REGION_SIDE, 3),
            str(file),
            input_names=["pixels", "templates"],
            output_names=["similarity"],
            dynamic_axes={"pixels": {2: "height", 3: "width"}},
            opset_version=OPSET,
            dynamo=False,
        )
    model = merge_pads(folded_constants(file))
    # The exporter wants to know a kernel's shape; ONNX does not.
    model.graph.input[1].type.tensor_type.shape.dim[0].dim_param = "k"
    del model.graph.value_info[:]
    response = model.graph.output[0].type.tensor_type.shape
    for axis, name in enumerate(("n", "k", "rows", "columns")):
        if axis:
            response.dim[axis].dim_param = name
    model.producer_name = "lookalike-training"
    onnx.save(model, str(file))
    session = open_session(file)
    for side, count in ((REGION_SIDE, 3), (REGION_SIDE * 3 // 2, 1)):
        pixels, templates = example(side, count)
        with torch.no_grad():
            ours = branch(pixels, templates).numpy()
        theirs = session.run(None, {"pixels": pixels.numpy(), "templates": templates.numpy()})[0]
        worst = float(np.abs(ours - theirs).max())
        if ours.shape != theirs.shape or worst > atol:
            raise RuntimeError(f"{file}: ONNX and PyTorch differ by {worst:.2e}, shapes {ours.shape}, {theirs.shape}")


@torch.no_grad()
def response_thresholds(net: TrackingEncoder, pictures: CachedPictures, scenes: int = 256, seed: int = 7) -> list[dict]:
    """Positives: the best response of a target in its region. Negatives: its best response in regions without it."""
    torch.manual_seed(seed)
    net.eval()
    present, absent = [], []
    for start in range(0, scenes, 16):
        pairs = draw_scenes(pictures, torch.arange(start, start + 16) % len(pictures))
        own, foreign = responses(net, pairs)
        present.append(own.flatten(1).amax(1))
        absent.append(foreign.flatten(2).amax(2).flatten())
    regions = f"{scenes * 4} regions without the target; recall over {scenes} with it"
    described = f"best response of {regions} (made-up scenes)"
    negatives, positives = (torch.cat(part).clamp(0, 1).numpy() for part in (absent, present))
    return thresholds(negatives, positives, described, rates=(1e-1, 1e-2))


def write_model_folder(
    net: TrackingEncoder,
    calibration: CachedPictures,
    out: Path,
    training_data: list[dict],
    command: str,
    seed: int,
    recipe: dict,
) -> list[dict]:
    """Write ``model.onnx`` (exemplar branch), ``search.onnx`` and ``model.json``; returns the thresholds."""
    out.mkdir(parents=True, exist_ok=True)
    net = net.to(memory_format=torch.contiguous_format).eval()
    export_onnx(net, torch.randn(2, 3, EXEMPLAR_SIDE, EXEMPLAR_SIDE), out / "model.onnx")
    search = out / "search.onnx"
    export_search_branch(net, search)
    found = response_thresholds(net.to(memory_format=torch.channels_last), calibration)
    manifest = Manifest(
        name=out.name,
        description="Follows an object through frames: a fully convolutional Siamese network (SiamFC) at stride 8. "
        "The exemplar branch is an ordinary encoder; `lookalike track` runs both.",
        width=EXEMPLAR_SIDE,
        height=EXEMPLAR_SIDE,
        color_order="rgb",
        mean=MEAN,
        std=STD,
        dimension=net.dimension,
        thresholds=found,
        default_threshold=found[-1]["similarity"],
        training_data=training_data,
        command=command,
        seed=seed,
        extra_recipe=recipe,
    )
    file = manifest.write(out)
    described = json.loads(file.read_text())
    content = search.read_bytes()
    described["tracking"] = {
        "search": {
            "file": search.name,
            "sha256": hashlib.sha256(content).hexdigest(),
            "bytes": len(content),
            "pixels": "pixels",
            "templates": "templates",
            "similarity": "similarity",
        },
        "stride": STRIDE,
        "templateCells": TEMPLATE_CELLS,
        "regionSide": REGION_SIDE,
        "parameters": PARAMETERS,
    }
    file.write_text(json.dumps(described, indent=2) + "\n")
    return found
