"""What a view is given: one experiment as it was at one moment, and what is selected in it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import polars as pl

from grokscope.dashboard.selection import Selection
from grokscope.schemas import Verdict, empty_points
from grokscope.store import RUN_SCHEMA

RUNS_SCHEMA = pl.Schema(
    {
        **RUN_SCHEMA,
        "label": pl.String(),
        "group": pl.String(),
        "seed": pl.Int64(),
        "planned": pl.Int64(),
        "silent": pl.Boolean(),
    }
)
"""Runs as views show them.

``label``: the name, made unique; ``group``: what seeds share; ``planned``: the step at which training will
end, where params tell; ``silent``: still called running, and not heard of for too long.
"""


def _no_runs() -> pl.DataFrame:
    return RUNS_SCHEMA.to_frame()


def _no_verdicts() -> Mapping[str, Verdict]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One experiment at one moment.

    Attributes:
        experiment: Its name; ``None`` while the store holds none.
        experiments: Names of all, the newest activity first.
        runs: ``RUNS_SCHEMA``, newest first.
        curves: Points of losses, accuracies and progress, under canonical names.
        verdicts: By run id.
        taken_ms: When it was read.
        problem: Why it could not be read anew, as one sentence that may be shown; ``None`` if it could.
        missing: Whether the problem is only that there is no store yet.
        notice: What is slower or poorer than it could be, in one sentence.
    """

    experiment: str | None = None
    experiments: Sequence[str] = ()
    runs: pl.DataFrame = field(default_factory=_no_runs)
    curves: pl.DataFrame = field(default_factory=empty_points)
    verdicts: Mapping[str, Verdict] = field(default_factory=_no_verdicts)
    taken_ms: int = 0
    problem: str | None = None
    missing: bool = False
    notice: str | None = None

    def groups(self) -> list[str]:
        """Return the groups in the order in which they were started, so that colours stay as runs arrive."""
        return (
            self.runs.sort("start_ms", "run_id", nulls_last=True)["group"]
            .unique(maintain_order=True)
            .to_list()
        )


class Source(Protocol):
    """Where snapshots come from; ``loading.Reader`` is the real one."""

    def snapshot(self, experiment: str | None) -> Snapshot:
        """Return the experiment as it is, or as it last was, with the problem said; raises no StoreError."""
        ...

    def metrics(self, run_ids: Sequence[str]) -> list[str]:
        """Return which metrics the runs have, under canonical names."""
        ...

    def points(self, run_ids: Sequence[str], metrics: Sequence[str] | None = None) -> pl.DataFrame:
        """Return points under canonical names; ``metrics=None`` for all."""
        ...

    def params(self, run_id: str) -> dict[str, str]:
        """Return a run's params."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """What ``render`` is given.

    Attributes:
        source: Where to read.
        selection: Experiment and runs that are selected.
        open_view: Goes to the view of that name with these runs selected.
    """

    source: Source
    selection: Selection
    open_view: Callable[[str, Sequence[str]], None]

    def snapshot(self) -> Snapshot:
        """Return the selected experiment."""
        return self.source.snapshot(self.selection.experiment)
