"""From a store to snapshots: read what is new, judge what has changed, keep the last good state."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Lock

import polars as pl

from grokscope.dashboard.data import Snapshot, Watch
from grokscope.dashboard.described import described
from grokscope.dashboard.judging import Judge
from grokscope.dashboard.watching import Watcher
from grokscope.schemas import GrokscopeError, canonical, empty_points
from grokscope.store import (
    IGNORED,
    MissingStoreError,
    Role,
    Store,
    StoreError,
    aliases_of,
    clear_alias,
    open_store,
    resolved_names,
    roles_of,
    set_alias,
)
from grokscope.transitions.continuous import LEADING

FRESH_S = 1.0
"""A snapshot this young is given again: many open pages cost the store no more than one."""

LONGEST_FRESH_S = 5.0
"""One that took long to make is given for as long as that took, so that reading takes half the time at most;
but no longer than this."""

RETRY_S = 3.0
"""After a failed reading the store is left alone for this long."""

REOPEN_S = 30.0
"""A store that could only be opened the slower way is tried anew this often: it may have been upgraded."""

_KEPT = 32
_NO_OVERRIDES: Mapping[str, str] = {}
_QUANTITIES = ("loss", "accuracy", *LEADING)
_Clock = Callable[[], float]


class Reader:
    """Reads one store for all open pages; safe to use from several threads.

    The store is opened at the first reading, and tried again as long as it is not there: a dashboard can be
    started before its server.
    """

    def __init__(
        self, uri: str, *, clock: _Clock = time.time, opener: Callable[[str], Store] = open_store
    ) -> None:
        self._uri = uri
        self._clock = clock
        self._opener = opener
        self._store: Store | None = None
        self._lock = Lock()
        self._good: dict[str | None, Snapshot] = {}
        self._judge = Judge()
        self._read_from: dict[str, _Reading] = {}
        self._watchers: dict[str | None, Watcher] = {}
        self._overrides: dict[str, Mapping[str, str]] = {}
        self._experiment_of: dict[str, str] = {}
        self._fresh_until: dict[str | None, float] = {}
        self._retry_at = 0.0
        self._reopen_at = 0.0
        self._failure: StoreError | None = None

    def snapshot(self, experiment: str | None) -> Snapshot:
        """Return the experiment as it is, or as it last was, with the problem said."""
        with self._lock:
            known = self._good.get(experiment)
            now = self._clock()
            if known is not None and now < self._fresh_until.get(experiment, 0.0):
                return known
            if now >= self._retry_at:
                try:
                    return self._remember(experiment, self._read(experiment, int(now * 1000)), began=now)
                except StoreError as error:
                    self._failure, self._retry_at = error, now + RETRY_S
            missing = isinstance(self._failure, MissingStoreError)
            return replace(
                known or Snapshot(experiment=experiment), problem=str(self._failure), missing=missing
            )

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

    def roles(self, snapshot: Snapshot) -> tuple[Role, ...]:
        """Return what each metric of an experiment is taken for; none where the store cannot be read."""
        try:
            names = self._opened().metrics(snapshot.runs["run_id"].to_list())["metric"].unique().to_list()
        except StoreError:
            return ()
        return roles_of(names, self._overrides.get(snapshot.experiment or "", {}))

    def set_role(self, experiment: str, name: str, canonical: str | None) -> str | None:
        """Say what a metric is (``None``: the guess again); return the problem if it cannot be kept."""
        try:
            if canonical is None:
                clear_alias(self._uri, experiment, name=name)
            else:
                set_alias(self._uri, experiment, name=name, canonical=canonical)
        except GrokscopeError as error:
            return str(error)
        self._fresh_until.clear()
        return None

    def watch(self, snapshot: Snapshot) -> Watch:
        """Return where runs in training stand; their detectors are shared by all open pages."""
        with self._lock:
            return self._watchers.setdefault(snapshot.experiment, Watcher()).look(snapshot)

    def _kept(self, run_ids: Sequence[str]) -> pl.DataFrame:
        curves = [snapshot.curves for snapshot in self._good.values()]
        mine = pl.concat([empty_points(), *curves]).filter(pl.col("run_id").is_in(list(run_ids)))
        # One experiment is kept under its name and, as the newest, under none.
        return mine.unique(maintain_order=True)

    def _opened(self) -> Store:
        now = self._clock()
        if self._store is None or (self._store.notice and now >= self._reopen_at):
            self._reopen_at = now + REOPEN_S
            anew = self._opener(self._uri)
            # Another thread may be reading the one that is replaced: it is let go, and not closed under it.
            if self._store is None or anew.notice is None:
                self._store = anew
            else:
                anew.close()
        return self._store

    def _names(self, run_ids: Sequence[str]) -> dict[str, str]:
        """Return the runs' metrics as logged -> as we call them, by rule and by what people say."""
        names = self._opened().metrics(run_ids)["metric"].unique().to_list()
        experiments = {self._experiment_of.get(run, "") for run in run_ids}
        overrides = self._overrides.get(experiments.pop(), _NO_OVERRIDES) if experiments else _NO_OVERRIDES
        named = resolved_names(names, overrides)
        return {own: ours for own, ours in named.items() if overrides.get(own) != IGNORED}

    def _read(self, experiment: str | None, now_ms: int) -> Snapshot:
        store = self._opened()
        names: list[str] = store.experiments()["name"].to_list()
        chosen = experiment if experiment in names else next(iter(names), None)
        if chosen is None:
            return Snapshot(taken_ms=now_ms, notice=store.notice)
        runs = store.runs(chosen)
        ids: list[str] = runs["run_id"].to_list()
        self._learn_names(chosen, ids)
        reading = _Reading(runs=runs, params=store.params(ids), curves=self._curves(ids))
        known = self._good.get(chosen)
        if known is not None and not known.unjudged and reading.is_same(self._read_from.get(chosen)):
            return replace(known, experiments=tuple(names), taken_ms=now_ms, notice=store.notice)
        self._read_from[chosen] = reading
        judged = self._judge.judge(reading.curves)
        return Snapshot(
            experiment=chosen,
            experiments=tuple(names),
            runs=described(runs, reading.params, reading.curves, now_ms=now_ms),
            curves=reading.curves,
            verdicts=judged.verdicts,
            taken_ms=now_ms,
            notice=store.notice,
            unjudged=judged.waiting,
        )

    def _learn_names(self, experiment: str, ids: Sequence[str]) -> None:
        overrides = aliases_of(self._uri, experiment)
        if self._overrides.setdefault(experiment, overrides) != overrides:
            self._overrides[experiment] = overrides
            self._judge = Judge()  # Verdicts were given under other names.
        self._experiment_of.update(dict.fromkeys(ids, experiment))

    def _curves(self, ids: Sequence[str]) -> pl.DataFrame:
        names = {own: ours for own, ours in self._names(ids).items() if _is_curve(ours)}
        return _renamed(self._opened().points(ids, list(names)), names)

    def _remember(self, experiment: str | None, fresh: Snapshot, *, began: float) -> Snapshot:
        now = self._clock()
        for name in {experiment, fresh.experiment}:
            self._good.pop(name, None)
            self._good[name] = fresh
            self._fresh_until[name] = now + min(max(FRESH_S, now - began), LONGEST_FRESH_S)
        while len(self._good) > _KEPT:
            del self._good[next(iter(self._good))]
        return fresh


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


def _is_curve(name: str) -> bool:
    family, _, rest = name.partition("/")
    return family == "progress" or (canonical(name) == name and rest in _QUANTITIES)


def _renamed(points: pl.DataFrame, names: Mapping[str, str]) -> pl.DataFrame:
    if all(own == ours for own, ours in names.items()):
        return points
    return points.with_columns(pl.col("metric").replace(dict(names)))
