"""Runs of a table without a column of runs, but with several values a step: told apart by other columns."""

import polars as pl

from grokscope.importing.readers.tables.clocks import is_clock, plain_name
from grokscope.importing.readers.tables.numbers import numbers
from grokscope.importing.readers.tables.times import is_time

_SEEDS = frozenset({"seed", "random_seed"})
_MOST = 4


def told_apart(table: pl.DataFrame, places: pl.DataFrame) -> tuple[pl.Series, tuple[str, ...]] | None:
    """Return the run of each row and the columns that tell it; ``None`` if none does, or no step is twice.

    Args:
        table: Texts or numbers.
        places: Of each row the step, and the metric if the table has one a row.

    >>> table = pl.DataFrame({"agent": ["a", "a", "b", "b"], "step": [0, 1, 0, 1]})
    >>> told_apart(table, table.select("step"))[0].to_list()
    ['a', 'a', 'b', 'b']
    """
    if not places.is_duplicated().any():
        return None
    columns = [name for name in table.columns if name not in places.columns and _may_tell(name, table[name])]
    for chosen in (*((name,) for name in columns), tuple(columns[:_MOST])):
        if chosen and not pl.concat([places, table.select(chosen)], how="horizontal").is_duplicated().any():
            return table.select(_named(table, chosen)).to_series(), chosen
    return None


def _may_tell(name: str, cells: pl.Series) -> bool:
    if is_clock(name) or is_time(name, cells) or cells.null_count():
        return False
    is_text = cells.dtype == pl.String and numbers(cells).null_count() == len(cells)
    return (is_text or plain_name(name) in _SEEDS) and 1 < cells.n_unique() <= len(cells) / 2


def _named(table: pl.DataFrame, columns: tuple[str, ...]) -> pl.Expr:
    parts = [
        pl.lit(f"{name} " if numbers(table[name]).null_count() < table.height else "")
        + pl.col(name).cast(pl.String)
        for name in columns
    ]
    return pl.concat_str(parts, separator=", ").alias("run")
