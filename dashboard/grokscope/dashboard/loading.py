"""From a store to snapshots: read what is new, judge what has changed, keep the last good state."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from threading import Lock

import polars as pl

from grokscope.dashboard.data import Snapshot
from grokscope.dashboard.described import described
from grokscope.schemas import Verdict, canonical, empty_points, resolve
from grokscope.store import MissingStoreError, Store, StoreError, open_store
from grokscope.transitions import detect
from grokscope.transitions.continuous import LEADING

FRESH_S = 1.0
"""A snapshot this young is given again: many open pages cost the store no more than one."""

RETRY_S = 3.0
"""After a failed reading the store is left alone for this long."""

_KEPT = 32
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
        self._judged: dict[str, tuple[tuple[int, int], Verdict]] = {}
        self._retry_at = 0.0
        self._failure: StoreError | None = None

    def snapshot(self, experiment: str | None) -> Snapshot:
        """Return the experiment as it is, or as it last was, with the problem said."""
        with self._lock:
            known = self._good.get(experiment)
            now = self._clock()
            if known is not None and now - known.taken_ms / 1000 < FRESH_S:
                return known
            if now >= self._retry_at:
                try:
                    return self._remember(experiment, self._read(experiment, int(now * 1000)))
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

    def _kept(self, run_ids: Sequence[str]) -> pl.DataFrame:
        curves = [snapshot.curves for snapshot in self._good.values()]
        mine = pl.concat([empty_points(), *curves]).filter(pl.col("run_id").is_in(list(run_ids)))
        # One experiment is kept under its name and, as the newest, under none.
        return mine.unique(maintain_order=True)

    def _opened(self) -> Store:
        if self._store is None:
            self._store = self._opener(self._uri)
        return self._store

    def _names(self, run_ids: Sequence[str]) -> dict[str, str]:
        return resolve(self._opened().metrics(run_ids)["metric"].unique().to_list())

    def _read(self, experiment: str | None, now_ms: int) -> Snapshot:
        store = self._opened()
        names: list[str] = store.experiments()["name"].to_list()
        chosen = experiment if experiment in names else next(iter(names), None)
        if chosen is None:
            return Snapshot(taken_ms=now_ms, notice=store.notice)
        runs = store.runs(chosen)
        ids: list[str] = runs["run_id"].to_list()
        curves = self._curves(ids)
        return Snapshot(
            experiment=chosen,
            experiments=tuple(names),
            runs=described(runs, store.params(ids), curves, now_ms=now_ms),
            curves=curves,
            verdicts=self._verdicts(curves),
            taken_ms=now_ms,
            notice=store.notice,
        )

    def _curves(self, ids: Sequence[str]) -> pl.DataFrame:
        names = {own: ours for own, ours in self._names(ids).items() if _is_curve(ours)}
        return _renamed(self._opened().points(ids, list(names)), names)

    def _verdicts(self, curves: pl.DataFrame) -> Mapping[str, Verdict]:
        """Judge the runs whose points have changed since the last time."""
        marks = curves.group_by("run_id").agg(pl.len(), pl.col("time_ms").max().fill_null(0).alias("last"))
        prints = {run: (count, last) for run, count, last in marks.iter_rows()}
        changed = [run for run, mark in prints.items() if self._judged.get(run, (None,))[0] != mark]
        for verdict in detect(curves.filter(pl.col("run_id").is_in(changed))) if changed else ():
            self._judged[verdict.run] = (prints[verdict.run], verdict)
        return {run: self._judged[run][1] for run in prints if run in self._judged}

    def _remember(self, experiment: str | None, fresh: Snapshot) -> Snapshot:
        self._good.pop(experiment, None)
        self._good[experiment] = fresh
        while len(self._good) > _KEPT:
            del self._good[next(iter(self._good))]
        return fresh


def _is_curve(name: str) -> bool:
    family, _, rest = name.partition("/")
    return family == "progress" or (canonical(name) == name and rest in _QUANTITIES)


def _renamed(points: pl.DataFrame, names: Mapping[str, str]) -> pl.DataFrame:
    return points.with_columns(pl.col("metric").replace(dict(names)))
