"""The feeds of a store's experiments, and what they know of runs, whichever experiment these are in."""

from collections.abc import Mapping, Sequence
from threading import Lock

import polars as pl

from grokscope.dashboard.state.connection import StoreConnection
from grokscope.dashboard.state.experiment_feed import ExperimentFeed
from grokscope.dashboard.state.feeds.store_state import StoreState
from grokscope.dashboard.state.run_metrics import Units
from grokscope.dashboard.state.shared_reading import Clock
from grokscope.schemas import empty_points
from grokscope.schemas.addresses import UnknownAddressError, address_of
from grokscope.schemas.secrets import redacted
from grokscope.store import MetricNames, StoreError, names_by_run
from grokscope.store.cache.location import mirror_folder, mirror_use
from grokscope.store.findings import Finding, Health

_KEPT = 32


class Feeds:
    """A feed an experiment; safe to use from several threads.

    Args:
        connection: To the store.
        clock: Seconds.
        patience_s: How long a page waits for a reading.
    """

    def __init__(self, connection: StoreConnection, *, clock: Clock, patience_s: float) -> None:
        self._connection = connection
        self._clock = clock
        self._patience_s = patience_s
        self._lock = Lock()  # never held while the store is read
        self._feeds: dict[str, ExperimentFeed] = {}

    def of(self, experiment: str) -> ExperimentFeed:
        """Return the feed of an experiment; of more than a few dozen, those asked for last are kept."""
        with self._lock:
            feed = self._feeds.pop(experiment, None) or ExperimentFeed(
                experiment, self._connection, clock=self._clock, patience_s=self._patience_s
            )
            self._feeds[experiment] = feed
            while len(self._feeds) > _KEPT:
                del self._feeds[next(iter(self._feeds))]
            return feed

    def known(self) -> list[ExperimentFeed]:
        """Return those that are kept."""
        with self._lock:
            return list(self._feeds.values())

    def kept(self, run_ids: Sequence[str]) -> pl.DataFrame:
        """Return the runs' points as they were last read."""
        return pl.concat([empty_points(), *(feed.kept(run_ids) for feed in self.known())])

    def names(self, metrics: pl.DataFrame) -> MetricNames:
        """Return what each run's metrics go by, as was said of them in the run's own experiment.

        Args:
            metrics: ``run_id, metric``, as logged.
        """
        found: dict[str, Mapping[str, str]] = {}
        left = metrics
        for feed in self.known():
            mine = feed.held(left["run_id"].unique())
            if mine:
                found.update(feed.names(left.filter(pl.col("run_id").is_in(mine))))
                left = left.filter(~pl.col("run_id").is_in(mine))
        found.update(names_by_run(left, {}))
        return found

    def units(self, run_ids: Sequence[str]) -> Units:
        """Return the units of these runs at their last reading."""
        asked = set(run_ids)
        return {run: own for feed in self.known() for run, own in feed.units().items() if run in asked}

    def state(self, experiments: Sequence[str]) -> StoreState:
        """Return how the store is reached, and how long the last reading of experiments took."""
        feeds = self.known()
        held = [feed.good for feed in feeds]
        times = [feed.took_s for feed in feeds if feed.name in experiments and feed.took_s is not None]
        try:
            findings = tuple(self._connection.store().describe())
        except StoreError as error:
            says, _, remedy = str(error).partition(". ")
            findings = (Finding(subject="store", health=Health.FAIL, says=says, remedy=remedy),)
        return StoreState(
            uri=redacted(self._connection.uri),
            took_s=max(times, default=None),
            points=sum(snapshot.curves.height for snapshot in held if snapshot is not None),
            mirror=_mirror(self._connection.uri),
            findings=findings,
        )


def _mirror(uri: str) -> tuple[int, float] | None:
    try:
        return mirror_use(mirror_folder(address_of(uri).uri))
    except UnknownAddressError:
        return None
