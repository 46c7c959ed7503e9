"""Frames of arrays: one row an array, and one row a value of them."""

import polars as pl

ARRAY_SCHEMA = pl.Schema(
    {
        "run_id": pl.String(),
        "name": pl.String(),
        "step": pl.Int64(),
        "time_ms": pl.Int64(),
        "shape": pl.List(pl.Int64()),
        "axes": pl.List(pl.String()),
        "labels": pl.List(pl.List(pl.String())),
        "values": pl.List(pl.Float64()),
    }
)
"""Columns of a frame of arrays. ``values`` in the order of C: the last axis is the fastest; ``labels`` holds
a list for each axis, empty where the places are only numbered. NaN and ±Inf are kept."""

CELL_SCHEMA = pl.Schema(
    {
        "run_id": pl.String(),
        "name": pl.String(),
        "step": pl.Int64(),
        "row": pl.Int64(),
        "column": pl.Int64(),
        "row_label": pl.String(),
        "column_label": pl.String(),
        "value": pl.Float64(),
    }
)
"""Columns of a frame of values: where each stands in its array, and what those places are called."""

_KEY = ["run_id", "name", "step"]


def latest_arrays(arrays: pl.DataFrame) -> pl.DataFrame:
    """Return one array a (run, name, step), sorted by the three: that of the latest ``time_ms``.

    >>> latest_arrays(ARRAY_SCHEMA.to_frame()).height
    0
    """
    ordered = arrays.sort([*_KEY, "time_ms"], maintain_order=True)
    return ordered.unique(subset=_KEY, keep="last", maintain_order=True)


def cells(arrays: pl.DataFrame) -> pl.DataFrame:
    """Return one row a value, as a chart of ``row`` by ``step``, or of ``row`` by ``column``, wants it.

    ``row`` is the place on the first axis, ``column`` the place on all further ones together, counted in the
    order of C: 0 for an array of one axis.

    Args:
        arrays: Rows of ``ARRAY_SCHEMA``.

    Returns:
        Rows of ``CELL_SCHEMA``, in the order of ``arrays``; a label that there is none of is the number.

    >>> frame = pl.DataFrame(
    ...     [("r", "norms", 8, 1, [2], ["layer"], [["embed", "head"]], [3.0, 4.0])],
    ...     schema=ARRAY_SCHEMA,
    ...     orient="row",
    ... )
    >>> cells(frame).select("step", "row_label", "column", "value").rows()
    [(8, 'embed', 0, 3.0), (8, 'head', 0, 4.0)]
    """
    length = pl.col("shape").list.get(0, null_on_oob=True)
    width = pl.col("values").list.len() // length
    rows = (
        arrays.with_row_index("_array")
        .with_columns(
            width.alias("_width"),
            pl.int_ranges(0, pl.col("values").list.len(), dtype=pl.Int64).alias("_place"),
            pl.col("labels").list.get(0, null_on_oob=True).alias("_rows"),
            pl.when(pl.col("shape").list.len() == 2)  # noqa: PLR2004 - of more axes no label fits a place
            .then(pl.col("labels").list.get(1, null_on_oob=True))
            .alias("_columns"),
        )
        .explode("values", "_place")
        .with_columns(
            (pl.col("_place") // pl.col("_width")).alias("row"),
            (pl.col("_place") % pl.col("_width")).alias("column"),
        )
    )
    named = rows.with_columns(
        pl.coalesce(
            pl.col(labels).list.get(pl.col(place), null_on_oob=True), pl.col(place).cast(pl.String())
        ).alias(f"{place}_label")
        for place, labels in (("row", "_rows"), ("column", "_columns"))
    )
    return named.rename({"values": "value"}).select(
        pl.col(name).cast(dtype) for name, dtype in CELL_SCHEMA.items()
    )
