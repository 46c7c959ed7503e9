"""A store that is read through MLflow's API: listings tell what changed, and only that is asked for."""

import time
from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import Any

import polars as pl

from grokscope.schemas import Verdict, empty_points
from grokscope.store import frames
from grokscope.store.errors import experiment_not_found
from grokscope.store.freshness import Freshness
from grokscope.store.held import HeldPoints
from grokscope.store.mirror import Mirror
from grokscope.store.mirror_files import MirrorError
from grokscope.store.records import RunRecord, by_id, runs_frame
from grokscope.store.source import Source
from grokscope.store.uris import redacted
from grokscope.store.verdict_tags import write_verdict

IDS_A_SEARCH = 500
"""Each id is a variable of the server's SQL statement, and old SQLite allows 999."""

Request = dict[str, dict[str, int | None]]
"""Metric -> run -> step to read from (``None``: everything)."""


class RemoteStore:
    """A ``Store`` on a ``Source``; see ``open_store``.

    Args:
        uri: The address, with credentials if it has some.
        source: How it is asked.
        notice: Why this way is used and not a faster one.
        freshness: When to read whole histories again.
        mirror: What earlier processes have read.
    """

    def __init__(
        self,
        uri: str,
        *,
        source: Source,
        notice: str | None = None,
        freshness: Freshness | None = None,
        mirror: Mirror | None = None,
    ) -> None:
        self.uri = redacted(uri)
        self.notice = notice
        self._uri = uri
        self._source = source
        self._freshness = freshness or Freshness()
        self._held = HeldPoints(mirror)
        self._lock = Lock()
        if mirror is not None:
            self._freshness.recall(mirror.state, now_s=time.monotonic(), wall_s=time.time())

    def experiments(self) -> pl.DataFrame:
        """Return active experiments, the newest activity first."""
        listed = self._source.experiments()
        return frames.experiments_with_runs(listed, self._runs_of(listed))

    def runs(self, experiment: str | None = None) -> pl.DataFrame:
        """Return active runs, newest first."""
        listed = self._source.experiments()
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
        """Return one value a (run, metric, step); reads what changed (see ``freshness``)."""
        records = self._records(run_ids)
        with self._lock:
            try:
                return self._points(records, metrics)
            except MirrorError:
                self._forget()
                return self._points(records, metrics)

    def write_verdict(self, verdict: Verdict) -> None:
        """Put the verdict on its run."""
        self._records([verdict.run])
        write_verdict(self._uri, verdict)

    def close(self) -> None:
        """Forget what was read; the mirror keeps it."""
        with self._lock:
            state, runs = self._state(), self._held.runs()
            self._held.close(state)
            self._freshness.forget(runs)
            self._held = HeldPoints()

    def _points(self, records: dict[str, RunRecord], metrics: Sequence[str] | None) -> pl.DataFrame:
        whole, partial = self._split(records.values())
        self._read_whole(whole, metrics)
        self._read_partial(partial, metrics)
        self._freshness.forget(self._held.bound(records))
        frame = self._held.frame(records, metrics)
        self._held.save(self._state())
        return frame

    def _forget(self) -> None:
        self._freshness.forget(self._held.runs())
        self._held.clear()

    def _state(self) -> dict[str, Any]:
        return self._freshness.as_state(now_s=time.monotonic(), wall_s=time.time())

    def _runs_of(self, experiments: list[tuple[str, str]]) -> pl.DataFrame:
        names = dict(experiments)
        return runs_frame(self._source.search(list(names)), names)

    def _records(self, run_ids: Sequence[str]) -> dict[str, RunRecord]:
        if not run_ids:
            return {}
        experiments = [number for number, _ in self._source.experiments()]
        batches = [run_ids[i : i + IDS_A_SEARCH] for i in range(0, len(run_ids), IDS_A_SEARCH)]
        found = [record for ids in batches for record in self._source.search(experiments, ids)]
        return by_id(found, run_ids)

    def _split(self, records: Iterable[RunRecord]) -> tuple[list[RunRecord], list[RunRecord]]:
        now_s = time.monotonic()
        whole: list[RunRecord] = []
        partial: list[RunRecord] = []
        for record in records:
            (whole if self._freshness.must_read_all(record, now_s) else partial).append(record)
        return whole, partial

    def _read_whole(self, records: Sequence[RunRecord], metrics: Sequence[str] | None) -> None:
        """Read everything of the wanted curves, and of those that were read before."""
        keys = {record.run_id: self._wanted(record, metrics, and_held=True) for record in records}
        started_s = time.monotonic()
        self._take(_request({(key, run): None for run, wanted in keys.items() for key in wanted}))
        done_s = time.monotonic()
        for record in records:
            self._held.add(record.run_id, empty_points(), keys=keys[record.run_id])
            cost_s = (done_s - started_s) / len(records)
            self._freshness.read_all(record, keys[record.run_id], at_s=done_s, cost_s=cost_s)

    def _read_partial(self, records: Sequence[RunRecord], metrics: Sequence[str] | None) -> None:
        """Read curves that are wanted for the first time, and what is new of the others."""
        steps: dict[tuple[str, str], int | None] = {}
        for record in records:
            wanted = self._wanted(record, metrics)
            for key in self._held.missing(record.run_id, wanted) or ():
                steps[key, record.run_id] = None
            for key in self._freshness.advanced(record, wanted):
                steps[key, record.run_id] = self._freshness.last_step(record.run_id, key)
        self._take(_request(steps))
        for record in records:
            read = [key for key in record.latest if (key, record.run_id) in steps]
            self._held.add(record.run_id, empty_points(), keys=read)
            self._freshness.read_new(record, read)

    def _wanted(
        self, record: RunRecord, metrics: Sequence[str] | None, *, and_held: bool = False
    ) -> list[str]:
        names = set(record.latest if metrics is None else metrics)
        if and_held:
            names |= self._held.keys(record.run_id)
        return [key for key in record.latest if key in names]

    def _take(self, request: Request) -> None:
        read = [self._source.since(key, steps) for key, steps in request.items()]
        for (run_id,), points in pl.concat([empty_points(), *read]).group_by("run_id"):
            self._held.add(str(run_id), points, keys=())


def _request(steps: dict[tuple[str, str], int | None]) -> Request:
    request: Request = {}
    for (key, run_id), step in steps.items():
        request.setdefault(key, {})[run_id] = step
    return request


def _pairs(
    records: dict[str, RunRecord], items: Callable[[RunRecord], Iterable[tuple[str, str]]]
) -> pl.DataFrame:
    return frames.pairs_from_rows((run_id, *item) for run_id, r in records.items() for item in items(r))
