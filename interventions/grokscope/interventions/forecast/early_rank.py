"""How well the rank of runs at a step tells their rank at the end, and what it costs to trust it."""

import math
from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtri

from grokscope.interventions.forecast.hazard import FloatArray
from grokscope.interventions.outcomes.costs import STEPS, UnitError
from grokscope.interventions.outcomes.target import Target
from grokscope.schemas import GrokscopeError

LEVEL = 0.95
LEAST_RUNS = 4
"""Fewer runs give no interval of a rank correlation."""

EARLY_RANKS = pl.Schema(
    {
        "at": pl.Float64(),
        "n": pl.Int64(),
        "spearman": pl.Float64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
        "regret": pl.Float64(),
        "kept": pl.Int64(),
        "regret_by_chance": pl.Float64(),
        "with_planned": pl.Float64(),
        "within_planned": pl.Float64(),
    }
)
"""One row a step.

``spearman``: of the value at the step with the value at the end, and its 95 % interval; 1 is the same order.
``regret``: by how much the best end among the ``kept`` best at the step is worse than the best of all, in the
metric's unit; ``regret_by_chance``: the mean of that, had as many been kept at random. ``with_planned``:
Spearman of the value at the step with the planned length, ``within_planned``: of the value at the step with
that at the end, among runs of the same planned length; null without.
"""


class EarlyRankError(GrokscopeError):
    """Runs that no early rank can be told of."""


def early_ranks(
    curves: pl.DataFrame, target: Target, at: Sequence[float], *, keep: float = 0.25, unit: str = STEPS
) -> pl.DataFrame:
    """Return, for each step, how well the ranks there tell the ranks at the end.

    The value at a step is that of the last evaluation up to it. Runs that end at or before the step are left
    out: they are no forecast.

    Args:
        curves: ``CURVES``, a column for the unit, maybe ``planned`` (length that the schedule was made for)
            and ``group`` (values are means over the runs of a group, which are then ranked).
        target: Its metric and side are what is ranked; its level is not used.
        at: Steps, in the unit.
        keep: Part of the runs that is kept at the step, at least one.
        unit: What is counted.

    Returns:
        ``EARLY_RANKS``; correlations are null below two runs or where all are equal, intervals below four.

    Raises:
        UnitError: If the curves do not count the unit.
        EarlyRankError: If no run has the metric, or ``keep`` is not in (0, 1].

    Source: Spearman 1904; interval: Bonett and Wright 2000, z = artanh ρ, s.e. √((1 + ρ²/2)/(n − 3)).

    >>> frame = pl.DataFrame({"run_id": [*"abcabc"], "step": [1, 1, 1, 9, 9, 9], "value": [3, 4, 5, 1, 2, 3]})
    >>> frame = frame.with_columns(metric=pl.lit("loss"))
    >>> early_ranks(frame, Target.parse("loss<=0"), [1])["spearman", "regret"].rows()
    [(1.0, 0.0)]
    """
    if not 0 < keep <= 1:
        raise EarlyRankError(
            f"keep is a part of the runs, in (0, 1], got {keep:g}; 0.25 keeps the best quarter"
        )
    values = _good_values(curves, target, unit)
    if values.is_empty():
        raise EarlyRankError(f"no run has a value of {target.metric!r}; check the target's metric")
    rows = [_row(values, step, keep, is_upward=target.is_upward) for step in at]
    return pl.DataFrame(rows, schema=EARLY_RANKS, orient="row")


def _good_values(curves: pl.DataFrame, target: Target, unit: str) -> pl.DataFrame:
    """Return ``name, planned, cost, good``: the metric turned so that more is better."""
    column = "step" if unit == STEPS else unit
    if column not in curves.columns:
        raise UnitError(
            f"nothing counts {unit!r} in these runs; their columns are {', '.join(curves.columns)}"
        )
    name = pl.col("group" if "group" in curves.columns else "run_id").cast(pl.String).alias("name")
    planned = (
        pl.col("planned").cast(pl.Float64) if "planned" in curves.columns else pl.lit(None, pl.Float64())
    )
    good = pl.col("value") if target.is_upward else -pl.col("value")
    return (
        curves.filter((pl.col("metric") == target.metric) & pl.col("value").is_finite())
        .select(
            "run_id",
            name,
            planned.alias("planned"),
            pl.col(column).cast(pl.Float64).alias("cost"),
            good.alias("good"),
        )
        .sort("run_id", "cost")
    )


def _row(
    values: pl.DataFrame, step: float, keep: float, *, is_upward: bool
) -> tuple[float | int | None, ...]:
    """Return the row of one step."""
    early = pl.col("good").filter(pl.col("cost") <= step).last()
    runs = values.group_by("run_id", "name", maintain_order=True).agg(
        early=early, end=pl.col("good").last(), last=pl.col("cost").last(), planned=pl.col("planned").last()
    )
    runs = runs.filter((pl.col("last") > step) & pl.col("early").is_not_null())
    units = runs.group_by("name", maintain_order=True).agg(pl.col("early", "end", "planned").mean())
    first, end = units["early"].to_numpy(), units["end"].to_numpy()
    rho = spearman(first, end)
    kept = max(round(keep * len(first)), 1)
    regret, by_chance = _regret(first, end, kept) if len(first) else (None, None)
    has_planned = len(units) > 0 and units["planned"].null_count() == 0
    planned = units["planned"].to_numpy() if has_planned else None
    with_planned = None if planned is None else spearman(first if is_upward else -first, planned)
    within = None if planned is None else _within(first, end, planned)
    return (step, len(first), rho, *_interval(rho, len(first)), regret, kept, by_chance, with_planned, within)


def spearman(first: FloatArray, second: FloatArray) -> float | None:
    """Return the rank correlation of two columns; ``None`` below two rows or where one is constant.

    >>> round(spearman(np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 3.0, 2.0, 4.0])), 3)
    0.8
    """
    return _correlation(_ranks(first), _ranks(second))


def _ranks(values: FloatArray) -> FloatArray:
    from scipy import stats  # noqa: PLC0415  half a second, which other answers need not wait

    return np.asarray(stats.rankdata(values), dtype=np.float64)


def _correlation(first: FloatArray, second: FloatArray) -> float | None:
    if len(first) < 2 or np.ptp(first) == 0 or np.ptp(second) == 0:  # noqa: PLR2004 -- one row has no order
        return None
    return float(np.corrcoef(first, second)[0, 1])


def _interval(rho: float | None, n: int) -> tuple[float | None, float | None]:
    if rho is None or n < LEAST_RUNS:
        return None, None
    if abs(rho) >= 1:
        return (rho, rho) if n > LEAST_RUNS else (None, None)
    half = float(ndtri(0.5 + LEVEL / 2)) * math.sqrt((1 + rho**2 / 2) / (n - 3))
    return math.tanh(math.atanh(rho) - half), math.tanh(math.atanh(rho) + half)


def _regret(first: FloatArray, end: FloatArray, kept: int) -> tuple[float, float]:
    """Return what keeping the best at the step loses of the best end, and what keeping any as many does.

    The best of k of n drawn at random: the i-th best end has rank i among them with probability
    C(n − i, k − 1) / C(n, k).
    """
    n = len(end)
    order = np.argsort(-first, kind="stable")
    best = float(end.max())
    ranked = np.sort(end)[::-1]
    chances = np.array([math.comb(n - i, kept - 1) / math.comb(n, kept) for i in range(1, n + 1)])
    return best - float(end[order[:kept]].max()), best - float(chances @ ranked)


def _within(first: FloatArray, end: FloatArray, planned: FloatArray) -> float | None:
    """Return the rank correlation among runs of the same planned length: ranks centred in each, pooled."""
    centred: list[tuple[FloatArray, FloatArray]] = []
    for length in np.unique(planned):
        here: NDArray[np.bool_] = planned == length
        ranks = _ranks(first[here]), _ranks(end[here])
        centred.append((ranks[0] - ranks[0].mean(), ranks[1] - ranks[1].mean()))
    return _correlation(
        np.concatenate([one for one, _ in centred]), np.concatenate([one for _, one in centred])
    )
