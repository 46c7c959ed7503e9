"""A store as the open pages see it: its experiments, each with a feed of its own."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from threading import Lock

import polars as pl

from grokscope.dashboard.state.connection import Opener, StoreConnection
from grokscope.dashboard.state.data import LiveStatus, Snapshot
from grokscope.dashboard.state.experiment_feed import ExperimentFeed
from grokscope.dashboard.state.shared_reading import PATIENCE_S, Clock, Names, SharedReading
from grokscope.schemas import GrokscopeError, empty_points
from grokscope.store import Role, Store, StoreError, open_store, read_names, renamed

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

    def metrics(self, run_ids: Sequence[str]) -> list[str]:
        """Return which metrics the runs have, under canonical names; without the store, those kept."""
        try:
            return sorted(self._names(self._connection.store(), run_ids).values())
        except StoreError:
            return sorted(self._kept(run_ids)["metric"].unique())

    def points(self, run_ids: Sequence[str], metrics: Sequence[str] | None = None) -> pl.DataFrame:
        """Return points under canonical names; without the store, those kept from its last reading."""
        try:
            store = self._connection.store()
            names = self._names(store, run_ids)
            wanted = [own for own, ours in names.items() if metrics is None or ours in metrics]
            return renamed(store.points(run_ids, wanted), names)
        except StoreError:
            kept = self._kept(run_ids)
            return kept if metrics is None else kept.filter(pl.col("metric").is_in(list(metrics)))

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
            metrics = self._connection.store().metrics(snapshot.runs["run_id"].to_list())["metric"].unique()
        except StoreError:
            return ()
        return self._feed(snapshot.experiment).roles(metrics.to_list())

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

    def _names(self, store: Store, run_ids: Sequence[str]) -> Mapping[str, str]:
        metrics = store.metrics(run_ids)["metric"].unique()
        feed = next((feed for feed in self._known() if feed.holds(run_ids)), None)
        return read_names(metrics, {}) if feed is None else feed.names(metrics)

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
