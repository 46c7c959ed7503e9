"""Rows of evaluations that count something else than training does, such as batches of the validation set."""

import polars as pl

from grokscope.importing.readers.tables.clocks import fine_clocks, plain_name
from grokscope.importing.readers.tables.numbers import numbers
from grokscope.schemas.metrics.reading import Sureness, read_alone
from grokscope.schemas.metrics.vocabulary import SPLIT_OF

SPLIT_COLUMNS = frozenset({"mode", "phase", "split", "subset", "stage", "set", "partition"})
"""Columns that say of which split a row is."""
HELD_OUT = "val"
"""What MMEngine evaluates on while it trains."""
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
    if (told := _split_column(table)) is not None:
        is_train = pl.col(told).cast(pl.String).str.to_lowercase().str.starts_with("train")
        for clock in fine_clocks(table.columns):
            own = numbers(table.filter(~is_train)[clock]).drop_nulls()
            training = numbers(table.filter(is_train)[clock]).drop_nulls()
            if len(own) >= _SEVERAL and own.n_unique() == 1 < training.n_unique():
                before = pl.when(is_train).then(pl.col(clock)).forward_fill().fill_null(pl.col(clock))
                placed = table.with_columns(
                    pl.when(~is_train).then(before).otherwise(pl.col(clock)).alias(clock)
                )
                return placed, () if placed.equals(table) else _notes(clock)
    names = {plain_name(name): name for name in reversed(table.columns)}
    if "step" in names and "iter" in names:
        return _of_mmengine(table, names["iter"], names["step"])
    if "step" in names and "epoch" in names:
        return _by_training(table, names["epoch"], names["step"])
    return table, ()


def _of_mmengine(table: pl.DataFrame, told: str, step: str) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Place the rows without an iteration, which are evaluations, and call what is in them so.

    Training tells both numbers, and they are the same. A name that says its split is kept.
    """
    place, steps = numbers(table[told]), numbers(table[step])
    is_evaluation = place.is_null() & steps.is_not_null()
    is_training = place.is_not_null()
    is_told_twice = is_training.any() and (place == steps).filter(is_training).fill_null(value=False).all()
    if not is_evaluation.any() or not is_told_twice:
        return table, ()
    placed, notes = _by_training(table, told, step)
    rows = table.filter(is_evaluation)
    held_out = [
        name
        for name in rows.columns
        if name not in (told, step) and rows[name].count() and read_alone(name).sureness is not Sureness.SURE
    ]
    apart = placed.with_columns(
        *(pl.when(is_evaluation).then(pl.col(name)).alias(f"{HELD_OUT}/{name}") for name in held_out),
        *(pl.when(~is_evaluation).then(pl.col(name)).alias(name) for name in held_out),
    )
    return apart.drop(told), notes


def _by_training(table: pl.DataFrame, told: str, step: str) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Place the rows that lack ``told``, which training tells, where their steps lie behind training's."""
    place, steps = numbers(table[told]), numbers(table[step])
    is_training = place.is_not_null() & steps.is_not_null()
    last = steps.set(~is_training, None).forward_fill()
    is_behind = (place.is_null() & (steps < last)).fill_null(value=False)
    if not is_behind.any() or not steps.filter(is_training).is_sorted():
        return table, ()
    before = table.select(pl.when(is_training).then(pl.col(step)).forward_fill()).to_series()
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
