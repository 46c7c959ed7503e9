"""One experiment for all open pages: new points are read, changed runs judged, those in training followed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from grokscope.dashboard.state.connection import StoreConnection
from grokscope.dashboard.state.data import LiveStatus, Snapshot
from grokscope.dashboard.state.judging import Judge
from grokscope.dashboard.state.live_runs import LiveRuns
from grokscope.dashboard.state.reviewing import as_reviewed
from grokscope.dashboard.state.run_metrics import RunUnits, Units, as_shown
from grokscope.dashboard.state.shared_reading import PATIENCE_S, Clock, Names, SharedReading
from grokscope.dashboard.tables.runs.run_table import run_table
from grokscope.schemas import empty_points
from grokscope.schemas.runs.step_unit import runs_in_thousandths
from grokscope.schemas.tags import REVIEW_PREFIX
from grokscope.store import MetricNames, Role, Store, names_by_run, renamed_by_run, roles_by_run
from grokscope.transitions.live.history import is_read


class ExperimentFeed:
    """Snapshots of one experiment; safe to use from several threads.

    Only its own reading, one at a time, changes what it knows; no other experiment waits for that.

    Args:
        experiment: Its name.
        connection: To its store.
        clock: Seconds.
        patience_s: How long a page waits for a reading.
    """

    def __init__(
        self,
        experiment: str,
        connection: StoreConnection,
        *,
        clock: Clock,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._experiment = experiment
        self._connection = connection
        self._reading = SharedReading(experiment, self._read, clock=clock, patience_s=patience_s)
        self._judge = Judge()
        self._units = RunUnits()
        self._live = LiveRuns()
        self._overrides: Mapping[str, str] = {}
        self._made_from: _Found | None = None

    def look(self, names: Names = None, *, at_most_s: float = 0.0) -> Snapshot:
        """Return the experiment as it is, or as it last was, with the problem said.

        One that the store does not hold is a snapshot without an experiment.

        Args:
            names: Of all experiments, if they have just been read.
            at_most_s: How old what was read may be.
        """
        return self._reading.look(names, at_most_s=at_most_s)

    @property
    def name(self) -> str:
        """Of the experiment."""
        return self._experiment

    @property
    def good(self) -> Snapshot | None:
        """The last snapshot that was read; ``None`` before there was one."""
        return self._reading.good

    @property
    def took_s(self) -> float | None:
        """How long its last reading took; ``None`` before there was one."""
        return self._reading.took_s

    def expire(self) -> None:
        """Read anew at the next look."""
        self._reading.expire()

    def live(self, snapshot: Snapshot) -> LiveStatus:
        """Return where its runs in training stand."""
        return self._live.look(snapshot)

    def held(self, run_ids: Iterable[str]) -> list[str]:
        """Return those of the runs that were in it at the last reading."""
        good = self._reading.good
        return [] if good is None else sorted(set(run_ids).intersection(good.runs["run_id"]))

    def kept(self, run_ids: Sequence[str]) -> pl.DataFrame:
        """Return the runs' points as they were last read."""
        good = self._reading.good
        curves = empty_points() if good is None else good.curves
        return curves.filter(pl.col("run_id").is_in(list(run_ids)))

    def names(self, metrics: pl.DataFrame) -> MetricNames:
        """Return the metrics that are shown, of runs and metrics as logged."""
        return names_by_run(metrics, self._overrides)

    def units(self) -> Units:
        """Return the units of the last reading."""
        good = self._reading.good
        return {} if good is None else good.units

    def roles(self, metrics: pl.DataFrame) -> Sequence[Role]:
        """Return what each metric is taken for, of runs and metrics as logged."""
        return roles_by_run(metrics, self._overrides)

    def _read(self, now_ms: int, names: Names) -> Snapshot:
        store = self._connection.store()
        if names is None:
            names = store.experiments()["name"].to_list()
        if self._experiment not in names:
            return Snapshot(experiments=tuple(names), taken_ms=now_ms, notice=store.notice)
        found = self._found(store)
        known = self._reading.good
        before = self._made_from
        if known is not None and before is not None and not known.unjudged and found.is_same(before):
            self._made_from = replace(found, curves=before.curves)
            return replace(known, experiments=tuple(names), taken_ms=now_ms, notice=store.notice)
        judged, units = self._judge.judge(found.curves), self._units.of(found.curves)
        self._made_from = found
        return Snapshot(
            experiment=self._experiment,
            experiments=tuple(names),
            runs=run_table(found.runs, found.params, found.curves, now_ms=now_ms),
            params=found.params,
            tags=found.tags,
            curves=as_shown(found.curves, units),
            logged=found.curves if units else None,
            units=units,
            in_thousandths=runs_in_thousandths(found.tags),
            verdicts=as_reviewed(judged.verdicts, found.reviews()),
            pairs=judged.pairs,
            taken_ms=now_ms,
            notice=store.notice,
            unjudged=judged.waiting,
        )

    def _found(self, store: Store) -> "_Found":
        runs = store.runs(self._experiment)
        ids: list[str] = runs["run_id"].to_list()
        overrides = store.aliases(self._experiment)
        if overrides != self._overrides:
            self._overrides = overrides
            self._judge, self._units = Judge(), RunUnits()  # They were told under other names.
        known = self.names(store.metrics(ids))
        names = {run: {own: ours for own, ours in of.items() if _is_curve(ours)} for run, of in known.items()}
        read = sorted({own for of_run in names.values() for own in of_run})
        points, before = store.points(ids, read), self._made_from
        if before is not None and before.points is points and before.names == names:
            curves = before.curves  # a store gives the same frame as long as nothing is new
        elif all(known[run].get(name, name) == name for run in known for name in read):
            curves = points  # all go by the names that they were logged under
        else:
            curves = renamed_by_run(points, names)
        params, tags = store.params(ids), store.tags(ids)
        return _Found(runs=runs, params=params, tags=tags, curves=curves, points=points, names=names)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What a snapshot was made from."""

    runs: pl.DataFrame
    params: pl.DataFrame
    tags: pl.DataFrame
    curves: pl.DataFrame
    points: pl.DataFrame
    names: MetricNames

    def is_same(self, before: "_Found") -> bool:
        """Return whether nothing has changed; who trains can fall silent by not changing, so never then."""
        if (self.runs["status"] == "RUNNING").any():
            return False
        if self.curves is not before.curves and not self.curves.equals(before.curves):
            return False
        return all(getattr(self, name).equals(getattr(before, name)) for name in ("runs", "params", "tags"))

    def reviews(self) -> pl.DataFrame:
        """Return the tags in which people keep what they decided."""
        return self.tags.filter(pl.col("key").str.starts_with(REVIEW_PREFIX))


def _is_curve(name: str) -> bool:
    return name.startswith("progress/") or is_read(name)
