"""From a store to snapshots: read what is new, judge what has changed, keep the last good state."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Lock

import polars as pl

from grokscope.dashboard.state.data import Snapshot, Watch
from grokscope.dashboard.state.feed import FIRST_S, PATIENCE_S, Clock, Feed, Names
from grokscope.dashboard.state.judging import Judge
from grokscope.dashboard.state.watching import Watcher
from grokscope.dashboard.tables.run_table import described
from grokscope.schemas import GrokscopeError, canonical, empty_points
from grokscope.schemas.secrets import redacted
from grokscope.store import (
    IGNORED,
    BusyStoreError,
    Role,
    Store,
    StoreError,
    open_store,
    resolved_names,
    roles_of,
)
from grokscope.transitions.verdict.continuous import LEADING

REOPEN_S = 30.0
"""A store that could only be opened the slower way is tried anew this often: it may have been upgraded."""

_KEPT = 32
_NO_OVERRIDES: Mapping[str, str] = {}
_QUANTITIES = ("loss", "accuracy", *LEADING)


class Reader:
    """Reads one store for all open pages; safe to use from several threads.

    The store is opened at the first reading, and tried again as long as it is not there: a dashboard can be
    started before its server.
    """

    def __init__(
        self,
        uri: str,
        *,
        clock: Clock = time.time,
        opener: Callable[[str], Store] = open_store,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._uri = uri
        self._clock = clock
        self._opener = opener
        self._patience_s = patience_s
        self._lock = Lock()  # for what is looked up below, never while the store is asked
        self._experiments: dict[str | None, _Experiment] = {}
        self._experiment_of: dict[str, str] = {}
        self._opening = Lock()
        self._store: Store | None = None
        self._reopen_at = 0.0

    def snapshot(self, experiment: str | None) -> Snapshot:
        """Return the experiment as it is, or as it last was, with the problem said."""
        return self._of(experiment).feed.look()

    def metrics(self, run_ids: Sequence[str]) -> list[str]:
        """Return which metrics the runs have, under canonical names; without the store, those kept."""
        try:
            return sorted(self._names(run_ids).values())
        except StoreError:
            return sorted(self._kept(run_ids)["metric"].unique())

    def points(self, run_ids: Sequence[str], metrics: Sequence[str] | None = None) -> pl.DataFrame:
        """Return points under canonical names; without the store, those kept from its last reading."""
        try:
            names = self._names(run_ids)
            wanted = [own for own, ours in names.items() if metrics is None or ours in metrics]
            return _renamed(self._opened().points(run_ids, wanted), names)
        except StoreError:
            kept = self._kept(run_ids)
            return kept if metrics is None else kept.filter(pl.col("metric").is_in(list(metrics)))

    def params(self, run_id: str) -> dict[str, str]:
        """Return a run's params; none where the store cannot be read."""
        try:
            return dict(self._opened().params([run_id]).select("key", "value").iter_rows())
        except StoreError:
            return {}

    def tags(self, run_id: str) -> dict[str, str]:
        """Return a run's tags; none where the store cannot be read."""
        try:
            return dict(self._opened().tags([run_id]).select("key", "value").iter_rows())
        except StoreError:
            return {}

    def roles(self, snapshot: Snapshot) -> tuple[Role, ...]:
        """Return what each metric of an experiment is taken for; none where the store cannot be read."""
        try:
            names = self._opened().metrics(snapshot.runs["run_id"].to_list())["metric"].unique().to_list()
        except StoreError:
            return ()
        return roles_of(names, self._overrides(snapshot.experiment))

    def set_role(self, experiment: str, name: str, canonical: str | None) -> str | None:
        """Say what a metric is (``None``: the guess again); return the problem if it cannot be kept."""
        try:
            if canonical is None:
                self._opened().clear_alias(experiment, name=name)
            else:
                self._opened().set_alias(experiment, name=name, canonical=canonical)
        except GrokscopeError as error:
            return str(error)
        for known in self._known():
            known.feed.expire()
        return None

    def watch(self, snapshot: Snapshot) -> Watch:
        """Return where runs in training stand; their detectors are shared by all open pages."""
        known = self._of(snapshot.experiment)
        with known.watching:
            return known.watcher.look(snapshot)

    def _of(self, experiment: str | None) -> "_Experiment":
        """Return what is kept of an experiment; of more than a few dozen, those asked for last."""
        with self._lock:
            known = self._experiments.pop(experiment, None)
            if known is None:
                read = partial(self._read, experiment)
                known = _Experiment(
                    feed=Feed(experiment, read, clock=self._clock, patience_s=self._patience_s)
                )
            self._experiments[experiment] = known
            while len(self._experiments) > _KEPT:
                del self._experiments[next(iter(self._experiments))]
            return known

    def _known(self) -> "list[_Experiment]":
        with self._lock:
            return list(self._experiments.values())

    def _kept(self, run_ids: Sequence[str]) -> pl.DataFrame:
        curves = [known.feed.good.curves for known in self._known() if known.feed.good is not None]
        mine = pl.concat([empty_points(), *curves]).filter(pl.col("run_id").is_in(list(run_ids)))
        # One experiment is kept under its name and, as the newest, under none.
        return mine.unique(maintain_order=True)

    def _opened(self) -> Store:
        """Return the store; one that can be read goes on being read while another thread opens it anew."""
        store, now = self._store, self._clock()
        if store is not None and not (store.notice and now >= self._reopen_at):
            return store
        if not self._opening.acquire(timeout=0.0 if store is not None else FIRST_S):
            if store is not None:
                return store
            raise BusyStoreError(f"{redacted(self._uri)} is just being opened. It is tried again by itself.")
        try:
            if self._store is not None and self._store is not store:
                return self._store
            self._reopen_at = now + REOPEN_S
            anew = self._opener(self._uri)
            if store is not None and anew.notice is not None:
                anew.close()
                return store
            # Another thread may be reading the one that is replaced: it is let go, and not closed under it.
            self._store = anew
            return anew
        finally:
            self._opening.release()

    def _overrides(self, experiment: str | None) -> Mapping[str, str]:
        with self._lock:
            known = self._experiments.get(experiment)
        return _NO_OVERRIDES if known is None else known.overrides

    def _names(self, run_ids: Sequence[str]) -> dict[str, str]:
        """Return the runs' metrics as logged -> as we call them, by rule and by what people say."""
        names = self._opened().metrics(run_ids)["metric"].unique().to_list()
        experiments = {self._experiment_of.get(run, "") for run in run_ids}
        overrides = self._overrides(experiments.pop() if experiments else None)
        named = resolved_names(names, overrides)
        return {own: ours for own, ours in named.items() if overrides.get(own) != IGNORED}

    def _read(self, experiment: str | None, now_ms: int, names: Names) -> Snapshot:
        store = self._opened()
        if names is None:
            names = store.experiments()["name"].to_list()
        if experiment is not None and experiment in names:
            return self._read_named(experiment, store, names, now_ms)
        if not names:
            return Snapshot(taken_ms=now_ms, notice=store.notice)
        newest = self._of(names[0]).feed.look(names)  # it may be on other pages under its name
        return newest if newest.experiments else replace(newest, experiments=tuple(names))

    def _read_named(self, experiment: str, store: Store, names: Sequence[str], now_ms: int) -> Snapshot:
        kept = self._of(experiment)
        runs = store.runs(experiment)
        ids: list[str] = runs["run_id"].to_list()
        kept.learn(store.aliases(experiment))
        self._experiment_of.update(dict.fromkeys(ids, experiment))
        reading = _Reading(runs=runs, params=store.params(ids), curves=self._curves(ids))
        known = kept.feed.good
        if known is not None and not known.unjudged and reading.is_same(kept.made_from):
            return replace(known, experiments=tuple(names), taken_ms=now_ms, notice=store.notice)
        judged = kept.judge.judge(reading.curves)
        kept.made_from = reading
        return Snapshot(
            experiment=experiment,
            experiments=tuple(names),
            runs=described(runs, reading.params, reading.curves, now_ms=now_ms),
            curves=reading.curves,
            verdicts=judged.verdicts,
            taken_ms=now_ms,
            notice=store.notice,
            unjudged=judged.waiting,
        )

    def _curves(self, ids: Sequence[str]) -> pl.DataFrame:
        names = {own: ours for own, ours in self._names(ids).items() if _is_curve(ours)}
        return _renamed(self._opened().points(ids, list(names)), names)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """What a snapshot was made from."""

    runs: pl.DataFrame
    params: pl.DataFrame
    curves: pl.DataFrame

    def is_same(self, before: "_Reading | None") -> bool:
        """Return whether nothing has changed; who trains can fall silent by not changing, so never then."""
        if before is None or (self.runs["status"] == "RUNNING").any():
            return False
        pairs = ((self.runs, before.runs), (self.params, before.params), (self.curves, before.curves))
        return all(one.equals(other) for one, other in pairs)


@dataclass(slots=True, kw_only=True)
class _Experiment:
    """What is kept of one experiment. Only its feed's reading, one at a time, changes it."""

    feed: Feed
    judge: Judge = field(default_factory=Judge)
    watcher: Watcher = field(default_factory=Watcher)
    watching: Lock = field(default_factory=Lock)
    overrides: Mapping[str, str] = field(default_factory=dict[str, str])
    made_from: _Reading | None = None

    def learn(self, overrides: Mapping[str, str]) -> None:
        """Take what people say that its metrics are."""
        if self.overrides != overrides:
            self.overrides = overrides
            self.judge = Judge()  # Verdicts were given under other names.


def _is_curve(name: str) -> bool:
    family, _, rest = name.partition("/")
    return family == "progress" or (canonical(name) == name and rest in _QUANTITIES)


def _renamed(points: pl.DataFrame, names: Mapping[str, str]) -> pl.DataFrame:
    if all(own == ours for own, ours in names.items()):
        return points
    return points.with_columns(pl.col("metric").replace(dict(names)))
