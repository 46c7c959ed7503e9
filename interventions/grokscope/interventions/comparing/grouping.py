"""Which runs belong together: those whose chosen params agree."""

from collections.abc import Sequence

import polars as pl

from grokscope.schemas.runs.description import param
from grokscope.schemas.runs.query import named_param

SEED = "seed"
_OWN = ("run_id", "name", "status")


def group_labels(runs: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """Return ``runs`` with the column ``group``: the bare value of one param, ``a=1, b=2`` of several.

    Runs that lack one of the params are left out. Without a param all runs are one group, ``all runs``.

    Raises:
        QueryError: If no param is meant by a name.

    >>> runs = pl.DataFrame({"run_id": ["r", "s"], "lr": [0.1, None], "wd": [1.0, 1.0]})
    >>> group_labels(runs, ["lr", "wd"])["group"].to_list()
    ['lr=0.1, wd=1']
    """
    params = [name for name in runs.columns if name not in _OWN]
    columns = [named_param(name, params) for name in by]
    if not columns:
        return runs.with_columns(group=pl.lit("all runs"))
    texts = {name: written(runs[name]) for name in columns}
    if len(columns) == 1:
        labels = texts[columns[0]]
    else:
        parts = [pl.lit(f"{name}=") + texts[column] for name, column in zip(by, columns, strict=True)]
        labels = runs.select(pl.concat_str(parts, separator=", "))[:, 0]
    return runs.with_columns(labels.alias("group")).filter(pl.col("group").is_not_null())


def written(values: pl.Series) -> pl.Series:
    """Return values as a person writes them: a number that is whole without its ``.0``.

    >>> written(pl.Series([1.0, 0.5])).to_list()
    ['1', '0.5']
    """
    if not values.dtype.is_float():
        return values.cast(pl.String)
    return pl.Series(values.name, [None if value is None else f"{value:.10g}" for value in values], pl.String)


def seeds_of(runs: pl.DataFrame) -> pl.Series:
    """Return the seed of every run as text, whatever it is called; null where it has none."""
    rows = runs.drop([name for name in _OWN if name in runs.columns]).cast(pl.String).iter_rows(named=True)
    found = [param({key: value for key, value in row.items() if value is not None}, SEED) for row in rows]
    return pl.Series(SEED, found, pl.String)
