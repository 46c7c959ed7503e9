"""The evaluations of one metric, run by run and in order of their steps."""

import polars as pl


def evaluations_of(curves: pl.DataFrame, metric: str) -> pl.DataFrame:
    """Return the rows of a metric, those of a run together and by increasing step.

    Rows that are so already, as stores give them, are left where they are: to sort 100 000 rows costs more
    than what most outcomes ask of them.

    Args:
        curves: ``CURVES`` in any order.
        metric: Its name.

    >>> rows = {"run_id": ["b", "a", "b"], "step": [2, 1, 1], "value": [0.2, 0.1, 0.1]}
    >>> curves = pl.DataFrame(rows).with_columns(metric=pl.lit("m"))
    >>> evaluations_of(curves, "m").select("run_id", "step").rows()
    [('a', 1), ('b', 1), ('b', 2)]
    """
    rows = curves.filter(pl.col("metric") == metric)
    return rows if are_in_order(rows) else rows.sort("run_id", "step", maintain_order=True)


def are_in_order(rows: pl.DataFrame) -> bool:
    """Return whether the rows of each run stand together, each at a later step than the one before.

    >>> are_in_order(pl.DataFrame({"run_id": ["b", "b", "a"], "step": [1, 2, 1]}))
    True
    >>> are_in_order(pl.DataFrame({"run_id": ["b", "a", "b"], "step": [1, 1, 2]}))
    False
    """
    run, step = pl.col("run_id"), pl.col("step")
    is_first = run.ne_missing(run.shift(1))
    later = (step > step.shift(1)).fill_null(value=False)
    told = rows.select(is_later=(is_first | later).all(), begun=is_first.sum(), runs=run.n_unique())
    is_later, begun, runs = told.row(0)
    return rows.is_empty() or (is_later and begun == runs)
