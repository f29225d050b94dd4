"""The commands of faces and signatures."""

from __future__ import annotations

import argparse
from pathlib import Path

from lookalike_training.data.cache import cache_folder
from lookalike_training.data.location import REPOSITORY, data_folder

FACES, SIGNATURES = Path("faces") / "orl_faces", Path("signatures")


def _train_faces(args: argparse.Namespace) -> None:
    from lookalike_training.faces.recipe import FacePlan, train_face_model
    from lookalike_training.verification.projection import ProjectionPlan

    plan = FacePlan(views=args.views, projection=ProjectionPlan(steps=args.steps, seed=args.seed))
    args.out.mkdir(parents=True, exist_ok=True)
    train_face_model(data_folder() / FACES, args.out, plan, args.recorded)


def _train_signatures(args: argparse.Namespace) -> None:
    from lookalike_training.signatures.recipe import train_signature_model
    from lookalike_training.verification.training import VerifierPlan

    plan = VerifierPlan(
        steps=args.steps,
        loss=args.loss,
        learning_rate=args.learning_rate,
        backbone_share=0.5,
        frozen_blocks=2,
        average=0.98,
        seed=args.seed,
    )
    work = args.work or cache_folder() / args.out.name
    train_signature_model(data_folder() / SIGNATURES, args.out, work, plan, args.dimension, args.recorded)


def _measure_faces(args: argparse.Namespace) -> None:
    from lookalike_training.faces.figures import measure_faces

    print(measure_faces(data_folder() / FACES, args.model))


def _measure_signatures(args: argparse.Namespace) -> None:
    from lookalike_training.signatures.figures import measure_signatures

    print(measure_signatures(data_folder() / SIGNATURES, args.model))


def add_verification_commands(commands) -> None:
    """``commands``: the sub-parsers of the command line."""
    faces = commands.add_parser("train-faces", help="face verification from the training people of the ORL faces")
    faces.add_argument("--out", type=Path, required=True, help="folder of the model to write")
    faces.add_argument("--views", type=int, default=9, help="plain, mirrored and varied views of every picture")
    faces.add_argument("--steps", type=int, default=200)
    faces.add_argument("--seed", type=int, default=1)
    faces.set_defaults(run=_train_faces)

    signatures = commands.add_parser("train-signatures", help="signature verification from the training writers")
    signatures.add_argument("--out", type=Path, required=True, help="folder of the model to write")
    signatures.add_argument("--work", type=Path, help="checkpoints and loss curve; a run that finds its own resumes")
    signatures.add_argument("--steps", type=int, default=400)
    signatures.add_argument("--loss", default="contrastive")
    signatures.add_argument("--learning-rate", type=float, default=1.5e-3)
    signatures.add_argument("--dimension", type=int, default=128)
    signatures.add_argument("--seed", type=int, default=1)
    signatures.set_defaults(run=_train_signatures)

    for name, run in (("faces", _measure_faces), ("signatures", _measure_signatures)):
        measure = commands.add_parser(
            f"measure-{name}", help=f"the {name} model and what it has to beat on the test, in one run"
        )
        measure.add_argument("model", type=Path, nargs="?", default=REPOSITORY / "models" / name)
        measure.set_defaults(run=run)
