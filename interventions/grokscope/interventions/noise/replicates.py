"""Runs that look like several and are not: the same curve twice, a fork of another run, the same seed again.

Two independent runs do not agree to the last digit. So a run that is equal to another wherever both were
evaluated is a copy of it, also one that ended earlier or was evaluated at other steps; and runs whose curves
begin with the same values share their beginning: one was forked from the other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

import polars as pl

from grokscope.interventions.contrasts.samples import SampleError

LEAST = 3
"""Steps with telling values that runs must share; a value tells where it has more than ``DIGITS`` digits."""
DIGITS = 3
"""An accuracy of 0, of .5 or of .125 is shared by chance, and so is a loss before any step."""
_MANY = 32
"""Different curves that have one value at one step, beyond which it is an accuracy on few examples."""

Kind = Literal["same curve", "shared beginning", "same seed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """Runs that count as one.

    Attributes:
        runs: Their names, sorted.
        kind: ``"same curve"`` where they are copies of one of them, ``"shared beginning"`` where the first
            values agree, and ``"same seed"`` where one configuration was run with one seed.
        until: Last step that all of them share; ``None`` of a repeated seed, whose curves may differ.
        evaluations: Steps that all of them share.
    """

    runs: tuple[str, ...]
    kind: Kind
    until: int | None = None
    evaluations: int = 0


COPIES = pl.Schema({"run_id": pl.String(), "copy_of": pl.String(), "evaluations": pl.Int64()})
"""One row a run that is equal to another one at all ``evaluations`` that they share."""


def copies_of(curves: pl.DataFrame) -> pl.DataFrame:
    """Return the runs that are copies of another one, as ``COPIES``, by name.

    A run is a copy of another one if they are equal at all steps that both were evaluated at, and ``LEAST``
    of these have telling values. The run with more evaluations is the original; of equal ones the first by
    name.

    Args:
        curves: ``CURVES``, of any metrics, in any order. Runs that log different metrics share nothing.

    Raises:
        SampleError: If a column is missing.

    Source: definition. By hashes of what a run has logged at a step: 10 000 runs of 100 evaluations take 5 s.

    >>> losses = {"a": [4.123, 3.712, 3.555, 3.4], "b": [4.123, 3.712, 3.5], "c": [4.123, 3.712, 3.555]}
    >>> rows = [(run, k, "loss", x) for run, values in losses.items() for k, x in enumerate(values, start=1)]
    >>> copies_of(pl.DataFrame(rows, schema=["run_id", "step", "metric", "value"], orient="row")).rows()
    [('c', 'a', 3)]
    """
    return _copies(_steps(curves))


def shared_curves(curves: pl.DataFrame) -> tuple[Repeat, ...]:
    """Return runs whose curves are copies of each other, or begin equal, to the last bit of every value.

    Args:
        curves: As of ``copies_of``.

    Returns:
        Copies first, then shared beginnings (of which copies take part with their original). A beginning
        counts from ``LEAST`` steps with telling values on.

    Raises:
        SampleError: If a column is missing.

    Source: definition. Cost: as ``copies_of``.

    >>> columns = {"run_id": ["a"] * 4 + ["b"] * 4, "step": [1, 2, 3, 4] * 2, "metric": ["loss"] * 8}
    >>> values = [3.1234, 2.7182, 2.5221, 2.4111, 3.1234, 2.7182, 2.5221, 2.3999]
    >>> shared_curves(pl.DataFrame(columns | {"value": values}))
    (Repeat(runs=('a', 'b'), kind='shared beginning', until=3, evaluations=3),)
    """
    steps = _steps(curves)
    copies = _copies(steps)
    whole = steps.group_by("run_id", maintain_order=True).agg("step", "mark").sort("run_id")
    original = pl.coalesce("copy_of", "run_id")
    equal = whole.join(copies, on="run_id", how="left").group_by(original, maintain_order=True)
    same = tuple(_repeat(*row, kind="same curve") for row in _several(equal.agg("run_id", "mark", "step")))
    begins = (
        steps.filter((pl.col("so_far") - pl.col("telling") < LEAST) & (pl.col("in_all") >= LEAST))
        .group_by("run_id", maintain_order=True)
        .agg(begin=pl.col("mark"))
    )
    distinct = whole.join(copies, on="run_id", how="anti", maintain_order="left")
    shared = distinct.join(begins, on="run_id").sort("run_id").group_by("begin", maintain_order=True)
    forks = shared.agg("run_id", "mark", "step").drop("begin")
    return same + tuple(_repeat(*row, kind="shared beginning") for row in _several(forks))


def _copies(steps: pl.DataFrame) -> pl.DataFrame:
    """Return ``COPIES`` of what ``_steps`` returns."""
    telling = steps.filter(pl.col("in_all") >= LEAST)
    runs = telling.group_by("run_id").agg(pl.len().cast(pl.Int64), pl.col("mark").sort_by("step"))
    runs = runs.sort(-pl.col("len"), "run_id").with_row_index("order", offset=0)
    runs = runs.with_columns(twin=pl.col("order").first().over("mark")).drop("mark")
    one_each = runs.filter(pl.col("order") == pl.col("twin"))
    parts = _parts(telling.join(one_each.select("run_id", "order"), on="run_id"))
    names = one_each.select(original="order", copy_of="run_id")
    return (
        runs.join(parts, left_on="twin", right_on="order", how="left")
        .with_columns(pl.col("original").fill_null(pl.col("twin")), pl.col("shared").fill_null(pl.col("len")))
        .filter(pl.col("original") != pl.col("order"))
        .join(names, on="original")
        .select("run_id", "copy_of", evaluations="shared")
        .sort("run_id")
    )


def _parts(points: pl.DataFrame) -> pl.DataFrame:
    """Return ``order, original, shared`` of curves, all different, that are equal to one before them."""
    here, there = ["order", "step", "mark"], ["original", "step", "mark"]
    points = points.with_columns(original="order")
    # What many runs have in common at a step tells nothing of two of them, and would pair all of them.
    rare = points.filter((pl.col("telling") > 0) & (pl.len().over("step", "mark") <= _MANY))
    likely = (
        rare.lazy()
        .select(here)
        .join(rare.lazy().select(there), on=["step", "mark"])
        .filter(pl.col("original") < pl.col("order"))
        .group_by("order", "original")
        .agg(pl.len())
        .filter(pl.col("len") >= LEAST)
    )
    both = likely.join(points.lazy().select(here), on="order").join(
        points.lazy().select(there), on=["original", "step"], suffix="_there"
    )
    is_equal = pl.col("mark") == pl.col("mark_there")
    found = both.group_by("order", "original").agg(is_equal.all(), pl.len().cast(pl.Int64).alias("shared"))
    return found.filter("mark").drop("mark").sort("original").unique("order", keep="first").collect()


def _several(groups: pl.DataFrame) -> list[tuple[list[str], list[list[int]], list[list[int]]]]:
    """Return the runs of each group of two or more, with their marks and steps."""
    return groups.filter(pl.col("run_id").list.len() > 1).select("run_id", "mark", "step").rows()


def _repeat(runs: list[str], marks: list[list[int]], steps: list[list[int]], *, kind: Kind) -> Repeat:
    """Return the runs with what all of them share: of a beginning the first steps, else any."""
    evaluated = [list(zip(*one, strict=True)) for one in zip(steps, marks, strict=True)]
    if kind == "shared beginning":
        shared = [one[0] for one in takewhile(lambda row: len(set(row)) == 1, zip(*evaluated, strict=False))]
    else:
        shared = sorted(set(evaluated[0]).intersection(*evaluated[1:]))
    return Repeat(runs=tuple(sorted(runs)), kind=kind, until=shared[-1][0], evaluations=len(shared))


def repeated_seeds(runs: pl.DataFrame) -> tuple[Repeat, ...]:
    """Return runs of one configuration that have the same seed.

    Args:
        runs: ``run_id, group, block``; a block is the seed with whatever else differs within a group, null
            where no seed is logged, which repeats nothing.

    Source: definition.

    >>> runs = [("a", "adam", "0"), ("b", "adam", "0"), ("c", "muon", "0"), ("d", "muon", None)]
    >>> repeated_seeds(pl.DataFrame(runs, schema=["run_id", "group", "block"], orient="row"))
    (Repeat(runs=('a', 'b'), kind='same seed', until=None, evaluations=0),)
    """
    known = runs.filter(pl.col("block").is_not_null()).sort("run_id")
    found = known.group_by("group", "block").agg("run_id").filter(pl.col("run_id").list.len() > 1)
    return tuple(Repeat(runs=tuple(one), kind="same seed") for one in sorted(found["run_id"].to_list()))


def said_of_repeats(runs: pl.DataFrame, curves: pl.DataFrame) -> tuple[str, ...]:
    """Return how many runs of a group are no further evidence: seeds that were repeated, and copies.

    Shared beginnings are not counted: short curves of an accuracy on few examples can begin alike by chance.

    Args:
        runs: As of ``repeated_seeds``.
        curves: Their ``CURVES``, and maybe those of other runs.

    >>> runs = pl.DataFrame({"run_id": ["a", "b"], "group": ["g", "g"], "block": ["seed=0", "seed=0"]})
    >>> curves = pl.DataFrame(schema={"run_id": str, "step": int, "metric": str, "value": float})
    >>> said_of_repeats(runs, curves)[0][:46]
    '2 runs share seed and settings with another of'
    """
    said: list[str] = []
    if seeds := sum(len(one.runs) for one in repeated_seeds(runs)):
        said.append(
            f"{seeds:,} runs share seed and settings with another of their group: repeats of one seed are no "
            "further evidence."
        )
    mine = curves.join(runs.select("run_id"), on="run_id", how="semi")
    copies = [one for one in shared_curves(mine) if one.kind == "same curve"]
    groups = (part["run_id"].to_list() for part in runs.partition_by("group"))
    if count := runs.height - sum(independent_runs(group, copies) for group in groups):
        which = "run of a group is a copy" if count == 1 else "runs of a group are copies"
        said.append(f"{count:,} {which} of another, equal wherever both were evaluated: no further evidence.")
    return tuple(said)


def independent_runs(runs: Iterable[str], repeats: Iterable[Repeat]) -> int:
    """Return how many of the runs count, where those of a repeat count as one.

    >>> independent_runs(["a", "b", "c", "d"], [Repeat(runs=("a", "b", "x"), kind="same seed")])
    3
    """
    first = {run: run for run in runs}
    for repeat in repeats:
        roots = {_root(first, run) for run in repeat.runs if run in first}
        first.update(dict.fromkeys(roots, min(roots, default="")))
    return sum(run == before for run, before in first.items())


def _root(first: dict[str, str], run: str) -> str:
    while first[run] != run:
        run = first[run]
    return run


def _steps(curves: pl.DataFrame) -> pl.DataFrame:
    """Return one row a run and step: a mark of all its values, and whether one of them tells runs apart."""
    missing = [name for name in ("run_id", "step", "metric", "value") if name not in curves.columns]
    if missing:
        raise SampleError(f"curves need run_id, step, metric and value; {', '.join(missing)} missing")
    value = pl.col("value").cast(pl.Float64)
    rounded = value.round_sig_figs(DIGITS) != value
    first = pl.struct("metric", "value").is_first_distinct().over("run_id")
    tells = value.is_finite() & rounded & first & (pl.col("step") > 0)
    return (
        curves.select("run_id", "step", "metric", "value")
        .drop_nulls()
        .filter(~pl.col("metric").str.starts_with("progress/"))  # runs of one batch size count alike
        .sort("run_id", "step", "metric", "value")
        .with_columns(telling=tells, mark=pl.struct("step", "metric", "value").hash())
        .group_by("run_id", "step", maintain_order=True)
        .agg("mark", pl.col("telling").any().cast(pl.Int64))
        .with_columns(pl.col("mark").hash())
        .with_columns(
            so_far=pl.col("telling").cum_sum().over("run_id"), in_all=pl.col("telling").sum().over("run_id")
        )
    )
