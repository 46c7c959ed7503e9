"""A store as the open pages see it: its experiments, each with a feed of its own."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from urllib.parse import quote, urlsplit

import polars as pl

from grokscope.dashboard.state.connection import Opener, StoreConnection
from grokscope.dashboard.state.data import LiveStatus, Snapshot, TagChange
from grokscope.dashboard.state.feeds.feeds import Feeds
from grokscope.dashboard.state.feeds.joined import joined, joined_live
from grokscope.dashboard.state.feeds.store_state import StoreState
from grokscope.dashboard.state.run_metrics import as_shown, shown_name
from grokscope.dashboard.state.shared_reading import PATIENCE_S, Clock, Names, SharedReading
from grokscope.schemas import GrokscopeError
from grokscope.schemas.arrays import ARRAY_SCHEMA
from grokscope.schemas.secrets import redacted
from grokscope.store import (
    RUN_SCHEMA,
    ListedArtifacts,
    MetricNames,
    Role,
    Store,
    StoredArrays,
    StoreError,
    open_store,
    renamed_by_run,
)

_MOST_JOINED = 4
"""Snapshots of several experiments that are kept: each holds a table of its own."""


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
        self._feeds = Feeds(self._connection, clock=clock, patience_s=patience_s)
        self._joined: dict[tuple[str, ...], tuple[Sequence[object], Snapshot]] = {}
        self._newest = SharedReading(None, self._read_newest, clock=clock, patience_s=patience_s)

    def snapshot(self, experiment: str | None, *, at_most_s: float = 0.0) -> Snapshot:
        """Return the experiment as it is, or as it last was, with the problem said.

        Args:
            experiment: Its name; ``None``, or one that is not there, gives the newest.
            at_most_s: How old what was read may be.
        """
        if experiment is None:
            return self._newest.look(at_most_s=at_most_s)
        found = self._look(experiment, at_most_s=at_most_s)
        return found if found.experiment is not None else self._newest.look(at_most_s=at_most_s)

    def together(self, experiments: Sequence[str], *, at_most_s: float = 0.0) -> Snapshot:
        """Return several experiments as one snapshot; of one, its own; of none, the newest.

        Each is read by its own feed, all at once: a page waits for the slowest alone, and no longer than its
        patience. Those that are not in the store are left out.
        """
        if len(experiments) < 2:  # noqa: PLR2004 - nothing to join
            return self.snapshot(experiments[0] if experiments else None, at_most_s=at_most_s)
        with ThreadPoolExecutor(len(experiments)) as pool:
            looked = list(pool.map(partial(self._look, at_most_s=at_most_s), experiments))
        parts = [part for part in looked if part.experiment is not None]
        if len(parts) < 2:  # noqa: PLR2004
            return parts[0] if parts else self._newest.look()
        marks = [(part.found, part.taken_ms, part.problem) for part in parts]
        key = tuple(experiments)
        before = self._joined.pop(key, None)
        found = before[1] if before is not None and before[0] == marks else joined(parts)
        self._joined[key] = (marks, found)
        for old in list(self._joined)[:-_MOST_JOINED]:
            self._joined.pop(old, None)
        return found

    def has_news(self, snapshot: Snapshot) -> bool:
        """Return whether the store has runs, or points of them, that a snapshot lacks; a cheap question."""
        try:
            store = self._connection.store()
            is_known = all(self._is_known(store, part) for part in snapshot.parts or (snapshot,))
        except StoreError:
            is_known = False
        if not is_known:
            self.expire()
        return not is_known

    def store_state(self, experiments: Sequence[str]) -> StoreState:
        """Return how the store is reached, and how long the last reading of experiments took."""
        return self._feeds.state(experiments)

    def metrics(self, run_ids: Sequence[str]) -> dict[str, int]:
        """Return which metrics the runs have, each with how many have it; without the store, those kept."""
        try:
            names = self._feeds.names(self._connection.store().metrics(run_ids))
            found = Counter(name for shown in self._shown(names).values() for name in set(shown.values()))
        except StoreError:
            kept = self._feeds.kept(run_ids).select("run_id", "metric").unique()
            found = Counter(kept["metric"].to_list())
        return dict(sorted(found.items()))

    def points(self, run_ids: Sequence[str], metrics: Sequence[str] | None = None) -> pl.DataFrame:
        """Return points as they are shown; without the store, those kept from its last reading."""
        try:
            store = self._connection.store()
            names = self._feeds.names(store.metrics(run_ids))
            wanted = {
                own
                for of_run in self._shown(names).values()
                for own, shown in of_run.items()
                if metrics is None or shown in metrics
            }
            read = renamed_by_run(store.points(run_ids, sorted(wanted)), names)
            found = as_shown(read, self._feeds.units(run_ids))
        except StoreError:
            found = self._feeds.kept(run_ids)
        return found if metrics is None else found.filter(pl.col("metric").is_in(list(metrics)))

    def params(self, run_id: str) -> dict[str, str]:
        """Return a run's params; none where the store cannot be read."""
        return self._pairs(lambda store: store.params([run_id]))

    def tags(self, run_id: str) -> dict[str, str]:
        """Return a run's tags; none where the store cannot be read."""
        return self._pairs(lambda store: store.tags([run_id]))

    def change_tags(self, run_id: str, change: TagChange) -> str | None:
        """Set tags of a run as ``change`` makes them of those it has; return why that cannot be, if so."""
        try:
            store = self._connection.store()
            tags = dict(store.tags([run_id]).select("key", "value").iter_rows())
            store.set_tags(run_id, change(tags))
        except GrokscopeError as error:
            return str(error)
        self.expire()
        return None

    def arrays(self, run_id: str) -> StoredArrays:
        """Return a run's small arrays; what cannot be read is said in ``left_out``."""
        try:
            return self._connection.store().arrays([run_id])
        except StoreError as error:
            return StoredArrays(frame=ARRAY_SCHEMA.to_frame(), left_out=(str(error),))

    def artifacts(self, run_id: str) -> ListedArtifacts:
        """Return what lies among a run's artifacts; why that cannot be told is said in ``problem``."""
        try:
            return self._connection.store().artifacts(run_id)
        except StoreError as error:
            return ListedArtifacts(problem=str(error))

    def mlflow_link(self, experiment: str | None, run_id: str) -> str | None:
        """Return the address of a run's page in MLflow; ``None`` where the store is no server."""
        address = redacted(self._connection.uri).rstrip("/")
        if urlsplit(address).scheme not in ("http", "https"):
            return None
        try:
            found = self._connection.store().experiments().filter(pl.col("name") == experiment)
        except StoreError:
            return None
        ids = [quote(number, safe="") for number in (*found["experiment_id"], run_id)]
        return f"{address}/#/experiments/{ids[0]}/runs/{ids[1]}" if len(ids) > 1 else None

    def roles(self, snapshot: Snapshot) -> Sequence[Role]:
        """Return what each metric of an experiment is taken for; none where the store cannot be read."""
        if snapshot.experiment is None:
            return ()
        try:
            metrics = self._connection.store().metrics(snapshot.runs["run_id"].to_list())
        except StoreError:
            return ()
        return self._feeds.of(snapshot.experiment).roles(metrics)

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
        self.expire()
        return None

    def experiment_tags(self, experiment: str) -> dict[str, str]:
        """Return an experiment's tags; none where the store cannot be read."""
        try:
            return self._connection.store().experiment_tags(experiment)
        except StoreError:
            return {}

    def set_experiment_tags(self, experiment: str, changes: Mapping[str, str | None]) -> str | None:
        """Set tags of an experiment, ``None`` removes one; return why that cannot be, if so."""
        try:
            self._connection.store().set_experiment_tags(experiment, changes)
        except GrokscopeError as error:
            return str(error)
        return None

    def archive(self, run_ids: Sequence[str]) -> str | None:
        """Put runs aside, so that they are listed nowhere; return why that cannot be, if so."""
        return self._written(lambda store: store.archive(run_ids))

    def restore(self, run_ids: Sequence[str]) -> str | None:
        """Bring archived runs back; return why that cannot be, if so."""
        return self._written(lambda store: store.restore(run_ids))

    def live(self, snapshot: Snapshot) -> LiveStatus:
        """Return where the runs in training stand; their detectors are shared by all open pages."""
        found = [
            self._feeds.of(part.experiment).live(part)
            for part in snapshot.parts or (snapshot,)
            if part.experiment is not None
        ]
        return joined_live(found, snapshot) if snapshot.parts else found[0] if found else LiveStatus()

    def _look(self, experiment: str, *, at_most_s: float) -> Snapshot:
        found = self._feeds.of(experiment).look(at_most_s=at_most_s)
        was_there = self._newest.good is not None and bool(self._newest.good.experiments)
        # A store that has gone is not one that nothing was written to yet.
        return replace(found, missing=False) if found.missing and was_there else found

    @staticmethod
    def _is_known(store: Store, snapshot: Snapshot) -> bool:
        names: list[str] = store.experiments()["name"].to_list()
        if set(names) != set(snapshot.experiments):
            return False
        # A point that is logged moves its run's last sign of life.
        return snapshot.experiment is None or store.runs(snapshot.experiment).equals(
            snapshot.runs.select(RUN_SCHEMA.names())
        )

    def expire(self) -> None:
        """Read anew at the next look, on every open page."""
        for known in (self._newest, *self._feeds.known()):
            known.expire()

    def _shown(self, names: MetricNames) -> MetricNames:
        """Return the names that metrics are shown by."""
        units = self._feeds.units(list(names))
        return {
            run: {own: shown_name(name, units.get(run, {}).get(name)) for own, name in of_run.items()}
            for run, of_run in names.items()
        }

    def _written(self, write: Callable[[Store], None]) -> str | None:
        try:
            write(self._connection.store())
        except GrokscopeError as error:
            return str(error)
        finally:
            self.expire()
        return None

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
        newest = self._feeds.of(names[0]).look(names)  # it may be on other pages under its name
        return newest if newest.experiments else replace(newest, experiments=tuple(names))
