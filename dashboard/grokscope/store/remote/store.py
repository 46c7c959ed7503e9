"""A store that is read through MLflow's API: listings tell what changed, and only that is asked for."""

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from threading import Lock
from typing import Any

import polars as pl

from grokscope.schemas import Verdict, empty_points
from grokscope.schemas.secrets import redacted
from grokscope.store import frames
from grokscope.store.arrays.listing import ListedArtifacts
from grokscope.store.arrays.reading import ArrayReader, StoredArrays
from grokscope.store.cache.files import MirrorError
from grokscope.store.cache.mirror import Mirror
from grokscope.store.cache.point_cache import PointCache
from grokscope.store.errors import BusyStoreError, experiment_not_found
from grokscope.store.findings import Finding, size_finding
from grokscope.store.mlflow_client.lifecycle import archive_runs, restore_runs
from grokscope.store.mlflow_client.tags import write_experiment_tags, write_tags
from grokscope.store.remote.reading_plan import ReadingPlan
from grokscope.store.remote.records import RunRecord, by_id, runs_frame
from grokscope.store.remote.refresh_policy import RefreshPolicy
from grokscope.store.remote.transport import Transport
from grokscope.store.roles.tags import alias_tag, aliases_in, tag_key
from grokscope.store.verdict_tags import write_verdict

WAIT_S = 5.0
"""How long a call waits for another one that reads the same experiment."""

_TRIES = 3

IDS_A_SEARCH = 500
"""Each id is a variable of the server's SQL statement, and old SQLite allows 999."""


class RemoteStore:
    """A ``Store`` on a ``Transport``; see ``open_store``.

    While the store is asked, nothing else has to wait: what is to be read is planned first and added
    afterwards. Only two readings of one experiment come one after the other.

    Args:
        uri: The address, with credentials if it has some.
        transport: How it is asked.
        notice: Why this way is used and not a faster one.
        policy: When to read whole histories again.
        mirror: What earlier processes have read.
    """

    def __init__(
        self,
        uri: str,
        *,
        transport: Transport,
        notice: str | None = None,
        policy: RefreshPolicy | None = None,
        mirror: Mirror | None = None,
    ) -> None:
        self.uri = redacted(uri)
        self.notice = notice
        self._uri = uri
        self._transport = transport
        self._policy = policy or RefreshPolicy()
        self._cache = PointCache(mirror)
        self._arrays = ArrayReader(transport.artifacts)
        self._lock = Lock()
        self._reading: dict[str, Lock] = {}
        self._epoch = 0
        if mirror is not None:
            self._policy.recall(mirror.state, now_s=time.monotonic(), wall_s=time.time())
            self._policy.keep(mirror.complete)

    def experiments(self) -> pl.DataFrame:
        """Return active experiments, the newest activity first."""
        listed = self._transport.experiments()
        return frames.experiments_with_runs(listed, self._runs_of(listed))

    def runs(self, experiment: str | None = None) -> pl.DataFrame:
        """Return active runs, newest first."""
        listed = self._transport.experiments()
        chosen = [pair for pair in listed if experiment in (None, pair[1])]
        if experiment is not None and not chosen:
            raise experiment_not_found(experiment, (name for _, name in listed))
        return self._runs_of(chosen)

    def params(self, run_ids: Sequence[str]) -> pl.DataFrame:
        """Return params."""
        return _pairs(self._records(run_ids), lambda record: record.params.items())

    def tags(self, run_ids: Sequence[str]) -> pl.DataFrame:
        """Return tags."""
        return _pairs(self._records(run_ids), lambda record: record.tags.items())

    def metrics(self, run_ids: Sequence[str]) -> pl.DataFrame:
        """Return which metrics the runs have."""
        records = self._records(run_ids)
        return frames.keys_from_rows((run_id, key) for run_id, r in records.items() for key in r.latest)

    def points(self, run_ids: Sequence[str], metrics: Sequence[str] | None = None) -> pl.DataFrame:
        """Return one value a (run, metric, step); reads what changed (see ``refresh_policy``)."""
        records = self._records(run_ids)
        with self._alone_with({record.experiment_id for record in records.values()}):
            for _ in range(_TRIES):
                with self._lock:
                    plan = self._plan(records, metrics)
                read, taken_s = self._read(plan)
                with self._lock:
                    try:
                        if plan.epoch == self._epoch:
                            return self._added(plan, read, records, metrics, taken_s=taken_s)
                    except MirrorError:
                        self._forget()
        raise BusyStoreError(f"{self.uri} changed again and again while it was read. Try again.")

    def arrays(self, run_ids: Sequence[str], names: Sequence[str] | None = None) -> StoredArrays:
        """Return small arrays of the runs; reads the files that changed."""
        self._records(run_ids)
        return self._arrays.read(run_ids, names)

    def artifacts(self, run_id: str) -> ListedArtifacts:
        """Return the names and sizes of a run's artifacts."""
        self._records([run_id])
        return self._transport.artifacts.listed(run_id)

    def write_verdict(self, verdict: Verdict) -> None:
        """Put the verdict on its run."""
        self._records([verdict.run])
        write_verdict(self._uri, verdict)

    def set_tags(self, run_id: str, changes: Mapping[str, str | None]) -> None:
        """Set tags of a run; ``None`` removes one."""
        self._records([run_id])
        write_tags(self._uri, run_id, changes)

    def experiment_tags(self, experiment: str) -> dict[str, str]:
        """Return the tags of an experiment."""
        return dict(self._transport.experiment_tags(experiment))

    def set_experiment_tags(self, experiment: str, changes: Mapping[str, str | None]) -> None:
        """Set tags of an experiment; ``None`` removes one."""
        self.experiment_tags(experiment)  # in the time that a question has, which MLflow's client lacks
        write_experiment_tags(self._uri, experiment, changes)

    def aliases(self, experiment: str) -> dict[str, str]:
        """Return what people say that metrics of an experiment are."""
        return aliases_in(self.experiment_tags(experiment))

    def set_alias(self, experiment: str, *, name: str, canonical: str) -> None:
        """Say what a metric is."""
        self.set_experiment_tags(experiment, alias_tag(name, canonical))

    def clear_alias(self, experiment: str, *, name: str) -> None:
        """Take back what was said of a metric."""
        if name in self.aliases(experiment):
            self.set_experiment_tags(experiment, {tag_key(name): None})

    def archive(self, run_ids: Sequence[str]) -> None:
        """Mark runs as deleted."""
        self._records(run_ids)
        archive_runs(self._uri, run_ids)

    def restore(self, run_ids: Sequence[str]) -> None:
        """Make archived runs active again."""
        restore_runs(self._uri, run_ids)

    def describe(self) -> Iterator[Finding]:
        """Yield its version and its size."""
        yield self._transport.version()
        yield size_finding(self.experiments())

    def close(self) -> None:
        """Forget what was read; the mirror keeps the points."""
        self._arrays.forget()
        with self._lock:
            state, runs = self._state(), self._cache.runs()
            self._cache.close(state)
            self._policy.forget(runs)
            self._cache = PointCache()
            self._epoch += 1

    @contextmanager
    def _alone_with(self, experiments: Iterable[str]) -> Generator[None]:
        """Keep others from reading the same experiments meanwhile: they would read the same once more."""
        with self._lock:
            locks = [self._reading.setdefault(number, Lock()) for number in sorted(experiments)]
        with ExitStack() as held:
            for lock in locks:
                if not lock.acquire(timeout=WAIT_S):
                    raise BusyStoreError(
                        f"{self.uri} is being read already, which takes longer than {WAIT_S:g} s. "
                        "It is tried again at the next refresh."
                    )
                held.callback(lock.release)
            yield

    def _added(
        self,
        plan: ReadingPlan,
        read: pl.DataFrame,
        records: dict[str, RunRecord],
        metrics: Sequence[str] | None,
        *,
        taken_s: float,
    ) -> pl.DataFrame:
        """Add what was read as planned, and return what was asked for."""
        for (run_id,), points in read.group_by("run_id"):
            self._cache.add(str(run_id), points, keys=())
        now_s = time.monotonic()
        for record, keys in plan.whole:
            self._cache.add(record.run_id, empty_points(), keys=keys)
            self._policy.read_all(record, keys, at_s=now_s, cost_s=taken_s / len(plan.whole))
        for record, keys in plan.partial:
            self._cache.add(record.run_id, empty_points(), keys=keys)
            self._policy.read_new(record, keys)
        if dropped := self._cache.bound(records):
            self._policy.forget(dropped)
            self._epoch += 1
        frame = self._cache.frame(records, metrics)
        self._cache.save(self._state())
        return frame

    def _forget(self) -> None:
        self._policy.forget(self._cache.runs())
        self._cache.clear()
        self._epoch += 1

    def _state(self) -> dict[str, Any]:
        return self._policy.as_state(now_s=time.monotonic(), wall_s=time.time())

    def _runs_of(self, experiments: list[tuple[str, str]]) -> pl.DataFrame:
        names = dict(experiments)
        return runs_frame(self._transport.search(list(names)), names)

    def _records(self, run_ids: Sequence[str]) -> dict[str, RunRecord]:
        if not run_ids:
            return {}
        experiments = [number for number, _ in self._transport.experiments()]
        batches = [run_ids[i : i + IDS_A_SEARCH] for i in range(0, len(run_ids), IDS_A_SEARCH)]
        found = [record for ids in batches for record in self._transport.search(experiments, ids)]
        return by_id(found, run_ids)

    def _plan(self, records: Mapping[str, RunRecord], metrics: Sequence[str] | None) -> ReadingPlan:
        """Return what has to be read: everything of some runs' curves, of the others what is new."""
        now_s = time.monotonic()
        plan = ReadingPlan(epoch=self._epoch)
        for run_id, record in records.items():
            if self._policy.must_read_all(record, now_s):
                # Of the wanted curves, and of those that were read before.
                keys = self._wanted(record, metrics, and_cached=True)
                plan.whole.append((record, keys))
                for key in keys:
                    plan.histories.setdefault(key, {})[run_id] = None
            else:
                steps = self._new_steps(record, metrics)
                plan.partial.append((record, list(steps)))
                for key, step in steps.items():
                    plan.news.setdefault(key, {})[run_id] = step
        return plan

    def _new_steps(self, record: RunRecord, metrics: Sequence[str] | None) -> dict[str, int | None]:
        wanted = self._wanted(record, metrics)
        missing = self._cache.missing(record.run_id, wanted) or ()
        advanced = self._policy.advanced(record, [key for key in wanted if key not in missing])
        steps: dict[str, int | None] = dict.fromkeys(missing)
        return steps | {key: self._policy.last_step(record.run_id, key) for key in advanced}

    def _read(self, plan: ReadingPlan) -> tuple[pl.DataFrame, float]:
        """Return what was planned, and how long the whole histories took; no lock is held meanwhile."""
        started_s = time.monotonic()
        histories = [self._transport.since(key, steps) for key, steps in plan.histories.items()]
        taken_s = time.monotonic() - started_s
        news = [self._transport.since(key, steps) for key, steps in plan.news.items()]
        return pl.concat([empty_points(), *histories, *news]), taken_s

    def _wanted(
        self, record: RunRecord, metrics: Sequence[str] | None, *, and_cached: bool = False
    ) -> list[str]:
        names = set(record.latest if metrics is None else metrics)
        if and_cached:
            names |= self._cache.keys(record.run_id)
        return [key for key in record.latest if key in names]


def _pairs(
    records: dict[str, RunRecord], items: Callable[[RunRecord], Iterable[tuple[str, str]]]
) -> pl.DataFrame:
    return frames.pairs_from_rows((run_id, *item) for run_id, r in records.items() for item in items(r))
