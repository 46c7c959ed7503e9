"""A folder of Parquet files as a store: tidy points (run, metric, step, value, perhaps time_ms), no more."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from grokscope.schemas import InvalidPointsError, Verdict, as_points, empty_points
from grokscope.store.arrays.artifacts import Artifacts, NoArtifacts
from grokscope.store.errors import (
    CorruptStoreError,
    MissingStoreError,
    SchemaError,
    StoreError,
    experiment_not_found,
)
from grokscope.store.findings import Finding, Health
from grokscope.store.frames import newest_attempts
from grokscope.store.remote.records import RunRecord
from grokscope.store.remote.store import RemoteStore
from grokscope.store.roles.tags import checked_role
from grokscope.store.versions import installed

_Print = tuple[tuple[str, int, int], ...]
_EXPERIMENT = "0"


class ParquetTransport:
    """A ``Transport`` on the ``*.parquet`` files of one folder; a file without a run column is one run.

    Args:
        folder: The folder; its name is the only experiment's.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.artifacts: Artifacts = NoArtifacts()
        self._read: tuple[_Print, pl.DataFrame] | None = None

    def experiments(self) -> list[tuple[str, str]]:
        """Return the only experiment."""
        self._files()
        return [(_EXPERIMENT, self._folder.name)]

    def search(self, experiment_ids: Sequence[str], run_ids: Sequence[str] | None = None) -> list[RunRecord]:
        """Return the runs, or those with ``run_ids``; they ended when the newest file was written."""
        if _EXPERIMENT not in experiment_ids:
            return []
        print_, points = self._points()
        if run_ids is not None:
            points = points.filter(pl.col("run_id").is_in(list(run_ids)))
        ended_ms = max(changed_ns for _, changed_ns, _ in print_) // 1_000_000
        last = points.group_by("run_id", "metric", maintain_order=True).last()
        return [_record(rows, ended_ms) for rows in last.partition_by("run_id", maintain_order=True)]

    def since(self, key: str, steps: Mapping[str, int | None]) -> pl.DataFrame:
        """Return the whole history of one metric for each run."""
        _, points = self._points()
        return points.filter((pl.col("metric") == key) & pl.col("run_id").is_in(list(steps)))

    def experiment_tags(self, experiment: str) -> dict[str, str]:
        """Return none: a folder of points has nowhere to keep any."""
        if experiment != self._folder.name:
            raise experiment_not_found(experiment, [self._folder.name])
        return {}

    def version(self) -> Finding:
        """Return which MLflow is here; none has made the folder."""
        return Finding(subject="version", health=Health.OK, says=installed())

    def _files(self) -> list[Path]:
        files = sorted(self._folder.glob("*.parquet")) if self._folder.is_dir() else []
        if not files:
            raise MissingStoreError(
                f"there are no .parquet files in {self._folder}. Name the folder that holds them."
            )
        return files

    def _points(self) -> tuple[_Print, pl.DataFrame]:
        files = self._files()
        stats = [(path.name, path.stat()) for path in files]
        print_ = tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)
        if self._read is None or self._read[0] != print_:
            self._read = print_, newest_attempts(pl.concat([empty_points(), *map(_tidy, files)]))
        return self._read


class ParquetStore(RemoteStore):
    """A ``Store`` on a folder of Parquet, which is only read."""

    def write_verdict(self, verdict: Verdict) -> None:
        """Refuse."""
        raise StoreError(
            f"the verdict on {verdict.run!r} cannot be written: {self.uri} is a folder of points. "
            "Import it into an MLflow store, or leave --write out."
        )

    def set_tags(self, run_id: str, changes: Mapping[str, str | None]) -> None:  # noqa: ARG002 - none is kept
        """Refuse."""
        raise StoreError(
            f"no tags of {run_id!r} can be kept: {self.uri} is a folder of points. "
            "Import it into an MLflow store."
        )

    def set_experiment_tags(self, experiment: str, changes: Mapping[str, str | None]) -> None:  # noqa: ARG002
        """Refuse, if not for another reason."""
        self.experiment_tags(experiment)
        raise StoreError(
            f"no tags of experiment {experiment!r} can be kept: {self.uri} is a folder of points. "
            "Import it into an MLflow store."
        )

    def archive(self, run_ids: Sequence[str]) -> None:  # noqa: ARG002 - none is
        """Refuse."""
        raise StoreError(
            f"runs cannot be archived: {self.uri} is a folder of points. "
            "Move the files of these runs elsewhere, or import the folder into an MLflow store."
        )

    def restore(self, run_ids: Sequence[str]) -> None:  # noqa: ARG002 - none is
        """Refuse."""
        raise StoreError(f"runs cannot be restored: {self.uri} is a folder of points, which archives none.")

    def set_alias(self, experiment: str, *, name: str, canonical: str) -> None:
        """Refuse, if not for another reason."""
        checked_role(canonical)
        self.aliases(experiment)
        raise StoreError(
            f"{self.uri} is a folder of points and cannot keep the role of {name!r}. "
            "Import it into an MLflow store, or give --alias at each call."
        )


def _tidy(path: Path) -> pl.DataFrame:
    try:
        return as_points(pl.read_parquet(path, glob=False), run_id=path.stem)
    except InvalidPointsError as error:
        raise SchemaError(f"{path}: {error}") from error
    except (OSError, pl.exceptions.PolarsError) as error:
        said = str(error).splitlines()[0][:200]
        raise CorruptStoreError(f"{path} is not a readable Parquet file ({said}). Write it again.") from error


def _record(last: pl.DataFrame, ended_ms: int) -> RunRecord:
    run_id = last.item(0, "run_id")
    rows = last.select("metric", "step", pl.col("time_ms").fill_null(0), "value").rows()
    times = last["time_ms"].drop_nulls()
    return RunRecord(
        run_id=run_id,
        name=run_id,
        experiment_id=_EXPERIMENT,
        status="FINISHED",
        start_ms=None,
        end_ms=ended_ms,
        is_active=True,
        params={},
        tags={},
        # Without times, what changed is known by the file's own.
        latest={
            metric: (step, time if len(times) else ended_ms, str(value)) for metric, step, time, value in rows
        },
    )
