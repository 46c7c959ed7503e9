"""Embedded MLflow on SQLite, read directly: no ORM, no lock beyond one statement, only new rows again."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from threading import Lock
from typing import Any

import polars as pl

from grokscope.schemas import Verdict
from grokscope.store import frames
from grokscope.store.arrays.listing import ListedArtifacts
from grokscope.store.arrays.places import PlacedArtifacts
from grokscope.store.arrays.reading import ArrayReader, StoredArrays
from grokscope.store.cache.files import MirrorError
from grokscope.store.cache.mirror import Mirror
from grokscope.store.cache.point_cache import PointCache
from grokscope.store.errors import experiment_not_found, runs_not_found
from grokscope.store.findings import Finding, shown_bytes, size_finding
from grokscope.store.mlflow_client.errors import explained
from grokscope.store.mlflow_client.lifecycle import archive_runs, restore_runs
from grokscope.store.mlflow_client.tags import write_experiment_tags, write_tags
from grokscope.store.roles.tags import alias_tag, aliases_in, tag_key
from grokscope.store.sqlite import queries
from grokscope.store.sqlite.bulk import BulkReader, bulk_reading
from grokscope.store.sqlite.cursor import cursor_from, move
from grokscope.store.sqlite.file import reading
from grokscope.store.sqlite.histories import read_lacking
from grokscope.store.sqlite.listings import Listings, Rows
from grokscope.store.verdict_tags import write_verdict
from grokscope.store.versions import database_version

BIG_BYTES = 8 << 30
_TOO_BIG = "`mlflow gc` removes deleted runs for good; a team's store is better off on PostgreSQL."


class SqliteStore:
    """A ``Store`` on a SQLite file whose schema has been checked; see ``open_store``."""

    notice: str | None = None

    def __init__(self, path: Path, *, mirror: Mirror | None = None) -> None:
        self.uri = f"sqlite:///{path}"
        self._path = path
        self._cache = PointCache(mirror)
        self._cursor = cursor_from(mirror.state) if mirror else None
        self._artifacts = PlacedArtifacts(self.uri, self._place)
        self._arrays = ArrayReader(self._artifacts)
        self._lock = Lock()
        self._listings = Listings(path)

    def experiments(self) -> pl.DataFrame:
        """Return active experiments, the newest activity first."""
        return frames.experiments_with_runs(self._rows(queries.EXPERIMENTS), self.runs())

    def runs(self, experiment: str | None = None) -> pl.DataFrame:
        """Return active runs, newest first."""
        found = frames.runs_from_rows(self._rows(queries.RUNS, {"experiment": experiment}))
        if experiment is not None and found.is_empty():
            known = {str(name) for _, name in self._rows(queries.EXPERIMENTS)}
            if experiment not in known:
                raise experiment_not_found(experiment, known)
        return found

    def params(self, run_ids: Sequence[str]) -> pl.DataFrame:
        """Return params."""
        return frames.pairs_from_rows(self._of_runs(queries.PARAMS, run_ids))

    def tags(self, run_ids: Sequence[str]) -> pl.DataFrame:
        """Return tags."""
        return frames.pairs_from_rows(self._of_runs(queries.TAGS, run_ids))

    def metrics(self, run_ids: Sequence[str]) -> pl.DataFrame:
        """Return which metrics the runs have."""
        return frames.keys_from_rows(self._of_runs(queries.KEYS, run_ids))

    def points(self, run_ids: Sequence[str], metrics: Sequence[str] | None = None) -> pl.DataFrame:
        """Return one value a (run, metric, step); reads only what is new."""
        self._check_runs(run_ids)
        rereads = metrics is None or len(metrics) > 1
        with (
            self._lock,
            reading(self._path) as connection,
            bulk_reading(self._path, connection, rereads=rereads) as reader,
        ):
            try:
                return self._points(reader, run_ids, metrics)
            except MirrorError:
                self._cache.clear()
                return self._points(reader, run_ids, metrics)

    def arrays(self, run_ids: Sequence[str], names: Sequence[str] | None = None) -> StoredArrays:
        """Return small arrays of the runs; reads the files that changed."""
        self._check_runs(run_ids)
        return self._arrays.read(run_ids, names)

    def artifacts(self, run_id: str) -> ListedArtifacts:
        """Return the names and sizes of a run's artifacts."""
        self._check_runs([run_id])
        return self._artifacts.listed(run_id)

    def write_verdict(self, verdict: Verdict) -> None:
        """Put the verdict on its run."""
        self._check_runs([verdict.run])
        write_verdict(self.uri, verdict)

    def set_tags(self, run_id: str, changes: Mapping[str, str | None]) -> None:
        """Set tags of a run; ``None`` removes one."""
        self._check_runs([run_id])
        write_tags(self.uri, run_id, changes)

    def experiment_tags(self, experiment: str) -> dict[str, str]:
        """Return the tags of an experiment."""
        rows = self._rows(queries.EXPERIMENT_TAGS, {"experiment": experiment})
        if not rows:
            raise experiment_not_found(experiment, [str(name) for _, name in self._rows(queries.EXPERIMENTS)])
        return {key: value or "" for key, value in rows if key is not None}

    def set_experiment_tags(self, experiment: str, changes: Mapping[str, str | None]) -> None:
        """Set tags of an experiment; ``None`` removes one."""
        self.experiment_tags(experiment)  # the file has to be there: MLflow's client would make a missing one
        write_experiment_tags(self.uri, experiment, changes)

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
        self._check_runs(run_ids)
        archive_runs(self.uri, run_ids)

    def restore(self, run_ids: Sequence[str]) -> None:
        """Make archived runs active again."""
        self._check_runs(run_ids, archived_too=True)
        restore_runs(self.uri, run_ids)

    def describe(self) -> Iterator[Finding]:
        """Yield its version and its size."""
        with explained(self.uri):
            yield database_version(self.uri)
        experiments = self.experiments()
        rows = self._rows(queries.LAST_ROW)[0][0] or 0
        size = self._path.stat().st_size
        more = f", some {rows:,} points in {shown_bytes(size)}"
        yield size_finding(experiments, more=more, remedy=_TOO_BIG if size > BIG_BYTES else "")

    def close(self) -> None:
        """Forget what was read; the mirror keeps the points."""
        self._arrays.forget()
        with self._lock:
            self._cache.close(self._state)
            self._cache, self._cursor = PointCache(), None

    def _place(self, run_id: str) -> str:
        found = self._rows(queries.ARTIFACTS, {"runs": json.dumps([run_id])})
        return str(found[0][0] or "") if found else ""

    def _points(
        self, reader: BulkReader, run_ids: Sequence[str], metrics: Sequence[str] | None
    ) -> pl.DataFrame:
        # The cursor moves first: rows that arrive during the reading below are read once more at the
        # next refresh, which changes nothing, so no transaction has to span several statements.
        self._cursor = move(reader, self._path, cursor=self._cursor, cache=self._cache)
        missing = {run_id: self._cache.missing(run_id, metrics) for run_id in run_ids}
        lacking = {run_id: keys for run_id, keys in missing.items() if keys is None or keys}
        until = self._cursor.number
        read_lacking(reader, self._cache, metrics=metrics, lacking=lacking, until=until)
        self._cache.bound(run_ids)
        frame = self._cache.frame(run_ids, metrics)
        self._cache.save(self._state)
        return frame

    @property
    def _state(self) -> dict[str, Any] | None:
        return None if self._cursor is None else asdict(self._cursor)

    def _rows(self, query: str, values: dict[str, Any] | None = None) -> Rows:
        def read() -> Rows:
            with reading(self._path) as connection:
                return connection.execute(query, values or {}).fetchall()

        return self._listings.rows(query, values or {}, read)

    def _of_runs(self, query: str, run_ids: Sequence[str]) -> Rows:
        self._check_runs(run_ids)
        return self._rows(query, {"runs": json.dumps(list(run_ids))})

    def _check_runs(self, run_ids: Sequence[str], *, archived_too: bool = False) -> None:
        stages = dict(self._rows(queries.STAGES, {"runs": json.dumps(list(run_ids))}))
        missing = [run_id for run_id in run_ids if run_id not in stages]
        deleted = [run_id for run_id in run_ids if stages.get(run_id, "active") != "active"]
        if missing or (deleted and not archived_too):
            raise runs_not_found(missing, [] if archived_too else deleted)
