"""Runs that look like several and are not: the same curve twice, a fork of another run, the same seed again.

Two independent runs do not agree to the last digit. So runs whose curves begin with the same values share
their beginning: one was forked from the other, logged twice, or repeated with the same seed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from grokscope.interventions.contrasts.samples import SampleError

LEAST = 3
"""Steps with telling values that runs must share; a value tells where it has more than ``DIGITS`` digits."""
DIGITS = 3
"""An accuracy of 0, of .5 or of .125 is shared by chance, and so is a loss before any step."""

Kind = Literal["same curve", "shared beginning", "same seed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """Runs that count as one.

    Attributes:
        runs: Their names, sorted.
        kind: ``"same curve"`` where all their values agree, ``"shared beginning"`` where the first do, and
            ``"same seed"`` where one configuration was run with one seed.
        until: Last step that they share; ``None`` of a repeated seed, whose curves may differ.
        evaluations: Steps that they share.
    """

    runs: tuple[str, ...]
    kind: Kind
    until: int | None = None
    evaluations: int = 0


def shared_curves(curves: pl.DataFrame) -> tuple[Repeat, ...]:
    """Return runs whose curves are equal, or begin equal, to the last bit of every value.

    Args:
        curves: ``CURVES``, of any metrics, in any order. Runs that log different metrics share nothing.

    Returns:
        Equal curves first, then shared beginnings (of which equal curves take part with their first run).
        A beginning counts from ``LEAST`` steps with telling values on.

    Raises:
        SampleError: If a column is missing.

    Source: definition. By hashes of the beginnings, so O(rows): 10 000 runs of 100 evaluations take 2 s.

    >>> columns = {"run_id": ["a"] * 4 + ["b"] * 4, "step": [1, 2, 3, 4] * 2, "metric": ["loss"] * 8}
    >>> values = [3.1234, 2.7182, 2.5221, 2.4111, 3.1234, 2.7182, 2.5221, 2.3999]
    >>> shared_curves(pl.DataFrame(columns | {"value": values}))
    (Repeat(runs=('a', 'b'), kind='shared beginning', until=3, evaluations=3),)
    """
    missing = [name for name in ("run_id", "step", "metric", "value") if name not in curves.columns]
    if missing:
        raise SampleError(f"curves need run_id, step, metric and value; {', '.join(missing)} missing")
    steps = _steps(curves)
    whole = steps.group_by("run_id", maintain_order=True).agg("step", "mark", pl.col("telling").sum())
    whole = whole.filter(pl.col("telling") >= LEAST).sort("run_id")
    equal = whole.group_by(same=pl.col("mark"), maintain_order=True).agg("run_id", "mark", "step")
    same = tuple(_repeat(*row, kind="same curve") for row in _several(equal))
    distinct = whole.unique("mark", keep="first", maintain_order=True)
    begins = (
        steps.filter(pl.col("so_far") - pl.col("telling") < LEAST)
        .group_by("run_id", maintain_order=True)
        .agg(begin=pl.col("mark"))
    )
    shared = distinct.join(begins, on="run_id").sort("run_id").group_by("begin", maintain_order=True)
    forks = shared.agg("run_id", "mark", "step").drop("begin")
    return same + tuple(_repeat(*row, kind="shared beginning") for row in _several(forks))


def _several(groups: pl.DataFrame) -> list[tuple[list[str], list[list[int]], list[list[int]]]]:
    """Return the runs of each group of two or more, with their marks and steps."""
    return groups.filter(pl.col("run_id").list.len() > 1).select("run_id", "mark", "step").rows()


def _repeat(runs: list[str], marks: list[list[int]], steps: list[list[int]], *, kind: Kind) -> Repeat:
    """Return the runs with what all of them share."""
    shortest = min(len(mark) for mark in marks)
    table = np.array([mark[:shortest] for mark in marks], dtype=np.uint64)
    agrees = (table == table[0]).all(axis=0)
    shared = shortest if agrees.all() else int(np.argmin(agrees))
    return Repeat(runs=tuple(sorted(runs)), kind=kind, until=steps[0][shared - 1], evaluations=shared)


def repeated_seeds(
    runs: Sequence[str], configurations: Sequence[object], seeds: Sequence[object]
) -> tuple[Repeat, ...]:
    """Return runs of one configuration that have the same seed.

    Args:
        runs: Their names.
        configurations: What each run has all but the seed of.
        seeds: The seed of each; ``None`` where it is not logged, which repeats nothing.

    Raises:
        SampleError: If the three do not match.

    Source: definition.

    >>> repeated_seeds(["a", "b", "c"], ["adam", "adam", "muon"], [0, 0, 0])
    (Repeat(runs=('a', 'b'), kind='same seed', until=None, evaluations=0),)
    """
    if not len(runs) == len(configurations) == len(seeds):
        raise SampleError(
            f"each run needs a configuration and a seed, got {len(runs)}, {len(configurations)}, {len(seeds)}"
        )
    places: dict[tuple[str, str], list[str]] = {}
    for run, configuration, seed in zip(runs, configurations, seeds, strict=True):
        if seed is not None:
            places.setdefault((str(configuration), str(seed)), []).append(run)
    found = sorted(tuple(sorted(group)) for group in places.values() if len(group) > 1)
    return tuple(Repeat(runs=group, kind="same seed") for group in found)


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
    value = pl.col("value").cast(pl.Float64)
    rounded = value.round_sig_figs(DIGITS) != value
    first = pl.struct("metric", "value").is_first_distinct().over("run_id")
    tells = value.is_finite() & rounded & first & (pl.col("step") > 0)
    return (
        curves.select("run_id", "step", "metric", "value")
        .drop_nulls()
        .sort("run_id", "step", "metric", "value")
        .with_columns(telling=tells, mark=pl.struct("step", "metric", "value").hash())
        .group_by("run_id", "step", maintain_order=True)
        .agg("mark", pl.col("telling").any().cast(pl.Int64))
        .with_columns(pl.col("mark").hash())
        .with_columns(so_far=pl.col("telling").cum_sum().over("run_id"))
    )
