"""Points and verdicts out of a store into one file: tidy tables for every tool, and verdicts as JSON."""

import tempfile
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, repeat
from pathlib import Path

import polars as pl

from grokscope.schemas import POINT_SCHEMA, GrokscopeError, Verdict, verdict_to_json
from grokscope.schemas.files.replacing import SHARED, replacing
from grokscope.store.formulas import guarded
from grokscope.store.protocol import Store

EXPORT_SCHEMA = pl.Schema(
    {
        "run": pl.String(),
        "name": pl.String(),
        "experiment": pl.String(),
        **{name: POINT_SCHEMA[name] for name in ("metric", "step", "time_ms", "value")},
    }
)
"""Columns of an export, one row a value; ``run`` is the id, ``name`` what the run is called.

Where params are exported, each has a column after these.
"""

_RUNS_A_PART = 20


class ExportError(GrokscopeError):
    """An export that cannot be made."""


def export_parts(
    store: Store,
    runs: pl.DataFrame,
    *,
    metrics: Sequence[str] | None = None,
    params: pl.DataFrame | None = None,
) -> Iterator[pl.DataFrame]:
    """Yield the points of ``runs`` as ``EXPORT_SCHEMA``, some runs at a time.

    Args:
        store: Where they are.
        runs: As ``RUN_SCHEMA``.
        metrics: Keys; ``None`` for all.
        params: What each row has besides, by ``run``; see ``param_columns``.
    """
    told = runs.select(pl.col("run_id").alias("run"), "name", "experiment")
    for some in told.iter_slices(_RUNS_A_PART):
        points = store.points(some["run"].to_list(), metrics).rename({"run_id": "run"})
        part = points.join(some, on="run", how="left", maintain_order="left").select(EXPORT_SCHEMA.names())
        yield part if params is None else part.join(params, on="run", how="left", maintain_order="left")


def param_columns(store: Store, runs: pl.DataFrame) -> pl.DataFrame:
    """Return one row a run: ``run``, and a column for each param that any of them has.

    A column is of integers or of numbers where all its values are, else of texts; a run without the param has
    null. A param that is called like a column of ``EXPORT_SCHEMA`` is called ``param.<name>``.
    """
    pairs = store.params(runs["run_id"].to_list())
    names = sorted(pairs["key"].unique())
    wide = runs.select(pl.col("run_id").alias("run"))
    for name in names:
        column = f"param.{name}" if name in EXPORT_SCHEMA else name
        values = pairs.filter(pl.col("key") == name).select(pl.col("run_id").alias("run"), value="value")
        wide = wide.join(values.rename({"value": column}), on="run", how="left", maintain_order="left")
        wide = wide.with_columns(as_numbers(wide[column]))
    return wide


def as_numbers(texts: pl.Series) -> pl.Series:
    """Return integers or numbers where all texts are such, else the texts."""
    for kind in (pl.Int64(), pl.Float64()):
        numbers = texts.cast(kind, strict=False)
        if numbers.null_count() == texts.null_count() and not numbers.is_null().all():
            return numbers
    return texts


def write_points(frames: Iterable[pl.DataFrame], path: Path, *, force: bool = False) -> int:
    """Write frames as ``export_parts`` has them to ``path`` as its ending says; return the number of points.

    One part is in memory at a time. The file appears under its name when it is whole.

    Raises:
        ExportError: If it is there and ``force`` is not given, its ending is unknown, or it cannot be
            written.
    """
    writer = {".parquet": _write_parquet, ".csv": _write_csv}.get(path.suffix.lower())
    if writer is None:
        raise ExportError(f"{path.name!r} ends in {path.suffix or 'nothing'}; points go to .parquet or .csv")
    with _new_file(path, force=force) as part:
        return writer(frames, part)


def write_verdicts(verdicts: Sequence[Verdict], path: Path, *, force: bool = False) -> int:
    """Write verdicts to ``path`` as a JSON list in the form that they have everywhere; return how many.

    Raises:
        ExportError: As ``write_points``.
    """
    if path.suffix.lower() != ".json":
        raise ExportError(f"{path.name!r} ends in {path.suffix or 'nothing'}; verdicts go to .json")
    with _new_file(path, force=force) as part:
        part.write_text("[" + ",\n ".join(map(verdict_to_json, verdicts)) + "]\n", encoding="utf-8")
    return len(verdicts)


@contextmanager
def _new_file(path: Path, *, force: bool) -> Generator[Path]:
    if path.exists() and not force:
        raise ExportError(f"{str(path)!r} is there already; give another name, or --force to replace it")
    try:
        with replacing(path, mode=SHARED) as part:
            yield part
    except OSError as error:
        raise ExportError(
            f"{str(path)!r} cannot be written ({error}); choose a folder with room that you may write to"
        ) from error


def _write_csv(frames: Iterable[pl.DataFrame], path: Path) -> int:
    count = 0
    with path.open("wb") as file:
        for frame, is_first in zip(frames, chain([True], repeat(False)), strict=False):
            guarded(frame).write_csv(file, include_header=is_first)
            count += frame.height
        if not file.tell():
            EXPORT_SCHEMA.to_frame().write_csv(file)
    return count


def _write_parquet(frames: Iterable[pl.DataFrame], path: Path) -> int:
    count = 0
    with tempfile.TemporaryDirectory(prefix=".grokscope-export-", dir=path.parent) as folder:
        # Parts on disk, joined as a stream: a file of Parquet cannot be written a frame at a time.
        parts: list[Path] = []
        for number, frame in enumerate(frames):
            parts.append(Path(folder) / f"{number:08}.parquet")
            frame.write_parquet(parts[-1])
            count += frame.height
        if not parts:
            EXPORT_SCHEMA.to_frame().write_parquet(path)
            return 0
        pl.scan_parquet(parts, glob=False).sink_parquet(path)
    return count
