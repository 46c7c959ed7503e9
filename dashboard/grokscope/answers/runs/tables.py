"""Runs out of one tidy table: a row a value, params in columns of their own."""

from pathlib import Path

import polars as pl

from grokscope.interventions.outcomes.observed import ObservedRuns, ObservedRunsError
from grokscope.schemas.printable import written_out

_ENDINGS = (".parquet", ".csv", ".jsonl", ".ndjson")

UNITS = ("seconds", "examples", "tokens", "flops", "epochs")
"""Columns that count what was spent, whatever they hold."""

_POINTS = {"run_id", "name", "experiment", "metric", "step", "time_ms", "value"}
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
    with path.open("rb") as file:
        match path.suffix.lower():
            case ".parquet":
                return pl.read_parquet(file)
            case ".csv":
                return pl.read_csv(file, infer_schema_length=None)
            case _:
                return pl.read_ndjson(file, infer_schema_length=None)


def observed_in(table: pl.DataFrame, *, source: str) -> ObservedRuns:
    """Return the runs of a table that was read; see ``runs_in_table``."""
    have = table.columns
    table = table.rename({old: new for old, new in _ALSO.items() if old in have and new not in have})
    if "run_id" not in table.columns:
        table = table.with_columns(run_id=pl.lit("run"))
    missing = [name for name in ("step", "metric", "value") if name not in table.columns]
    if missing:
        raise ObservedRunsError(
            f"{source!r} lacks {', '.join(missing)}; a table of runs has the "
            f"columns run, step, metric and value, one row a value, got {', '.join(have[:20])}"
        )
    table = table.filter(pl.col("run_id").is_not_null() & pl.col("step").is_not_null())
    if table.is_empty():
        raise ObservedRunsError(f"{source!r} has no rows; give a table with at least one value")
    units = [name for name in UNITS if name in table.columns and table[name].dtype.is_numeric()]
    others = [name for name in table.columns if name not in _POINTS and name not in units]
    params, varying = _constant(table, others)
    notes = [f"{', '.join(varying)} differ within a run and are not read as params."] if varying else []
    return ObservedRuns(
        runs=_runs(table, params),
        curves=_curves(table, units, source=source),
        notes=tuple(notes),
    )


def _constant(table: pl.DataFrame, columns: list[str]) -> tuple[list[str], list[str]]:
    """Return which columns have one value a run, and which do not."""
    if not columns:
        return [], []
    counts = (
        table.group_by("run_id").agg(pl.col(columns).drop_nulls().n_unique()).select(pl.col(columns).max())
    )
    most = counts.row(0, named=True)
    return [name for name in columns if most[name] <= 1], [name for name in columns if most[name] > 1]


def _runs(table: pl.DataFrame, params: list[str]) -> pl.DataFrame:
    kept = [name for name in params if name != "status"]
    first = [pl.col(name).drop_nulls().first() for name in kept]
    text = pl.col("run_id").cast(pl.String)
    name = pl.col("name").cast(pl.String).first() if "name" in table.columns else text.first().alias("name")
    status = (
        pl.col("status").cast(pl.String).drop_nulls().first()
        if "status" in params
        else pl.lit(None, pl.String)
    )
    runs = table.group_by("run_id", maintain_order=True).agg(name, status.alias("status"), *first)
    return runs.with_columns(text)


def _curves(table: pl.DataFrame, units: list[str], *, source: str) -> pl.DataFrame:
    try:
        return table.select(
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
