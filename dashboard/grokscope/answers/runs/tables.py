"""Runs out of one tidy table: a row a value, params in columns of their own."""

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import polars as pl

from grokscope.interventions.outcomes.observed import ObservedRuns, ObservedRunsError
from grokscope.schemas.printable import written_out
from grokscope.schemas.runs.table_params import STATUS, UNITS, param_columns
from grokscope.schemas.runs.withholding import without_secrets

_ENDINGS = (".parquet", ".csv", ".jsonl", ".ndjson")

_MOST_ROWS, _MOST_COLUMNS = 100_000_000, 10_000
_ALSO = {"run": "run_id", "key": "metric"}


def is_table(source: str) -> bool:
    """Return whether ``source`` names a file of a table.

    >>> is_table("runs.parquet"), is_table("sqlite:///mlflow.db")
    (True, False)
    """
    return "://" not in source and Path(source).suffix.lower() in _ENDINGS


def runs_in_table(path: Path) -> ObservedRuns:
    """Return the runs of a Parquet, CSV or JSONL file.

    Columns are ``run`` (or ``run_id``), ``step``, ``metric``, ``value``; ``seconds`` and the other ``UNITS``
    count what was spent; every other column that has one value a run is a param. Without a column for the run
    all is one run.

    Raises:
        ObservedRunsError: If it cannot be read, or a column is missing or of a wrong type.
    """
    try:
        table = _read(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = written_out(str(error).partition("\n")[0])
        raise ObservedRunsError(
            f"{str(path)!r} cannot be read ({reason}); give a Parquet, CSV or JSONL file, or a store"
        ) from error
    return observed_in(table, source=str(path))


def _read(path: Path) -> pl.DataFrame:
    if path.exists() and not path.is_file():  # a pipe would be waited for, and a device never ends
        raise OSError("it is no regular file")
    with path.open("rb") as file:
        if path.suffix.lower() == ".parquet":
            return _parquet(file)
        if b"\0" in file.read(4096):
            raise OSError("it is no text in UTF-8")
        file.seek(0)
        if path.suffix.lower() == ".csv":
            return pl.read_csv(file, infer_schema_length=None)
        return pl.read_ndjson(file, infer_schema_length=None)


def _parquet(file: BinaryIO) -> pl.DataFrame:
    """Return the columns that hold one number or text a row: what a small file unfolds to has no bound."""
    rows = pl.scan_parquet(file, glob=False).select(pl.len()).collect().item()
    if rows > _MOST_ROWS:
        raise OSError(f"it has {rows:,} rows, and at most {_MOST_ROWS:,} are read")
    file.seek(0)
    schema = pl.read_parquet_schema(file)
    file.seek(0)
    return pl.read_parquet(file, columns=[name for name in schema if _is_flat(schema[name])])


def _is_flat(kind: pl.DataType) -> bool:
    """Return whether a column of this type holds one number, flag, text or date a row."""
    return not kind.is_nested() and not isinstance(kind, pl.Binary | pl.Duration)


def observed_in(table: pl.DataFrame, *, source: str) -> ObservedRuns:
    """Return the runs of a table that was read; see ``runs_in_table``."""
    have = table.columns
    if len(have) > _MOST_COLUMNS:
        raise ObservedRunsError(
            f"{source!r} has {len(have):,} columns, and at most {_MOST_COLUMNS:,} are read; write one row a "
            "value, with the params in columns"
        )
    table = table.select(name for name, kind in table.schema.items() if _is_flat(kind))
    table = table.rename({old: new for old, new in _ALSO.items() if old in table.columns and new not in have})
    if "run_id" not in table.columns:
        table = table.with_columns(run_id=pl.lit("run"))
    missing = [name for name in ("step", "metric", "value") if name not in table.columns]
    if missing:
        raise ObservedRunsError(
            f"{source!r} lacks {', '.join(missing)}; a table of runs has the columns run, step, metric and "
            f"value, one row a value, numbers or texts, got {', '.join(have[:20])}"
        )
    table = table.drop_nulls(["run_id", "step", "metric"])
    if table.is_empty():
        raise ObservedRunsError(f"{source!r} has no rows; give a table with at least one value")
    units = [name for name in UNITS if name in table.columns and table[name].dtype.is_numeric()]
    found = param_columns(table, run="run_id", others=units)
    return ObservedRuns(
        runs=without_secrets(_runs(table, found.params)),
        curves=_curves(table, units, source=source),
        notes=() if found.note is None else (f"{found.note}.",),
    )


def _runs(table: pl.DataFrame, params: Sequence[str]) -> pl.DataFrame:
    kept = [name for name in params if name != STATUS]
    first = [pl.col(name).drop_nulls().first() for name in kept]
    text = pl.col("run_id").cast(pl.String)
    name = pl.col("name").cast(pl.String).first() if "name" in table.columns else text.first().alias("name")
    status = (
        pl.col(STATUS).cast(pl.String).drop_nulls().first() if STATUS in params else pl.lit(None, pl.String)
    )
    runs = table.group_by("run_id", maintain_order=True).agg(name, status.alias(STATUS), *first)
    return runs.with_columns(text)


def _curves(table: pl.DataFrame, units: list[str], *, source: str) -> pl.DataFrame:
    try:
        curves = table.select(
            pl.col("run_id").cast(pl.String),
            pl.col("metric").cast(pl.String),
            pl.col("step").cast(pl.Int64),
            pl.col("value").cast(pl.Float64),
            *(pl.col(name).cast(pl.Float64) for name in units),
        )
    except pl.exceptions.PolarsError as error:
        reason = written_out(str(error).partition("\n")[0])
        raise ObservedRunsError(
            f"{source!r} has a step or a value that is no number ({reason}); steps are whole numbers and "
            "values are numbers"
        ) from error
    if table["step"].dtype.is_temporal() or (curves["step"] != table["step"].cast(pl.Float64)).any():
        raise ObservedRunsError(f"{source!r} has a step that is no whole number; give steps as 0, 1, 2, …")
    return curves
