"""Rows of evaluations that count something else than training does, such as batches of the validation set."""

import polars as pl

from grokscope.importing.readers.tables.clocks import fine_clocks, plain_name
from grokscope.importing.readers.tables.numbers import numbers
from grokscope.schemas.metrics.vocabulary import SPLIT_OF

SPLIT_COLUMNS = frozenset({"mode", "phase", "split", "subset", "stage", "set", "partition"})
"""Columns that say of which split a row is."""
_SEVERAL = 2


def placed(table: pl.DataFrame) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return a table whose evaluations stand where training was, and what is to be said of it.

    MMCV writes of each evaluation how many batches it took, and MMEngine the epoch, both into the column in
    which training counts iterations.

    >>> rows = {"mode": ["train", "val", "train", "val"], "iter": ["50", "9", "100", "9"]}
    >>> placed(pl.DataFrame(rows))[0]["iter"].to_list()
    ['50', '50', '100', '100']
    >>> rows = {"iter": ["50", None, "100", None], "step": ["50", "1", "100", "2"]}
    >>> placed(pl.DataFrame(rows))[0]["step"].to_list()
    ['50', '50', '100', '100']
    """
    names = {plain_name(name): name for name in reversed(table.columns)}
    if (told := _split_column(table)) is not None:
        is_train = pl.col(told).cast(pl.String).str.to_lowercase().str.starts_with("train")
        for clock in fine_clocks(table.columns):
            own = numbers(table.filter(~is_train)[clock]).drop_nulls()
            training = numbers(table.filter(is_train)[clock]).drop_nulls()
            if len(own) >= _SEVERAL and own.n_unique() == 1 < training.n_unique():
                before = pl.when(is_train).then(pl.col(clock)).forward_fill()
                return table.with_columns(before.fill_null(pl.col(clock)).alias(clock)), _notes(clock)
    if "iter" in names and "step" in names:
        return _by_iterations(table, names["iter"], names["step"])
    return table, ()


def _by_iterations(table: pl.DataFrame, iteration: str, step: str) -> tuple[pl.DataFrame, tuple[str, ...]]:
    both = pl.DataFrame({"iter": numbers(table[iteration]), "step": numbers(table[step])})
    counted = both.drop_nulls()
    if counted.is_empty() or not (counted["iter"] == counted["step"]).all():
        return table, ()
    last = both["iter"].forward_fill()
    is_behind = (both["iter"].is_null() & (both["step"] < last)).fill_null(value=False)
    if not is_behind.any():
        return table, ()
    before = table[iteration].forward_fill()
    return table.with_columns(before.zip_with(is_behind, table[step]).alias(step)), _notes(step)


def _notes(clock: str) -> tuple[str, ...]:
    said = "of its evaluations counts something else, so that they stand at the training step before them"
    return (f"the {clock!r} {said}",)


def _split_column(table: pl.DataFrame) -> str | None:
    """Return the column that says of which split a row is, if it says so of several."""
    told = next((name for name in table.columns if plain_name(name) in SPLIT_COLUMNS), None)
    if told is None or table[told].dtype != pl.String:
        return None
    splits = table[told].drop_nulls().unique().to_list()
    return told if len(splits) > 1 and all(one.lower() in SPLIT_OF for one in splits) else None
