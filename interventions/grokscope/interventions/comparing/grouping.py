"""Which runs belong together: those whose chosen params agree."""

from collections.abc import Sequence

import polars as pl

from grokscope.schemas.runs.description import guessed_param
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


def split_params(written_by: str, params: Sequence[str]) -> list[str]:
    """Return the names in ``PARAM[,PARAM]``; a param may itself have a comma in its name.

    >>> split_params("lr, betas (1,2)", ["lr", "betas (1,2)"]), split_params("lr,wd", ["lr"])
    (['lr', 'betas (1,2)'], ['lr', 'wd'])
    """
    parts, names = written_by.split(","), list[str]()
    while parts:
        wholes = (",".join(parts[:count]).strip() for count in range(len(parts), 1, -1))
        name = next((whole for whole in wholes if whole in params), parts[0].strip())
        del parts[: name.count(",") + 1]
        names += [name] * bool(name)
    return names


def called(label: str, by: Sequence[str]) -> str:
    """Return what to call a group in a sentence: a bare number says of what it is one.

    >>> called("576", ["global_batch"]), called("adam", ["optimizer"]), called("a=1, b=2", ["a", "b"])
    ('global_batch 576', 'adam', 'a=1, b=2')
    """
    if len(by) == 1 and not any(letter.isalpha() for letter in label.replace("e", "")):
        return f"{by[0]} {label}"
    return label


def written(values: pl.Series) -> pl.Series:
    """Return values as a person writes them: a number that is whole without its ``.0``.

    >>> written(pl.Series([1.0, 0.5])).to_list()
    ['1', '0.5']
    """
    if not values.dtype.is_float():
        return values.cast(pl.String)
    return pl.Series(values.name, [None if value is None else f"{value:.10g}" for value in values], pl.String)


def pooled_params(labelled: pl.DataFrame) -> list[str]:
    """Return the params, the seed among them, that take several values within a group.

    Args:
        labelled: Runs with the column ``group``; their columns are params.

    >>> runs = pl.DataFrame({"run_id": ["r", "s"], "group": ["a", "a"], "lr": [1, 2], "wd": [0, 0]})
    >>> pooled_params(runs)
    ['lr']
    """
    params = [name for name in labelled.columns if name not in (*_OWN, "group")]
    if not params or labelled.is_empty():
        return []
    most = labelled.group_by("group").agg(pl.col(params).n_unique()).select(pl.col(params).max())
    return [name for name, count in most.row(0, named=True).items() if count > 1]


def seed_param(params: Sequence[str]) -> str | None:
    """Return which of ``params`` is the seed, whatever it is called; ``None`` if none is.

    >>> seed_param(["lr", "random_seed"])
    'random_seed'
    """
    return SEED if SEED in params else next((name for name in params if guessed_param(name) == SEED), None)


def blocks_of(labelled: pl.DataFrame) -> pl.DataFrame:
    """Return ``run_id, group, seed, block``: what a run has in common with its partner in another group.

    A block is all that varies within groups, the seed among it, as text; null where the runs have no seed or
    lack a part of it. Runs of a group that share a block are repeats.
    """
    pooled = pooled_params(labelled)
    seed = seed_param([name for name in labelled.columns if name not in (*_OWN, "group")])
    none = pl.lit(None, pl.String)
    shared: list[str] = sorted(set(pooled) if seed is None else {*pooled, seed})
    parts = [pl.lit(f"{name}=") + written(labelled[name]) for name in shared]
    return labelled.select(
        "run_id",
        "group",
        (none if seed is None else pl.col(seed).cast(pl.String)).alias("seed"),
        (none if seed is None else pl.concat_str(parts, separator=", ")).alias("block"),
    )
