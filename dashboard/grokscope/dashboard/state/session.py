"""A store as the open pages see it: its experiments, each with a feed of its own."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Lock

import polars as pl

from grokscope.dashboard.state.connection import Opener, StoreConnection
from grokscope.dashboard.state.data import LiveStatus, Snapshot
from grokscope.dashboard.state.experiment_feed import ExperimentFeed
from grokscope.dashboard.state.run_metrics import Units, as_shown, shown_name
from grokscope.dashboard.state.shared_reading import PATIENCE_S, Clock, Names, SharedReading
from grokscope.schemas import GrokscopeError, empty_points
from grokscope.store import (
    MetricNames,
    Role,
    Store,
    StoreError,
    names_by_run,
    open_store,
    renamed_by_run,
)

_KEPT = 32


class StoreSession:
    """Reads one store for all open pages; safe to use from several threads.

    Args:
        uri: The store's address.
        clock: Seconds.
        opener: Opens the store, see ``StoreConnection``.
        patience_s: How long a page waits for a reading.
    """

    def __init__(
        self,
        uri: str,
        *,
        clock: Clock = time.time,
        opener: Opener = open_store,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._connection = StoreConnection(uri, clock=clock, opener=opener)
        self._clock = clock
        self._patience_s = patience_s
        self._lock = Lock()  # for the feeds, never while the store is read
        self._feeds: dict[str, ExperimentFeed] = {}
        self._newest = SharedReading(None, self._read_newest, clock=clock, patience_s=patience_s)

    def snapshot(self, experiment: str | None) -> Snapshot:
        """Return the experiment as it is, or as it last was, with the problem said.

        Args:
            experiment: Its name; ``None``, or one that is not there, gives the newest.
        """
        if experiment is None:
            return self._newest.look()
        found = self._feed(experiment).look()
        return found if found.experiment is not None else self._newest.look()

    def metrics(self, run_ids: Sequence[str]) -> dict[str, int]:
        """Return which metrics the runs have, each with how many have it; without the store, those kept."""
        try:
            names = self._names(self._connection.store(), run_ids)
            found = Counter(name for shown in self._shown(names).values() for name in set(shown.values()))
        except StoreError:
            kept = self._kept(run_ids).select("run_id", "metric").unique()
            found = Counter(kept["metric"].to_list())
        return dict(sorted(found.items()))

    def points(self, run_ids: Sequence[str], metrics: Sequence[str] | None = None) -> pl.DataFrame:
        """Return points as they are shown; without the store, those kept from its last reading."""
        try:
            store = self._connection.store()
            names = self._names(store, run_ids)
            wanted = {
                own
                for of_run in self._shown(names).values()
                for own, shown in of_run.items()
                if metrics is None or shown in metrics
            }
            read = renamed_by_run(store.points(run_ids, sorted(wanted)), names)
            found = as_shown(read, self._units(run_ids))
        except StoreError:
            found = self._kept(run_ids)
        return found if metrics is None else found.filter(pl.col("metric").is_in(list(metrics)))

    def params(self, run_id: str) -> dict[str, str]:
        """Return a run's params; none where the store cannot be read."""
        return self._pairs(lambda store: store.params([run_id]))

    def tags(self, run_id: str) -> dict[str, str]:
        """Return a run's tags; none where the store cannot be read."""
        return self._pairs(lambda store: store.tags([run_id]))

    def roles(self, snapshot: Snapshot) -> Sequence[Role]:
        """Return what each metric of an experiment is taken for; none where the store cannot be read."""
        if snapshot.experiment is None:
            return ()
        try:
            metrics = self._connection.store().metrics(snapshot.runs["run_id"].to_list())
        except StoreError:
            return ()
        return self._feed(snapshot.experiment).roles(metrics)

    def set_role(self, experiment: str, name: str, canonical: str | None) -> str | None:
        """Say what a metric is (``None``: the guess again); return the problem if it cannot be kept."""
        try:
            store = self._connection.store()
            if canonical is None:
                store.clear_alias(experiment, name=name)
            else:
                store.set_alias(experiment, name=name, canonical=canonical)
        except GrokscopeError as error:
            return str(error)
        for known in (self._newest, *self._known()):
            known.expire()
        return None

    def live(self, snapshot: Snapshot) -> LiveStatus:
        """Return where the runs in training stand; their detectors are shared by all open pages."""
        if snapshot.experiment is None:
            return LiveStatus()
        return self._feed(snapshot.experiment).live(snapshot)

    def _feed(self, experiment: str) -> ExperimentFeed:
        """Return the feed of an experiment; of more than a few dozen, those asked for last are kept."""
        with self._lock:
            feed = self._feeds.pop(experiment, None) or ExperimentFeed(
                experiment, self._connection, clock=self._clock, patience_s=self._patience_s
            )
            self._feeds[experiment] = feed
            while len(self._feeds) > _KEPT:
                del self._feeds[next(iter(self._feeds))]
            return feed

    def _known(self) -> list[ExperimentFeed]:
        with self._lock:
            return list(self._feeds.values())

    def _kept(self, run_ids: Sequence[str]) -> pl.DataFrame:
        return pl.concat([empty_points(), *(feed.kept(run_ids) for feed in self._known())])

    def _names(self, store: Store, run_ids: Sequence[str]) -> MetricNames:
        metrics, feed = store.metrics(run_ids), self._feed_of(run_ids)
        return names_by_run(metrics, {}) if feed is None else feed.names(metrics)

    def _units(self, run_ids: Sequence[str]) -> Units:
        feed = self._feed_of(run_ids)
        return {} if feed is None else feed.units()

    def _shown(self, names: MetricNames) -> MetricNames:
        """Return the names that metrics are shown by."""
        units = self._units(list(names))
        return {
            run: {own: shown_name(name, units.get(run, {}).get(name)) for own, name in of_run.items()}
            for run, of_run in names.items()
        }

    def _feed_of(self, run_ids: Sequence[str]) -> ExperimentFeed | None:
        return next((feed for feed in self._known() if feed.holds(run_ids)), None)

    def _pairs(self, read: Callable[[Store], pl.DataFrame]) -> dict[str, str]:
        try:
            return dict(read(self._connection.store()).select("key", "value").iter_rows())
        except StoreError:
            return {}

    def _read_newest(self, now_ms: int, _: Names) -> Snapshot:
        store = self._connection.store()
        names: list[str] = store.experiments()["name"].to_list()
        if not names:
            return Snapshot(taken_ms=now_ms, notice=store.notice)
        newest = self._feed(names[0]).look(names)  # it may be on other pages under its name
        return newest if newest.experiments else replace(newest, experiments=tuple(names))
