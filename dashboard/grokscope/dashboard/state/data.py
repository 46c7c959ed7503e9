"""What a view is given: an experiment, or several, as they were at one moment, and what is selected."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol
from uuid import uuid4

import polars as pl

from grokscope.dashboard.state.feeds.store_state import StoreState
from grokscope.dashboard.state.run_metrics import Units
from grokscope.dashboard.state.selection import Selection
from grokscope.schemas import Verdict, empty_points
from grokscope.schemas.runs.ordering import natural
from grokscope.store import PAIR_SCHEMA, RUN_SCHEMA, ListedArtifacts, Role, StoredArrays
from grokscope.transitions import State

RUNS_SCHEMA = pl.Schema(
    {
        **RUN_SCHEMA,
        "label": pl.String(),
        "group": pl.String(),
        "lacks": pl.String(),
        "seed": pl.Int64(),
        "planned": pl.Int64(),
        "silent": pl.Boolean(),
    }
)
"""Runs as views show them.

``label``: the name, made unique; ``group``: what seeds share; ``lacks``: what the run has none of that tells
the others' groups apart, so that its group is no setting to compare, else null; ``planned``: the step at
which training will end, where params tell; ``silent``: still called running, and not heard of for too long.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedPair:
    """The curves that a run is judged by first.

    Attributes:
        test: The held-out curve.
        train: Its training curve.
    """

    test: str
    train: str


def _no_pairs() -> Mapping[str, JudgedPair]:
    return {}


def _no_units() -> Units:
    return {}


def _no_states() -> Mapping[str, State]:
    return {}


def _no_runs() -> pl.DataFrame:
    return RUNS_SCHEMA.to_frame()


def _no_settings() -> pl.DataFrame:
    return PAIR_SCHEMA.to_frame()


def _no_verdicts() -> Mapping[str, Verdict]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One experiment, or several, at one moment.

    Attributes:
        experiment: Its name, or the names of several; ``None`` while the store holds none.
        experiments: Names of all, the newest activity first.
        runs: ``RUNS_SCHEMA``, newest first.
        params: Of these runs, as ``PAIR_SCHEMA``.
        tags: Likewise.
        curves: Points of scores, losses and progress, by the names that verdicts have; what was logged in
            per cent as shares.
        logged: The same in the units that they were logged in; ``None`` where these do not differ.
        units: What was logged otherwise than as shares.
        in_thousandths: Runs whose steps are thousandths of those in their logs.
        verdicts: By run id, as people left them.
        pairs: By run id, the curves of its verdict's first outcome.
        taken_ms: When it was read.
        problem: Why it could not be read anew, as one sentence that may be shown; ``None`` if it could.
        missing: Whether the problem is only that there is no store yet.
        notice: What is slower or poorer than it could be, in one sentence.
        seen: All groups before some runs were left out, as they began: each keeps its look.
        left_out: How many of the experiment's runs are not asked for.
        unjudged: How many runs with curves have no verdict on their newest points yet.
        parts: The snapshots of several experiments that it was joined from, whole; none where it is of one.
        whole: What it was narrowed from, with all runs that there are; ``None`` where it is that itself.
        found: Differs where runs, curves or verdicts may, and not for when it was read: to cache by.
    """

    experiment: str | None = None
    experiments: Sequence[str] = ()
    runs: pl.DataFrame = field(default_factory=_no_runs)
    params: pl.DataFrame = field(default_factory=_no_settings)
    tags: pl.DataFrame = field(default_factory=_no_settings)
    curves: pl.DataFrame = field(default_factory=empty_points)
    logged: pl.DataFrame | None = None
    units: Units = field(default_factory=_no_units)
    in_thousandths: frozenset[str] = frozenset()
    verdicts: Mapping[str, Verdict] = field(default_factory=_no_verdicts)
    pairs: Mapping[str, JudgedPair] = field(default_factory=_no_pairs)
    taken_ms: int = 0
    problem: str | None = None
    missing: bool = False
    notice: str | None = None
    seen: Sequence[str] = ()
    left_out: int = 0
    unjudged: int = 0
    parts: Sequence["Snapshot"] = ()
    whole: "Snapshot | None" = field(default=None, repr=False)
    found: str = field(default_factory=lambda: uuid4().hex, compare=False, repr=False)

    def names(self) -> tuple[str, ...]:
        """Return the names of the experiments that it is of."""
        of = self.parts or (self,)
        return tuple(part.experiment for part in of if part.experiment is not None)

    def groups(self) -> list[str]:
        """Return the groups in the order of their names; those that are no setting go last."""
        settings = natural(self.runs.filter(pl.col("lacks").is_null())["group"].to_list())
        return [*settings, *(name for name in natural(self.runs["group"].to_list()) if name not in settings)]


CHANGES = pl.Schema(
    {
        "run_id": pl.String(),
        "run": pl.String(),
        "metric": pl.String(),
        "kind": pl.String(),
        "status": pl.String(),
        "step": pl.Int64(),
        "low": pl.Int64(),
        "high": pl.Int64(),
        "at": pl.Int64(),
        "why": pl.String(),
        "time_ms": pl.Int64(),
    }
)
"""What happened when: ``at`` and ``time_ms`` are those of the evaluation that showed it; ``why`` an event was
withdrawn, else ``""``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveStatus:
    """What live detectors and verdicts say together.

    Attributes:
        states: By run id, of the runs in training; a run whose log is still being read has none yet.
        changes: ``CHANGES``, newest first, of all runs.
        followed: How many runs have a live detector, or had one when they ended.
        discovered: Those of them that generalize, with false discoveries bounded over all of them.
    """

    states: Mapping[str, State] = field(default_factory=_no_states)
    changes: pl.DataFrame = field(default_factory=CHANGES.to_frame)
    followed: int = 0
    discovered: tuple[str, ...] = ()


TagChange = Callable[[Mapping[str, str]], Mapping[str, str | None]]
"""A run's tags -> those to set, or to remove (``None``)."""


class SnapshotSource(Protocol):
    """Where snapshots come from; ``session.StoreSession`` is the real one.

    What was read ``at_most_s`` ago is as good as new, unless this source has written something since.
    """

    def snapshot(self, experiment: str | None, *, at_most_s: float = 0.0) -> Snapshot:
        """Return the experiment as it is, or as it last was, with the problem said; raises no StoreError."""
        ...

    def together(self, experiments: Sequence[str], *, at_most_s: float = 0.0) -> Snapshot:
        """Return several experiments as one snapshot; of one, its own; of none, the newest."""
        ...

    def has_news(self, snapshot: Snapshot) -> bool:
        """Return, cheaply, whether the next snapshot is read anew: there is more, or nobody can tell."""
        ...

    def store_state(self, experiments: Sequence[str]) -> StoreState:
        """Return how the store is reached, and how long the last reading of experiments took."""
        ...

    def metrics(self, run_ids: Sequence[str]) -> dict[str, int]:
        """Return which metrics the runs have, by name, each with how many of the runs have it."""
        ...

    def points(self, run_ids: Sequence[str], metrics: Sequence[str] | None = None) -> pl.DataFrame:
        """Return points as they are shown; ``metrics=None`` for all."""
        ...

    def params(self, run_id: str) -> dict[str, str]:
        """Return a run's params."""
        ...

    def tags(self, run_id: str) -> dict[str, str]:
        """Return a run's tags."""
        ...

    def change_tags(self, run_id: str, change: TagChange) -> str | None:
        """Set tags of a run as ``change`` makes them of those it has; return why that cannot be, if so."""
        ...

    def arrays(self, run_id: str) -> StoredArrays:
        """Return a run's small arrays; what cannot be read is said in ``left_out``."""
        ...

    def artifacts(self, run_id: str) -> ListedArtifacts:
        """Return what lies among a run's artifacts; why that cannot be told is said in ``problem``."""
        ...

    def mlflow_link(self, experiment: str | None, run_id: str) -> str | None:
        """Return the address of a run's page in MLflow; ``None`` where the store is no server."""
        ...

    def roles(self, snapshot: Snapshot) -> Sequence[Role]:
        """Return what each metric of an experiment is taken for."""
        ...

    def set_role(self, experiment: str, name: str, canonical: str | None) -> str | None:
        """Say what a metric is (``None``: the guess again); return the problem if it cannot be kept."""
        ...

    def experiment_tags(self, experiment: str) -> dict[str, str]:
        """Return an experiment's tags; none where the store cannot be read."""
        ...

    def set_experiment_tags(self, experiment: str, changes: Mapping[str, str | None]) -> str | None:
        """Set tags of an experiment, ``None`` removes one; return why that cannot be, if so."""
        ...

    def archive(self, run_ids: Sequence[str]) -> str | None:
        """Put runs aside, so that they are listed nowhere; return why that cannot be, if so."""
        ...

    def restore(self, run_ids: Sequence[str]) -> str | None:
        """Bring archived runs back; return why that cannot be, if so."""
        ...

    def live(self, snapshot: Snapshot) -> LiveStatus:
        """Return where the snapshot's runs in training stand, by detectors fed with what is new in it."""
        ...


def _as_it_is(snapshot: Snapshot) -> Snapshot:
    return snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """What ``render`` is given.

    Attributes:
        source: Where to read.
        selection: Experiments and runs that are selected.
        open_view: Goes to the view of that name with these runs selected.
        narrow: Leaves of a snapshot what the selection asks for, grouped as it says.
        link: Draws a link to it, called as it says, in markdown; ``None`` where there is nothing to link to.
    """

    source: SnapshotSource
    selection: Selection
    open_view: Callable[[str, Sequence[str]], None]
    narrow: Callable[[Snapshot], Snapshot] = _as_it_is
    link: Callable[[str, Sequence[str], str], None] | None = None

    def whole(self, *, at_most_s: float = 0.0) -> Snapshot:
        """Return the selected experiments with all their runs, as they were at most so long ago."""
        return self.source.together(self.selection.experiments, at_most_s=at_most_s)

    def snapshot(self) -> Snapshot:
        """Return what of the selected experiments is looked at."""
        return self.narrow(self.whole())

    def live(self, snapshot: Snapshot) -> LiveStatus:
        """Return where those runs of ``snapshot`` stand that are in training.

        The detectors are fed with the whole experiment: what is looked at may change with every click.
        """
        status = self.source.live(self.whole())
        shown = set(snapshot.runs["run_id"])
        return replace(
            status,
            states={run: state for run, state in status.states.items() if run in shown},
            changes=status.changes.filter(pl.col("run_id").is_in(list(shown))),
        )
