"""What each group spends until the goal, and how many times cheaper it is than the baseline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import polars as pl

from grokscope.interventions.comparing.baseline import against_baseline
from grokscope.interventions.comparing.records import Contrast
from grokscope.interventions.estimate import Estimate
from grokscope.interventions.outcomes.costs import CensoredCosts, common_budget
from grokscope.interventions.outcomes.ends import End
from grokscope.interventions.survival.median import median_cost
from grokscope.interventions.survival.reached_by import reached_by
from grokscope.interventions.survival.restricted_mean import restricted_mean, restricted_means

LEAST_FINISHED = 3
"""Finished runs of a group below which it is in no headline."""

MOST_GROUPS = 40
"""Groups that are compared, the cheapest first; beyond, a table is searched and no longer read."""

MOST_MEANS = 8
"""Groups up to which every restricted mean has an interval: each takes thousands of random paths."""
FEW_MEANS = 3
"""Of more groups, so many of the cheapest have one."""

GROUPS = pl.Schema(
    {
        "group": pl.String(),
        "runs": pl.Int64(),
        "reached": pl.Int64(),
        "finished": pl.Int64(),
        "diverged": pl.Int64(),
        "lost": pl.Int64(),
        "median": pl.Float64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
        "mean": pl.Float64(),
        "mean_low": pl.Float64(),
        "mean_high": pl.Float64(),
        "share": pl.Float64(),
        "share_low": pl.Float64(),
        "share_high": pl.Float64(),
    }
)
"""One row a group, the cheapest first.

``finished``: runs that are there or train no more; ``diverged``: of those that never got there; ``lost``: of
those that did and are not there any more. ``median`` with its interval, ``mean``: restricted to the budget,
``share``: of runs that are there within it.
"""

_Runs = tuple[tuple[float, float, float], ...]
"""Of each run of a group where it is shown, and the ends of what its cost is known to be in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """Groups compared.

    Attributes:
        table: ``GROUPS``.
        budget: Up to which means and shares are told.
        baseline: The group that others are compared with; ``None`` with fewer than two.
        is_chosen: A person chose it; else it is the cheapest.
        contrasts: Group -> how many times cheaper it is than the baseline.
        left: How many groups are not among ``contrasts`` for being too many.
    """

    table: pl.DataFrame
    budget: float
    baseline: str | None = None
    is_chosen: bool = False
    contrasts: Mapping[str, Contrast] = field(default_factory=dict[str, Contrast])
    left: int = 0


def groups_of(rows: pl.DataFrame, *, baseline: str | None, budget: float | None) -> Groups:
    """Return the groups of the runs whose group is a setting; of all runs, where none has one.

    Args:
        rows: ``REACHING``.
        baseline: The group that a person chose; one that is not among them counts as none.
        budget: That a person chose; ``None`` takes how far every group was followed.
    """
    compared = settings_of(rows)
    runs = {
        str(group): tuple(part.select("at", "low", pl.col("high").fill_null(np.inf)).sort(pl.all()).rows())
        for (group,), part in compared.group_by("group", maintain_order=True)
    }
    samples = {group: _sample(one) for group, one in runs.items()}
    until = followed(rows) if budget is None else budget
    table = _ranked(_counted(compared), runs, until)
    order: list[str] = table["group"].to_list()
    if len(order) < 2:  # noqa: PLR2004 - nothing to compare
        return Groups(table=table, budget=until)
    chosen = baseline if baseline in samples else None
    base = chosen or order[0]
    kept = order[:MOST_GROUPS]
    contrasts = _contrasts(base, tuple((group, runs[group]) for group in {*kept, base}), chosen is not None)
    return Groups(
        table=table,
        budget=until,
        baseline=base,
        is_chosen=chosen is not None,
        contrasts=contrasts,
        left=len(order) - len(kept),
    )


def followed(rows: pl.DataFrame) -> float:
    """Return how far every group that is compared was followed, which is the budget where none is given.

    Runs in training are passed over where others are not: one that has just begun is no limit to all groups.

    Args:
        rows: ``REACHING``.
    """
    compared = settings_of(rows)
    ended = compared.filter(pl.col("end") != End.RUNNING.value)
    parts = (ended if ended.height else compared).partition_by("group")
    return common_budget([CensoredCosts.of(part) for part in parts]) if parts else 0.0


def settings_of(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the runs whose group is a setting to compare; all, where none has one."""
    settings = rows.filter("is_setting")
    return settings if settings.height else rows


def _counted(rows: pl.DataFrame) -> pl.DataFrame:
    is_over = pl.col("reached") | (pl.col("end") != End.RUNNING.value)

    def count(which: pl.Expr, name: str) -> pl.Expr:
        return which.sum().cast(pl.Int64()).alias(name)

    return rows.group_by("group").agg(
        pl.len().cast(pl.Int64()).alias("runs"),
        count(pl.col("reached"), "reached"),
        count(is_over, "finished"),
        count(pl.col("end") == End.DIVERGED.value, "diverged"),
        count(pl.col("lost"), "lost"),
    )


def _ranked(counts: pl.DataFrame, runs: Mapping[str, _Runs], until: float) -> pl.DataFrame:
    share_there = (pl.col("reached") / pl.col("runs")).neg()
    medians = _told([(group, *_median(one)) for group, one in runs.items()], "median", "low", "high")
    ranked = counts.join(medians, on="group", how="left").sort(
        "median", share_there, "group", nulls_last=True
    )
    most = MOST_MEANS if ranked.height <= MOST_MEANS else FEW_MEANS
    order: list[str] = ranked["group"].to_list()
    first = _means(tuple(runs[group] for group in order[:most]), until)
    means = [
        (group, *(first[place] if place < most else _mean(runs[group], until)), *_share(runs[group], until))
        for place, group in enumerate(order)
    ]
    told = _told(means, *GROUPS.names()[9:])
    return ranked.join(told, on="group", how="left", maintain_order="left").select(GROUPS.names())


def _told(rows: Sequence[tuple[object, ...]], *names: str) -> pl.DataFrame:
    schema = {name: GROUPS[name] for name in ("group", *names)}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _sample(runs: _Runs) -> CensoredCosts:
    return CensoredCosts(np.array([low for _, low, _ in runs]), np.array([high for *_, high in runs]))


# A redraw seldom has new runs, and a changed budget or baseline leaves most of these numbers as they are.
@lru_cache(maxsize=4096)
def _median(runs: _Runs) -> tuple[float | None, float | None, float | None]:
    at_dates = tuple((at, at, at if np.isfinite(high) else np.inf) for at, _, high in runs)
    between = median_cost(_sample(runs))
    return median_cost(_sample(at_dates)).value, between.low, between.high


@lru_cache(maxsize=128)
def _means(groups: Sequence[_Runs], until: float) -> Sequence[tuple[float | None, ...]]:
    found = restricted_means([_sample(runs) for runs in groups], until=until)
    return [(one.value, one.low, one.high) for one in found]


@lru_cache(maxsize=4096)
def _mean(runs: _Runs, until: float) -> tuple[float | None, ...]:
    return restricted_mean(_sample(runs), until=until, interval=False).value, None, None


def _share(runs: _Runs, until: float) -> tuple[float | None, ...]:
    share = reached_by(_sample(runs), until)
    return share.value, share.low, share.high


@lru_cache(maxsize=128)
def _contrasts(
    base: str,
    groups: Sequence[tuple[str, _Runs]],
    is_chosen: bool,  # noqa: FBT001 - part of the cache's key
) -> Mapping[str, Contrast]:
    samples = {group: _sample(runs) for group, runs in groups}
    return against_baseline(base, sorted(samples), samples, is_chosen=is_chosen)


SHOWN = pl.Schema(
    {
        "group": pl.String(),
        "runs": pl.Int64(),
        "reached": pl.Int64(),
        "median": pl.Float64(),
        "median 95 %": pl.String(),
        "mean": pl.Float64(),
        "mean 95 %": pl.String(),
        "share": pl.Float64(),
        "share 95 %": pl.String(),
        "speed-up": pl.Float64(),
        "speed-up 95 %": pl.String(),
        "p": pl.Float64(),
        "least p": pl.Float64(),
        "diverged": pl.Int64(),
        "lost": pl.Int64(),
        "training": pl.Int64(),
    }
)
"""The groups as the table on the page has them; amounts are in the unit's thousands, millions and so on."""


def shown_groups(groups: Groups, *, factor: float) -> pl.DataFrame:
    """Return ``SHOWN``; the baseline has a speed-up of 1 and no p.

    Args:
        groups: What was compared.
        factor: What to divide amounts by.
    """
    rows = [_shown(row, groups, factor) for row in groups.table.iter_rows(named=True)]
    return pl.DataFrame(rows, schema=SHOWN, orient="row")


def _shown(row: Mapping[str, object], groups: Groups, factor: float) -> tuple[object, ...]:
    name = str(row["group"])
    one = groups.contrasts.get(name)
    ratio = Estimate(value=1.0 if name == groups.baseline else None) if one is None else one.speed_up

    def amount(value: object) -> float | None:
        return None if value is None else _number(value) / factor

    def percent(value: object) -> float | None:
        return None if value is None else 100 * _number(value)

    return (
        name, row["runs"], row["reached"],
        amount(row["median"]), ends(amount(row["low"]), amount(row["high"])),
        amount(row["mean"]), ends(amount(row["mean_low"]), amount(row["mean_high"])),
        percent(row["share"]), ends(percent(row["share_low"]), percent(row["share_high"])),
        ratio.value, ends(ratio.low, ratio.high),
        None if one is None else one.adjusted_p, None if one is None else one.attainable_p,
        row["diverged"], row["lost"], int(_number(row["runs"]) - _number(row["finished"])),
    )  # fmt: skip


def ends(low: float | None, high: float | None) -> str | None:
    """Return the ends of an interval in three digits, an open one as ``…``; ``None`` without any.

    >>> ends(1234.5, None), ends(0.0123, 2.0), ends(None, None)
    ('1,230 – …', '0.0123 – 2', None)
    """
    if low is None and high is None:
        return None
    return " – ".join("…" if end is None else _three(end) for end in (low, high))


def _three(value: float) -> str:
    return f"{float(f'{value:.3g}'):,.10g}"


def _number(value: object) -> float:
    return float(str(value))
