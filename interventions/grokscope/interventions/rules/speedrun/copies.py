"""Logs that repeat another log: one run written twice, or one seed run twice to the last digit."""

import polars as pl

COPIES = pl.Schema({"run_id": pl.String(), "copy_of": pl.String(), "evaluations": pl.Int64()})
"""One row a log that repeats another one at all ``evaluations`` that they share."""

SHARED = 3
"""Equal evaluations that make a copy: two seeds whose losses have a sd of a hundred units of the last digit
that is logged agree at one evaluation once in some 350 pairs, at three in a row never."""


def copies_of(runs: pl.DataFrame) -> pl.DataFrame:
    """Return the logs that repeat another one, as ``COPIES``, by name.

    A log is a copy of another one if they share at least ``SHARED`` evaluations after step 0 and are equal at
    all of them. The log with more evaluations is the original; of equal ones the first by name.

    Args:
        runs: ``run_id``, ``step`` and ``value`` of one metric; values that are not finite are passed over.

    >>> losses = {"a": [4.1, 3.7, 3.5, 3.4], "b": [4.1, 3.7, 3.5, 3.3], "c": [4.1, 3.7, 3.5]}
    >>> rows = [(run, 10 * k, x) for run, values in losses.items() for k, x in enumerate(values, start=1)]
    >>> copies_of(pl.DataFrame(rows, schema=["run_id", "step", "value"], orient="row")).rows()
    [('c', 'a', 3)]
    """
    points = (
        runs.filter((pl.col("step") > 0) & pl.col("value").is_finite())
        .unique(["run_id", "step"], keep="last", maintain_order=True)
        .select("run_id", "step", "value")
    )
    sizes = points.group_by("run_id").agg(size=pl.len()).sort(-pl.col("size").cast(pl.Int64), "run_id")
    order = sizes.select("run_id", order=pl.int_range(pl.len()))
    points = points.join(order, on="run_id")
    equal = _pairs(points, on=["step", "value"]).filter(pl.col("len") >= SHARED)
    named = points.join(equal.select(pl.col("order").append(pl.col("order_right")).unique()), on="order")
    shared = _pairs(named, on=["step"])
    originals = equal.join(shared, on=["order", "order_right", "len"]).group_by("order_right").agg(
        pl.col("order").min(), pl.col("len").get(pl.col("order").arg_min())
    )  # fmt: skip
    return (
        originals.join(order.rename({"run_id": "copy_of"}), on="order")
        .join(order.select("run_id", order_right="order"), on="order_right")
        .select("run_id", "copy_of", pl.col("len").cast(pl.Int64).alias("evaluations"))
        .sort("run_id")
        .match_to_schema(COPIES)
    )


def _pairs(points: pl.DataFrame, on: list[str]) -> pl.DataFrame:
    """Return how many points two runs have in common, the earlier run first."""
    return (
        points.lazy()
        .join(points.lazy().select("order", *on), on=on)
        .filter(pl.col("order") < pl.col("order_right"))
        .group_by("order", "order_right")
        .agg(pl.len())
        .collect()
    )
