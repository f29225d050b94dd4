"""A run of training steps, kept in a folder so that a killed one goes on where it stopped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from lookalike_training.averaged_weights import AveragedWeights
from lookalike_training.checkpoint import load_checkpoint, save_checkpoint, seed_everything
from lookalike_training.loss_curve import draw_loss_curve
from lookalike_training.progress import Progress


class Plan(Protocol):
    """A dataclass: all of it goes into the checkpoint, and a run resumes only under the same plan."""

    @property
    def steps(self) -> int: ...
    @property
    def seed(self) -> int: ...


class Part(Protocol):
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any], /) -> Any: ...


def seed_step(plan: Plan, step: int) -> None:
    """Every step seeds itself: a resumed run draws what the killed one would have drawn."""
    seed_everything(plan.seed * 1_000_003 + step)


class TrainingRun:
    """Counts steps in ``done`` and keeps their (step, loss) in ``history``.

    Args:
        folder: receives ``checkpoint.pt`` and ``loss.png``; a checkpoint found there is restored into ``average`` and
            ``parts`` at once.
        parts: what else the next step depends on, by name: networks, optimiser, schedule.
        save_every: steps between two checkpoints; the last step makes one too.
        loss, title: of the curve.
        shown: steps over which the loss is averaged for the log.

    Raises ``ValueError`` where the checkpoint is of another plan.
    """

    def __init__(
        self,
        folder: Path,
        plan: Plan,
        average: AveragedWeights,
        parts: Mapping[str, Part],
        save_every: int,
        loss: str,
        title: str,
        shown: int = 50,
    ):
        self.folder, self.plan, self.average = folder, plan, average
        self.parts: dict[str, Part] = {**parts, "average": average.net}
        self.save_every, self.loss, self.title, self.shown = save_every, loss, title, shown
        self.history: list[tuple[int, float]] = []
        self.done = 0
        if self._file.exists():
            self._restore()
        self._progress = Progress(plan.steps, self.done)

    @property
    def _file(self) -> Path:
        return self.folder / "checkpoint.pt"

    def _restore(self) -> None:
        state = load_checkpoint(self._file)
        if state["plan"] != asdict(self.plan):
            raise ValueError(f"{self._file} belongs to another plan; choose another folder or delete it")
        for name, part in self.parts.items():
            part.load_state_dict(state[name])
        self.average.steps, self.history, self.done = state["average_steps"], state["history"], state["done"]

    def steps(self) -> Iterator[int]:
        """The steps left, each with its seed set. The caller takes each and then calls ``record``."""
        while self.done < self.plan.steps:
            seed_step(self.plan, self.done)
            yield self.done

    def record(self, loss: float) -> bool:
        """A step was taken, with this loss. True where it made a checkpoint."""
        self.done += 1
        self.history.append((self.done, loss))
        self._progress.show(self.done, f"loss {np.mean([v for _, v in self.history[-self.shown :]]):.4f}")
        if self.done % self.save_every and self.done != self.plan.steps:
            return False
        save_checkpoint(
            self._file,
            {
                "plan": asdict(self.plan),
                **{name: part.state_dict() for name, part in self.parts.items()},
                "average_steps": self.average.steps,
                "history": self.history,
                "done": self.done,
            },
        )
        draw_loss_curve(self.folder / "loss.png", {self.loss: self.history}, self.title)
        return True
