"""``python -m lookalike_training <command>``."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from lookalike_training import __version__
from lookalike_training.data.cache import cache_folder
from lookalike_training.data.location import REPOSITORY, data_folder
from lookalike_training.losses.by_name import LOSSES
from lookalike_training.picture_training import Plan
from lookalike_training.verification.commands import add_verification_commands


def _recorded(given: list[str]) -> str:
    """The line to repeat a run with; where its checkpoints lay is nobody's business."""
    kept, skip = [], False
    for word in given:
        if skip or word == "--work":
            skip = not skip
        else:
            kept.append(word)
    return "python -m lookalike_training " + shlex.join(kept)


def _export_baseline(args: argparse.Namespace) -> None:
    from lookalike_training.baseline import export_baseline

    export_baseline(data_folder(), args.out, args.dimension, args.side, args.shrinkage)


def _train(args: argparse.Namespace) -> None:
    from lookalike_training.picture_recipe import train_model

    plan = Plan(
        side=args.side,
        batch=args.batch,
        steps=args.steps,
        warmup=args.warmup,
        learning_rate=args.learning_rate,
        backbone_share=args.backbone_share,
        frozen_blocks=args.frozen_blocks,
        loss=args.loss,
        koleo=args.koleo,
        seed=args.seed,
    )
    train_model(
        data=args.data,
        labelled=args.labelled,
        out=args.out,
        work=args.work or cache_folder() / args.out.name,
        plan=plan,
        dimension=args.dimension,
        model_side=args.model_side,
        init=args.init,
        whiten=args.whiten,
        command=_recorded(args.given),
    )


def _characters(args: argparse.Namespace) -> None:
    from lookalike_training.character_recipe import train_character_model
    from lookalike_training.character_training import CharacterPlan

    train_character_model(
        data_folder() / "omniglot",
        args.out,
        args.work or cache_folder() / args.out.name,
        CharacterPlan(steps=args.steps, batch=args.batch, seed=args.seed),
        _recorded(args.given),
        official=args.official_runs,
    )


def _tracking(args: argparse.Namespace) -> None:
    from lookalike_training.tracking.neck_training import NeckPlan
    from lookalike_training.tracking.recipe import train_tracking_model
    from lookalike_training.tracking.training import TrackingPlan

    train_tracking_model(
        data_folder(),
        args.out,
        args.work or cache_folder() / args.out.name,
        NeckPlan(scenes=args.neck_scenes, steps=args.neck_steps, seed=args.seed),
        TrackingPlan(steps=args.steps, batch=args.batch, seed=args.seed),
        _recorded(args.given),
    )


def _strokes(args: argparse.Namespace) -> None:
    from lookalike_training.stroke_training import StrokePlan, train_stroke_model

    train_stroke_model(
        data_folder() / "omniglot",
        args.work or cache_folder() / "strokes",
        StrokePlan(steps=args.steps, seed=args.seed),
    )


def _compare_losses(args: argparse.Namespace) -> None:
    from lookalike_training.loss_comparison import compare_losses, compare_trained_losses

    if args.steps:
        compare_trained_losses(data_folder(), args.work or cache_folder() / "losses", args.steps, args.only)
    else:
        compare_losses(data_folder())


def _failures(args: argparse.Namespace) -> None:
    from lookalike_training.failure_sheet import draw_failures

    print("\n".join(draw_failures(args.model, args.pictures, args.model / "failures.png")))


def _reference(args: argparse.Namespace) -> None:
    from lookalike_training.reference import write_reference

    print(write_reference(args.model.resolve(), args.pictures.resolve()))


_PLAN_OPTIONS = (
    "side", "batch", "steps", "warmup", "learning_rate", "backbone_share", "frozen_blocks", "koleo", "seed"
)  # fmt: skip


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lookalike_training", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="command")

    baseline = commands.add_parser("export-baseline", help="pretrained backbone + GeM + PCA whitening, no training")
    baseline.add_argument("--out", type=Path, required=True, help="folder of the model")
    baseline.add_argument("--dimension", type=int, default=256)
    baseline.add_argument("--side", type=int, default=224, help="input width and height in pixels")
    baseline.add_argument("--shrinkage", type=float, default=0.5, help="0 = full whitening, 1 = none")
    baseline.set_defaults(run=_export_baseline)

    train = commands.add_parser("train", help="train a picture model: your own folder, or the research data")
    train.add_argument("--data", type=Path, help="folder of pictures, searched below; default: the research data")
    train.add_argument("--labelled", action="store_true", help="folders directly below --data are classes")
    train.add_argument("--out", type=Path, required=True, help="folder of the model to write")
    train.add_argument("--work", type=Path, help="checkpoints and loss curve; a run that finds its own resumes")
    train.add_argument("--init", type=Path, help="checkpoint.pt of another run to start from")
    train.add_argument("--whiten", action="store_true", help="re-fit the projection with copies, after training")
    train.add_argument("--dimension", type=int, default=256)
    train.add_argument("--model-side", type=int, default=160, help="input side of the written model, pixels")
    for name, value in Plan().__dict__.items():
        if name in _PLAN_OPTIONS:
            train.add_argument("--" + name.replace("_", "-"), type=type(value), default=value)
    train.add_argument("--loss", choices=sorted(LOSSES), default=Plan.loss)
    train.set_defaults(run=_train)

    characters = commands.add_parser("train-characters", help="one-shot characters from Omniglot's background drawings")
    characters.add_argument("--out", type=Path, required=True)
    characters.add_argument("--work", type=Path)
    characters.add_argument("--steps", type=int, default=3600)
    characters.add_argument("--batch", type=int, default=128)
    characters.add_argument("--seed", type=int, default=1)
    characters.add_argument(
        "--official-runs", action="store_true", help="measure the 20 official runs: once, at the end"
    )
    characters.set_defaults(run=_characters)

    tracking = commands.add_parser("train-tracking", help="the fully convolutional sibling that follows objects")
    tracking.add_argument("--out", type=Path, required=True, help="folder of the model to write")
    tracking.add_argument("--work", type=Path, help="checkpoints and loss curve; a run that finds its own resumes")
    tracking.add_argument(
        "--neck-scenes", type=int, default=512, help="made-up scenes that the neck is trained on first"
    )
    tracking.add_argument("--neck-steps", type=int, default=240)
    tracking.add_argument("--steps", type=int, default=600, help="of the whole network after that; 0 = the neck alone")
    tracking.add_argument("--batch", type=int, default=16)
    tracking.add_argument("--seed", type=int, default=1)
    tracking.set_defaults(run=_tracking)

    add_verification_commands(commands)

    strokes = commands.add_parser("train-strokes", help="the recurrent sibling on Omniglot's pen strokes")
    strokes.add_argument("--work", type=Path)
    strokes.add_argument("--steps", type=int, default=300)
    strokes.add_argument("--seed", type=int, default=1)
    strokes.set_defaults(run=_strokes)

    compare = commands.add_parser("compare-losses", help="losses and dimensions as short runs on frozen features")
    compare.add_argument("--steps", type=int, default=0, help="instead: train whole networks, so many steps each")
    compare.add_argument("--only", help="of those one: see CONTENDERS of loss_comparison.py")
    compare.add_argument("--work", type=Path, help="checkpoints and figures of whole networks; what is there is kept")
    compare.set_defaults(run=_compare_losses)

    reference = commands.add_parser("reference", help="write reference.json: embeddings of the project's free pictures")
    reference.add_argument("model", type=Path, help="folder of the model")
    reference.add_argument("--pictures", type=Path, default=REPOSITORY / "test" / "pictures")
    reference.set_defaults(run=_reference)

    failures = commands.add_parser("failures", help="write failures.png: the model's worst copies of the free pictures")
    failures.add_argument("model", type=Path, help="folder of the model")
    failures.add_argument("--pictures", type=Path, default=REPOSITORY / "test" / "pictures")
    failures.set_defaults(run=_failures)
    return parser


def main(arguments: list[str] | None = None) -> int:
    given = sys.argv[1:] if arguments is None else arguments
    args = _parser().parse_args(given)
    args.given = given
    args.recorded = _recorded(given)
    args.run(args)
    return 0
