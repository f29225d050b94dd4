"""``train-tracking``: from the training pictures to the folder of the tracking model."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from lookalike_training.baseline import IMAGENET_WEIGHTS, RESEARCH_DATA
from lookalike_training.checkpoint import load_checkpoint, save_checkpoint
from lookalike_training.data.cache import cached_pictures
from lookalike_training.data.splits import research_split
from lookalike_training.loss_curve import draw_loss_curve
from lookalike_training.tracking.fully_convolutional import REGION_SIDE
from lookalike_training.tracking.model_folder import write_model_folder
from lookalike_training.tracking.neck_training import NeckPlan, train_neck
from lookalike_training.tracking.training import TrackingPlan, measure_pairs, train_tracking, untrained


def train_tracking_model(
    data: Path, out: Path, work: Path, neck_plan: NeckPlan, plan: TrackingPlan, command: str
) -> None:
    """Checkpoints go to ``work``, the model and ``loss.png`` to ``out``. ``plan.steps`` 0 trains the neck alone."""
    split = research_split(data)
    pictures = cached_pictures(split.fit, REGION_SIDE)
    validation = cached_pictures(split.validation, REGION_SIDE)
    net = untrained(pictures, plan.seed)
    print(f"untrained: {measure_pairs(net, validation)}", flush=True)
    neck_file = work / "neck.pt"
    if neck_file.exists():
        kept = load_checkpoint(neck_file)
        if kept["plan"] != asdict(neck_plan):
            raise ValueError(f"{neck_file} belongs to another plan; choose another folder or delete it")
        net.load_state_dict(kept["net"])
        history = kept["history"]
    else:
        history = train_neck(net, pictures, neck_plan)
        save_checkpoint(neck_file, {"plan": asdict(neck_plan), "net": net.state_dict(), "history": history})
    print(f"neck alone: {measure_pairs(net, validation)}", flush=True)
    out.mkdir(parents=True, exist_ok=True)
    if plan.steps > 0:
        net, history = train_tracking(net, pictures, plan, work)
        print(f"trained: {measure_pairs(net, validation)}", flush=True)
    draw_loss_curve(out / "loss.png", {"cross-entropy": history}, "tracking")
    recipe = {"neck": asdict(neck_plan), "plan": asdict(plan)}
    thresholds = write_model_folder(
        net, validation, out, [IMAGENET_WEIGHTS, *RESEARCH_DATA], command, plan.seed, recipe
    )
    print(f"thresholds: {thresholds}\nwrote {out / 'model.onnx'}, {out / 'search.onnx'} and {out / 'model.json'}")
