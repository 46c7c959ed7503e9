"""How often, and at what cost, the target is reached at each pair of values of two variables."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import bdtr, bdtrik

from grokscope.interventions.clopper_pearson import clopper_pearson
from grokscope.interventions.designs.axis import VariableError
from grokscope.interventions.designs.budget import ON_ITS_WAY, REACHED, within_budget

LEAST_RUNS = 6
"""Runs from which the order statistics of a sample can cover its median 95 times in 100: 1 - 2 / 2⁶ = .97."""
HALF = 0.5 + 1e-9
"""Half of the runs, but for what rounding adds to a product of shares."""
MOST_CELLS = 10_000
"""A grid larger than this is no grid: the values were drawn, and no cell of it is missing."""

CELLS = pl.Schema(
    {
        "runs": pl.Int64(),
        "reached": pl.Int64(),
        "decided": pl.Int64(),
        "on_their_way": pl.Int64(),
        "share": pl.Float64(),
        "share_low": pl.Float64(),
        "share_high": pl.Float64(),
        "median": pl.Float64(),
        "median_low": pl.Float64(),
        "median_high": pl.Float64(),
        "median_missing": pl.String(),
        "budget": pl.Float64(),
        "seeds": pl.List(pl.String()),
    }
)
"""Columns of a cell beside the two variables.

``decided``: reached or missed; ``share`` is of those. A median without a number has the reason in
``median_missing``; an end that is null is unbounded, and the reason says so.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseDiagram:
    """The cells of two variables.

    Attributes:
        x, y: Names of the variables.
        cells: The two variables and ``CELLS``, sorted; a cell of the grid that nobody trained has 0 runs.
        level: Of the intervals.
        sentence: What there is, in words.
        caveats: What to know before reading it.
    """

    x: str
    y: str
    cells: pl.DataFrame
    level: float
    sentence: str
    caveats: tuple[str, ...]


def phase_diagram(  # noqa: PLR0913 - keyword-only options of one public face
    costs: pl.DataFrame,
    *,
    x: str,
    y: str,
    budget: float | str | None = None,
    seed: str = "seed",
    level: float = 0.95,
) -> PhaseDiagram:
    """Return how many runs of each cell reach the target within the budget, and their median cost.

    The interval of the share is exact (Clopper and Pearson 1934). The median is that of Kaplan and Meier; its
    interval is between two order statistics of the costs, which covers the median at least as often as
    ``level`` says whatever the distribution (David and Nagaraja, Order Statistics, 7.1). Runs on their way
    count as reached at once for its low end, and as never for its high end, so it holds however they go on.

    Args:
        costs: ``COSTS`` with a column of each variable, of numbers or text.
        x: Name of a variable.
        y: Name of the other.
        budget: What each run may spend; see ``within_budget``.
        seed: The column of the runs' seeds; without it nothing is told of seeds.
        level: Of the intervals.

    Raises:
        VariableError: If a column is missing.

    >>> costs = pl.DataFrame({"reached": [True, False], "low": [10.0, 50.0], "high": [20.0, None]})
    >>> costs = costs.with_columns(spent=50.0, a=pl.Series([1, 2]), b=0)
    >>> phase_diagram(costs, x="a", y="b").cells.select("a", "reached", "decided", "share_high").rows()
    [(1, 1, 1, 1.0), (2, 0, 1, 0.975)]
    """
    for name in (x, y):
        if name not in costs.columns:
            raise VariableError(f"no column {name!r} in these runs; they have {', '.join(costs.columns)}")
    known = costs.filter(pl.col(x).is_not_null() & pl.col(y).is_not_null())
    runs = within_budget(known, budget=budget, cell=(x, y))
    if seed not in runs.columns:
        runs = runs.with_columns(pl.lit(None, pl.String).alias(seed))
    cells = _with_intervals(_counted(runs, (x, y), seed), level)
    cells = cells.join(_medians(runs, (x, y), level), on=[x, y], how="left", nulls_equal=True)
    grid = _grid(cells, x, y)
    whole = cells if grid is None else grid.join(cells, on=[x, y], how="left", maintain_order="left")
    whole = _filled(whole).select(x, y, *CELLS).sort(x, y)
    return PhaseDiagram(
        x=x,
        y=y,
        cells=whole,
        level=level,
        sentence=_sentence(whole, x, y),
        caveats=_caveats(whole, drawn=grid is None, left_out=len(costs) - len(known)),
    )


def _counted(runs: pl.DataFrame, cell: tuple[str, str], seed: str) -> pl.DataFrame:
    result = pl.col("result")
    return runs.group_by(cell).agg(
        pl.len().cast(pl.Int64).alias("runs"),
        (result == REACHED).sum().cast(pl.Int64).alias("reached"),
        (result != ON_ITS_WAY).sum().cast(pl.Int64).alias("decided"),
        (result == ON_ITS_WAY).sum().cast(pl.Int64).alias("on_their_way"),
        pl.col("budget").max(),
        pl.col(seed).cast(pl.String).drop_nulls().unique().sort().alias("seeds"),
    )


def _with_intervals(cells: pl.DataFrame, level: float) -> pl.DataFrame:
    low, high = clopper_pearson(cells["reached"].to_numpy(), cells["decided"].to_numpy(), level=level)
    is_known = pl.col("decided") > 0
    return cells.with_columns(
        pl.when(is_known).then(pl.col("reached") / pl.col("decided")).alias("share"),
        pl.when(is_known).then(pl.Series(low)).alias("share_low"),
        pl.when(is_known).then(pl.Series(high)).alias("share_high"),
    )


def _medians(runs: pl.DataFrame, cell: tuple[str, str], level: float) -> pl.DataFrame:
    """Return the median cost of each cell with its interval, all cells at once."""
    reached = pl.col("result") == REACHED
    followed = pl.min_horizontal("low", "budget")
    ordered = runs.select(
        *cell,
        reached.alias("reached"),
        pl.when(reached).then("low").otherwise(followed).alias("low"),
        pl.when(reached).then("high").otherwise(float("inf")).alias("high"),
        pl.when(reached).then("high").otherwise(followed).alias("at"),
        pl.len().over(cell).cast(pl.Int64).alias("n"),
        # Of runs that end together, those that reach the target come first: the others were still at risk.
    ).sort(*cell, "at", "reached", descending=[False, False, False, True])
    at_risk = pl.col("n") - pl.int_range(pl.len()).over(cell)
    most = int(ordered["n"].max() or 0)  # pyright: ignore[reportArgumentType]
    ranks = pl.DataFrame({"n": np.arange(most + 1), "rank": median_ranks(most, level)})
    place = pl.col("rank").first()
    return (
        ordered.with_columns(left=(1 - pl.col("reached") / at_risk).cum_prod().over(cell))
        .join(ranks, on="n", how="left", maintain_order="left")
        .group_by(cell)
        .agg(
            pl.col("at").filter(pl.col("left") <= HALF).first().alias("median"),
            pl.when(place > 0).then(pl.col("low").sort().get(place.clip(1) - 1)).alias("median_low"),
            pl.when(place > 0).then(pl.col("high").sort().get(pl.len() - place.clip(1))).alias("median_high"),
            (place > 0).alias("has_interval"),
        )
    )


def median_ranks(most: int, level: float) -> NDArray[np.int64]:
    """Return for 0 to ``most`` runs the rank k at which the interval of the median begins; 0 is none.

    From the k-th smallest to the k-th largest: it misses the median with probability 2 P(Bin(n, ½) < k).

    >>> median_ranks(9, 0.95)
    array([0, 0, 0, 0, 0, 0, 1, 1, 1, 2])
    """
    runs, tail = np.arange(1, most + 1), (1 - level) / 2
    # The root of P(Bin(n, ½) ≤ k) = tail, rounded up, is the rank, unless rounding made it one too high.
    ranks = np.maximum(np.ceil(np.asarray(bdtrik(tail, runs, 0.5), np.float64)), 0.0)
    below = np.maximum(ranks - 1, 0.0)
    ranks = np.where(np.asarray(bdtr(below, runs, 0.5), np.float64) >= tail, below, ranks)
    return np.concatenate(([0.0], ranks)).astype(np.int64)


def _grid(cells: pl.DataFrame, x: str, y: str) -> pl.DataFrame | None:
    """Return all pairs of values, or ``None`` if they were drawn and form no grid."""
    values = [cells.select(pl.col(name).unique().sort()) for name in (x, y)]
    if len(values[0]) * len(values[1]) > MOST_CELLS:
        return None
    return values[0].join(values[1], how="cross")


def _filled(cells: pl.DataFrame) -> pl.DataFrame:
    """Return cells with 0 where nobody trained, and the reason where a median or its interval is missing."""
    counts = [pl.col(name).fill_null(0) for name in ("runs", "reached", "decided", "on_their_way")]
    high = pl.col("median_high")
    cells = cells.with_columns(*counts, pl.col("seeds").fill_null([]))
    few = pl.format("{} runs: an interval of the median needs {}", "runs", pl.lit(LEAST_RUNS))
    reason = (
        pl.when(pl.col("runs") == 0)
        .then(pl.lit("no run"))
        .when(pl.col("median").is_null())
        .then(pl.lit("fewer than half of the runs have reached it"))
        .when(~pl.col("has_interval"))
        .then(few)
        .when(high.is_infinite())
        .then(pl.lit("the interval has no upper end: too few runs have reached it"))
    )
    return cells.with_columns(
        reason.alias("median_missing"), pl.when(high.is_finite()).then(high).alias("median_high")
    )


def _sentence(cells: pl.DataFrame, x: str, y: str) -> str:
    reached, decided = int(cells["reached"].sum()), int(cells["decided"].sum())
    trained = cells.filter(pl.col("runs") > 0)
    return (
        f"{reached} of {decided} runs reach the target, in {len(trained)} cells of {x} by {y}; "
        f"in {int((trained['share'] == 1).sum())} all do, in {int((trained['share'] == 0).sum())} none."
    )


def _caveats(cells: pl.DataFrame, *, drawn: bool, left_out: int) -> tuple[str, ...]:
    trained = cells.filter(pl.col("runs") > 0)
    waiting, few = int(cells["on_their_way"].sum()), len(trained.filter(pl.col("runs") < LEAST_RUNS))
    empty = len(cells) - len(trained)
    several = (
        len(trained["budget"].drop_nulls().unique()) > 1 and (trained["reached"] < trained["decided"]).any()
    )
    told = (
        (waiting, f"{_many(waiting, 'run is', 'runs are')} on the way below the budget: counted neither way"),
        (few, f"{_many(few, 'cell has', 'cells have')} fewer than {LEAST_RUNS} runs: {_NO_INTERVAL}"),
        (empty, f"{_many(empty, 'cell of the grid has', 'cells of the grid have')} no run"),
        (drawn, "the values form no grid, so missing cells are not listed"),
        (several, "cells have different budgets; give one, so that their shares compare"),
        (left_out, f"{_many(left_out, 'run has', 'runs have')} no value of a variable: left out"),
    )
    return tuple(sentence for holds, sentence in told if holds)


_NO_INTERVAL = "no interval of the median without a model"


def _many(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
