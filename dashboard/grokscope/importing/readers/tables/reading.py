"""Tables as logs: tidy (run, metric, step, value), wide (a column a metric), and W&B's chart exports."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl

from grokscope.importing.formats import LogFormat, LogSource, SourceKind
from grokscope.importing.limits import Tally
from grokscope.importing.readers.json_values import number
from grokscope.importing.readers.table_files import READERS, read_table
from grokscope.importing.records import LOG_SCHEMA, ImportingError, Log, SourceRun, identity_of

_PACKED: Mapping[bytes, str] = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip", b"\x28\xb5\x2f\xfd": "zstd"}
_TIDY = frozenset({"metric", "step", "value"})
_STEPS = ("step", "_step", "Step", "global_step", "train/global_step", "iteration", "iter", "epoch", "Epoch")
_RUNS = ("run", "run_id")
_NAMES = ("name", "experiment")
_TIMES = {"time_ms": 1.0, "_timestamp": 1000.0}
_BOUND = re.compile(r"__(MIN|MAX)$")
_CHART = re.compile(r"(?P<run>.+?) - (?P<metric>.+)")
_STEP_LIMIT = 2.0**63
_TIME_LIMIT = 2.0**53


def read(source: LogSource, tally: Tally) -> Iterator[Log]:
    """Yield the runs of each table; without a run column, a table is one run named like its file."""
    for path in source.files:
        table = read_table(path, tally)
        tidy = _tidied(path, charts_apart(table), tally)
        runs = tidy.partition_by("run", maintain_order=True)
        tally.runs(len(runs))
        for points in runs:
            yield _log(path, source.root, points, tally)


def _log(path: Path, root: Path, points: pl.DataFrame, tally: Tally) -> Log:
    tally.points(points.height)
    own = points["run"][0]
    where = path.relative_to(root).as_posix()
    name, experiment = (points[column].drop_nulls() for column in _NAMES)
    run = SourceRun(
        key=f"{where}#{own or ''}",
        identity=identity_of("table", own or "", points),
        is_certain=False,
        name=tally.name(name[0] if len(name) else own or path.stem),
        source=where,
        experiment=experiment[0] if len(experiment) else None,
    )
    for metric in points["metric"].unique():
        tally.name(metric)
    return Log(run=run, points=points.select(LOG_SCHEMA.names()))


def charts_apart(table: pl.DataFrame) -> pl.DataFrame:
    """Return a chart's export (``Step``, ``<run> - <metric>``, ``…__MIN``, ``…__MAX``) as a tidy table."""
    columns = [name for name in table.columns if name not in _STEPS and _BOUND.search(name) is None]
    found = {name: match for name in columns if (match := _CHART.fullmatch(name)) is not None}
    step = next((name for name in _STEPS if name in table.columns), None)
    if step is None or not found or len(found) < len(columns):
        return table
    return pl.concat(
        table.select(
            pl.lit(match["run"]).alias("run"),
            pl.lit(match["metric"]).alias("metric"),
            pl.col(step).alias("step"),
            pl.col(name).cast(pl.String).alias("value"),
        )
        for name, match in found.items()
    )


def _tidied(path: Path, table: pl.DataFrame, tally: Tally) -> pl.DataFrame:
    """Return run, name, experiment, metric, step, time_ms, value, in the table's order."""
    step = next((name for name in _STEPS if name in table.columns), None)
    if step is None:
        raise ImportingError(
            f"{path.name!r} has no column of steps; it has {_listed(table.columns)}. "
            f"Name one of them step (known: {', '.join(_STEPS)})"
        )
    run = next((name for name in _RUNS if name in table.columns), None)
    is_tidy = set(table.columns) >= _TIDY
    base = pl.DataFrame(
        [
            _texts(table, run).alias("run"),
            # In a wide table, a column called name may be a metric; in a tidy one it is the run's name.
            *(_texts(table, name if is_tidy else None).alias(name) for name in _NAMES),
            _steps(path, table[step]).alias("step"),
            _times(table).alias("time_ms"),
        ]
    )
    if is_tidy:
        found = base.with_columns(_texts(table, "metric").alias("metric"), _values(table["value"]))
        return found.drop_nulls(["metric", "value"])
    curves = [name for name in table.columns if name not in (step, run) and not name.startswith("_")]
    return _melted(path, table.select(name for name in curves if name not in _TIMES), base, tally)


def _melted(path: Path, curves: pl.DataFrame, base: pl.DataFrame, tally: Tally) -> pl.DataFrame:
    parts: list[pl.DataFrame] = []
    count = 0
    for name in curves.columns:
        part = base.with_columns(pl.lit(name).alias("metric"), _values(curves[name])).drop_nulls("value")
        parts.append(part)
        count += part.height
        if count > tally.limits.points:
            tally.points(count)
    if not count:
        raise ImportingError(
            f"{path.name!r} has no column of numbers beside the steps; it has {_listed(curves.columns)}"
        )
    return pl.concat(parts)


def _texts(table: pl.DataFrame, name: str | None) -> pl.Series:
    if name is None or name not in table.columns:
        return pl.Series([None] * table.height, dtype=pl.String)
    return table[name].cast(pl.String)


def _values(cells: pl.Series) -> pl.Series:
    """Return numbers; what is none is null. The words for NaN and ±Inf are those of JSON and of Python."""
    if cells.dtype == pl.String:
        plain = cells.str.strip_chars().cast(pl.Float64, strict=False)
        words = cells.unique().drop_nulls()
        odd = {word: value for word in words.to_list() if (value := number(word)) is not None}
        return plain.fill_null(cells.replace_strict(odd, default=None, return_dtype=pl.Float64)).alias(
            "value"
        )
    if cells.dtype.is_numeric() and not cells.dtype.is_nested():
        return cells.cast(pl.Float64).alias("value")
    return pl.Series("value", [None] * len(cells), dtype=pl.Float64)


def _steps(path: Path, cells: pl.Series) -> pl.Series:
    exact = cells.cast(pl.Int64, strict=False)
    floats = cells.cast(pl.Float64, strict=False)
    whole = floats.is_finite() & (floats == floats.round()) & (floats.abs() < _STEP_LIMIT)
    bad = exact.is_null() & ~whole.fill_null(value=False) | (exact.cast(pl.Float64) != floats).fill_null(
        value=False
    )
    if bad.any():
        row = int(bad.arg_max() or 0)
        raise ImportingError(
            f"{path.name!r} has the step {cells[row]!r} in row {row + 1}, which is no whole number; "
            "count optimizer steps, or name another column step"
        )
    return exact.fill_null(floats.cast(pl.Int64, strict=False))


def _times(table: pl.DataFrame) -> pl.Series:
    for name, scale in _TIMES.items():
        if name in table.columns:
            ms = table[name].cast(pl.Float64, strict=False) * scale
            return ms.set(~ms.is_finite() | (ms.abs() > _TIME_LIMIT), None).round().cast(pl.Int64)
    return pl.Series([None] * table.height, dtype=pl.Int64)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name[:40]) for name in names[:8])
    return (shown or "none") + (f" and {len(names) - 8} more" if len(names) > 8 else "")  # noqa: PLR2004


def _is_table(path: Path, head: bytes) -> bool:
    if path.suffix.lower() not in READERS:
        return False
    packed = next((name for sign, name in _PACKED.items() if head.startswith(sign)), None)
    if packed is not None:
        raise ImportingError(f"{path.name!r} is packed with {packed}; unpack it first")
    return True


FORMAT = LogFormat(
    kind=SourceKind.TABLE,
    shown="tables (.csv, .tsv, .parquet, .jsonl, .json)",
    recognises=_is_table,
    read=read,
)
