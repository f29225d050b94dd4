"""The commands of faces and signatures."""

from __future__ import annotations

import argparse
from pathlib import Path

from lookalike_training.data.location import REPOSITORY, data_folder

FACES, SIGNATURES = Path("faces") / "orl_faces", Path("signatures")


def _train_faces(args: argparse.Namespace) -> None:
    from lookalike_training.faces.framing import FramingPlan
    from lookalike_training.faces.recipe import train_face_model

    plan = FramingPlan(views=args.views, steps=args.steps, seed=args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    train_face_model(data_folder() / FACES, args.out, plan, args.recorded)


def _train_signatures(args: argparse.Namespace) -> None:
    from lookalike_training.signatures.metric import MetricPlan
    from lookalike_training.signatures.recipe import train_signature_model

    given = {name: vars(args)[name] for name in ("dimension", "components", "steps", "seed") if name in args}
    plan = MetricPlan(**given)
    train_signature_model(data_folder() / SIGNATURES, args.out, plan, args.recorded)


def _measure_faces(args: argparse.Namespace) -> None:
    from lookalike_training.faces.figures import measure_faces

    print(measure_faces(data_folder() / FACES, args.model))


def _measure_signatures(args: argparse.Namespace) -> None:
    from lookalike_training.signatures.figures import measure_signatures

    print(measure_signatures(data_folder() / SIGNATURES, args.model))


def _measure_tone(args: argparse.Namespace) -> None:
    from lookalike_training.signatures.tone import measure_tone

    print(measure_tone(data_folder() / SIGNATURES, args.model))


def add_verification_commands(commands) -> None:
    """``commands``: the sub-parsers of the command line."""
    faces = commands.add_parser(
        "train-faces", help="framing and thresholds of the face model, from the training people of the ORL faces"
    )
    faces.add_argument("--out", type=Path, required=True, help="folder of the model to write")
    faces.add_argument("--views", type=int, default=5000, help="varied faces that framing is trained on")
    faces.add_argument("--steps", type=int, default=600)
    faces.add_argument("--seed", type=int, default=1)
    faces.set_defaults(run=_train_faces)

    signatures = commands.add_parser("train-signatures", help="signature verification from the training writers")
    signatures.add_argument("--out", type=Path, required=True, help="folder of the model to write")
    # What is not given is as in the plan of the metric.
    signatures.add_argument("--dimension", type=int, default=argparse.SUPPRESS)
    signatures.add_argument(
        "--components", type=int, default=argparse.SUPPRESS, help="principal components that whitening sees"
    )
    signatures.add_argument("--steps", type=int, default=argparse.SUPPRESS, help="of the refinement on pairs")
    signatures.add_argument("--seed", type=int, default=argparse.SUPPRESS)
    signatures.set_defaults(run=_train_signatures)

    for name, run in (("faces", _measure_faces), ("signatures", _measure_signatures)):
        measure = commands.add_parser(
            f"measure-{name}", help=f"the {name} model and what it has to beat on the test, in one run"
        )
        measure.add_argument("model", type=Path, nargs="?", default=REPOSITORY / "models" / name)
        measure.set_defaults(run=run)

    tone = commands.add_parser("signature-tone", help="is the darkness of the ink the hand's, or the collection's?")
    tone.add_argument("model", type=Path, nargs="?", default=REPOSITORY / "models" / "signatures")
    tone.set_defaults(run=_measure_tone)
