"""The frames that a store gives, and how MLflow's rows become points."""

from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl

from grokscope.schemas import POINT_SCHEMA, latest

EXPERIMENT_SCHEMA = pl.Schema(
    {"experiment_id": pl.String(), "name": pl.String(), "runs": pl.Int64(), "last_ms": pl.Int64()}
)
"""Experiments; ``last_ms`` is the latest activity in them."""

RUN_SCHEMA = pl.Schema(
    {
        "run_id": pl.String(),
        "name": pl.String(),
        "experiment": pl.String(),
        "status": pl.String(),
        "start_ms": pl.Int64(),
        "end_ms": pl.Int64(),
        "last_ms": pl.Int64(),
        "step": pl.Int64(),
    }
)
"""Runs; ``last_ms`` is the latest sign of life, ``step`` the highest step of any metric."""

PAIR_SCHEMA = pl.Schema({"run_id": pl.String(), "key": pl.String(), "value": pl.String()})
"""Params or tags."""

KEY_SCHEMA = pl.Schema({"run_id": pl.String(), "metric": pl.String()})
"""Which metrics a run has."""

INFINITE = 1.797e308
"""At and beyond this size MLflow's SQL store means infinity: it writes ±Inf as ±1.7976931348623157e308."""

Row = Sequence[Any]


def points_from_rows(rows: Iterable[Row]) -> pl.DataFrame:
    """Return points from MLflow's rows ``(run_id, metric, step, time_ms, value, is_nan)``.

    NaN and ±Inf, which SQL cannot hold, are restored. Attempts at one step are all kept.

    >>> rows = [("r", "m", 1, 5, 0.0, 1), ("r", "m", 2, 6, -1.7976931348623157e308, 0)]
    >>> points_from_rows(rows)["value"].to_list()
    [nan, -inf]
    """
    schema = {**POINT_SCHEMA, "is_nan": pl.Int8()}
    return points_from_frame(pl.DataFrame(list(rows), schema=schema, orient="row"))


def points_from_frame(rows: pl.DataFrame) -> pl.DataFrame:
    """Return points from a frame of MLflow's rows: the columns of ``POINT_SCHEMA`` and ``is_nan``."""
    value = pl.col("value")
    infinity = pl.when(value > 0).then(float("inf")).otherwise(float("-inf"))
    restored = (
        pl.when((pl.col("is_nan") != 0) | value.is_nan())
        .then(float("nan"))
        .when(value.abs() >= INFINITE)
        .then(infinity)
        .otherwise(value)
    )
    return rows.with_columns(restored.alias("value")).select(POINT_SCHEMA.names())


def newest_attempts(points: pl.DataFrame) -> pl.DataFrame:
    """Return one value a (run, metric, step), sorted: the latest time wins, then the greatest value.

    The second half is MLflow's own rule for a metric's latest value; it makes the choice independent of the
    order in which a transport gives its rows.

    >>> rows = [("r", "m", 1, 5, 2.0, 0), ("r", "m", 1, 5, 1.0, 0)]
    >>> newest_attempts(points_from_rows(rows))["value"].to_list()
    [2.0]
    """
    return latest(points.sort("value"))


def runs_from_rows(rows: Iterable[Row]) -> pl.DataFrame:
    """Return runs from rows in the order of ``RUN_SCHEMA`` plus the heartbeat's text; newest first.

    >>> runs_from_rows([("r", None, "e", "RUNNING", 1, None, 5, 9, "7")]).row(0)
    ('r', '', 'e', 'RUNNING', 1, None, 7, 9)
    """
    schema = {**RUN_SCHEMA, "seen": pl.String()}
    frame = pl.DataFrame(list(rows), schema=schema, orient="row")
    seen = pl.col("seen").cast(pl.Int64(), strict=False)
    return (
        frame.with_columns(pl.col("name").fill_null(""), pl.max_horizontal("last_ms", seen).alias("last_ms"))
        .drop("seen")
        .sort("start_ms", "run_id", descending=[True, False], nulls_last=True)
    )


def experiments_with_runs(experiments: Iterable[tuple[str, str]], runs: pl.DataFrame) -> pl.DataFrame:
    """Return ``(id, name)`` pairs with what their ``runs`` say; the newest activity first.

    >>> experiments_with_runs([("1", "empty")], RUN_SCHEMA.to_frame()).row(0)
    ('1', 'empty', 0, None)
    """
    listed = pl.DataFrame(
        list(experiments), schema={"experiment_id": pl.String(), "name": pl.String()}, orient="row"
    )
    activity = runs.group_by(pl.col("experiment").alias("name")).agg(
        pl.len().cast(pl.Int64()).alias("runs"),
        pl.max_horizontal("last_ms", "end_ms", "start_ms").max().alias("last_ms"),
    )
    return (
        listed.join(activity, on="name", how="left")
        .with_columns(pl.col("runs").fill_null(0))
        .sort("last_ms", "name", descending=[True, False], nulls_last=True)
    )


def pairs_from_rows(rows: Iterable[Row]) -> pl.DataFrame:
    """Return params or tags from rows ``(run_id, key, value)``, sorted by run and key."""
    return pl.DataFrame(list(rows), schema=PAIR_SCHEMA, orient="row").sort("run_id", "key")


def keys_from_rows(rows: Iterable[Row]) -> pl.DataFrame:
    """Return metric keys from rows ``(run_id, metric)``, sorted."""
    return pl.DataFrame(list(rows), schema=KEY_SCHEMA, orient="row").sort("run_id", "metric")
