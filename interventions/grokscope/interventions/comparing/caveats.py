"""What is to be known with a comparison."""

from collections.abc import Iterator, Sequence

import polars as pl

from grokscope.interventions.comparing.grouping import SEED
from grokscope.interventions.comparing.records import GroupResult
from grokscope.interventions.noise.replicates import said_of_repeats
from grokscope.interventions.outcomes.ends import End
from grokscope.interventions.outcomes.estimand import Estimand, ToldEstimand
from grokscope.interventions.outcomes.target import Target
from grokscope.schemas.runs.description import guessed_param

FEW = 6
"""Runs below which a group's median has no interval."""

_COARSE = 0.1
_MOST_NAMED = 5


def caveats_of(  # noqa: PLR0913 - by keyword
    costs: pl.DataFrame,
    curves: pl.DataFrame,
    *,
    target: Target,
    told: ToldEstimand | None,
    pooled: Sequence[str],
    estimand: Estimand,
) -> tuple[str, ...]:
    """Return what is to be known with a comparison of runs, one sentence each.

    Args:
        costs: ``COSTS`` with ``end``, ``group``, ``block``.
        curves: Their ``CURVES``, and maybe those of other runs.
        target: What was to be reached.
        told: How the estimand was told; ``None`` where a person said it.
        pooled: Params that differ within a group.
        estimand: What a cost means.
    """
    found = list(_of_estimand(told, estimand))
    found += _of_ends(costs)
    found += _of_groups(costs)
    found += said_of_repeats(costs, curves)
    if others := [name for name in pooled if guessed_param(name) != SEED]:
        more = f" and {len(others) - _MOST_NAMED} more" if len(others) > _MOST_NAMED else ""
        found.append(f"Runs of a group differ in {', '.join(others[:_MOST_NAMED])}{more}: they are pooled.")
    if estimand is Estimand.ANYTIME:
        found += _of_grid(costs)
        fell = int(costs["fell_back"].sum())
        if fell and not target.sustained:
            found.append(
                f"{_runs(fell)} missed the target again after reaching it; the first evaluation at it counts."
            )
    return tuple(found)


def without_median(groups: Sequence[GroupResult]) -> tuple[str, ...]:
    """Return in how many groups there is no median: the share that is not there never falls to a half."""
    none = sum(group.median.value is None for group in groups)
    return (f"In {none:,} of {len(groups):,} groups too few runs reached it for a median.",) * (none > 0)


def _runs(count: int) -> str:
    return f"{count:,} run{'' if count == 1 else 's'}"


def _of_estimand(told: ToldEstimand | None, estimand: Estimand) -> Iterator[str]:
    if told is not None and told.caveat is not None:
        yield told.caveat
    if estimand is Estimand.LADDER:
        yield (
            "Each run is annealed to its planned length, so a cost is the least planned budget that gets "
            "there, known only between the budgets that were tried."
        )


def _of_ends(costs: pl.DataFrame) -> Iterator[str]:
    ends = dict(costs.group_by("end").len().iter_rows())
    if count := ends.get(End.RUNNING.value):
        yield f"{_runs(count)} still going on: counted as not there yet."
    if count := ends.get(End.STOPPED.value):
        yield (
            f"{_runs(count)} stopped short of the plan; if they were stopped because they looked bad, "
            "their group looks better than it is."
        )
    if count := ends.get(End.FAILED.value):
        yield f"{_runs(count)} failed, and counted as not there yet."
    if count := ends.get(End.DIVERGED.value):
        yield f"{_runs(count)} diverged, and counted as never reaching the target."


def _of_groups(costs: pl.DataFrame) -> Iterator[str]:
    sizes = costs.group_by("group").agg(pl.len().alias("n"), pl.col("reached").sum().alias("reached"))
    few = sizes.filter(pl.col("n") < FEW).height
    if few:
        which = "No group has" if few == sizes.height else f"{few:,} of {sizes.height:,} groups do not have"
        yield f"{which} {FEW} runs: below that no interval of a median holds without a model; none is given."


def _of_grid(costs: pl.DataFrame) -> Iterator[str]:
    reached = costs.filter(pl.col("reached") & (pl.col("high") > 0))
    if reached.is_empty():
        return
    width = reached.select(((pl.col("high") - pl.col("low")) / pl.col("high")).median()).item()
    if width > _COARSE:
        yield (
            f"Evaluations are {width:.0%} of the cost apart (median): a cost is known only between two of "
            "them, and a spread of 0 means that nobody looked in between."
        )
