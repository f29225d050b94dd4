"""``python -m lookalike_training <command>``."""

from __future__ import annotations

import argparse
from pathlib import Path

from lookalike_training import __version__
from lookalike_training.data.location import REPOSITORY, data_folder


def _export_baseline(args: argparse.Namespace) -> None:
    from lookalike_training.baseline import export_baseline

    export_baseline(data_folder(), args.out, args.dimension, args.side, args.shrinkage)


def _reference(args: argparse.Namespace) -> None:
    from lookalike_training.reference import write_reference

    print(write_reference(args.model.resolve(), args.pictures.resolve()))


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

    reference = commands.add_parser("reference", help="write reference.json: embeddings of the project's free pictures")
    reference.add_argument("model", type=Path, help="folder of the model")
    reference.add_argument("--pictures", type=Path, default=REPOSITORY / "test" / "pictures")
    reference.set_defaults(run=_reference)
    return parser


def main(arguments: list[str] | None = None) -> int:
    args = _parser().parse_args(arguments)
    args.run(args)
    return 0
