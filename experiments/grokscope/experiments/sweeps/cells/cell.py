"""Cells: what a sweep trains, each one run with its settings and its seed."""

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from grokscope.experiments.training.run import StopRule
from grokscope.schemas import Kind
from grokscope.schemas.runs.description import Value

_RUNS = uuid.UUID("6f1d2a4e-8c0b-5d37-9e52-3b7a1c64f080")


def _no_settings() -> Mapping[str, Value]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One run of a sweep: plain data, so that any machine can be told it.

    Attributes:
        experiment: Name of the MLflow experiment that it is logged in.
        group: What runs share that differ only in their seed.
        seed: Of all that is random.
        settings: What is trained with; of one of our experiments, fields of its recipe.
        train: Name of one of our experiments, or ``file.py:function`` or ``package.module:function``.
        command: Instead of ``train``, the words of a command, with what fills their placeholders filled in.
        stop: When the run need not go on; only of our experiments.
        steps: How many steps it takes, for a progress bar; 0 where nobody knows.

    >>> cell = Cell(experiment="e", group="lr=0.1", seed=0, settings={"lr": 0.1}, train="modular-arithmetic")
    >>> cell.run_id(1) == cell.run_id(1) != cell.run_id(2)
    True
    """

    experiment: str
    group: str
    seed: int
    settings: Mapping[str, Value] = field(default_factory=_no_settings)
    train: str = ""
    command: tuple[str, ...] = ()
    stop: StopRule | None = None
    steps: int = 0

    @property
    def identity(self) -> str:
        """What tells this run from every other: 64 hex digits of all that makes it what it is.

        How it is called and shown is no part of that, nor the code that is trained.
        """
        told = self.to_json()
        for name in ("group", "steps"):
            del told[name]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    def run_id(self, attempt: int) -> str:
        """Return the id of the run that an attempt is logged as, the same wherever it is asked for."""
        return run_id_of(self.identity, attempt)

    def to_json(self) -> dict[str, Any]:
        """Return the cell as what JSON knows."""
        return {**asdict(self), "settings": dict(self.settings), "command": list(self.command)}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "Cell":
        """Return the cell that ``to_json`` told.

        >>> cell = Cell(experiment="e", group="g", seed=0, stop=StopRule(after=Kind.GENERALIZATION))
        >>> Cell.from_json(json.loads(json.dumps(cell.to_json()))) == cell
        True
        """
        plain = dict(told)
        if (stop := plain["stop"]) is not None:
            plain["stop"] = StopRule(after=Kind(stop["after"]), factor=stop["factor"])
        plain["command"] = tuple(plain["command"])
        return cls(**plain)


def run_id_of(identity: str, attempt: int) -> str:
    """Return the id of the run that an attempt at the cell of an identity is logged as."""
    return uuid.uuid5(_RUNS, f"{identity}.{attempt}").hex
