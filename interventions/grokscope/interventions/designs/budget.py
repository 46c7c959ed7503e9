"""What came of each run within a budget: reached, missed, or on its way."""

import polars as pl

from grokscope.interventions.designs.axis import VariableError

REACHED, MISSED, ON_ITS_WAY = "reached", "missed", "on its way"
"""What came of a run. On its way: it has spent less than the budget without reaching the target, so nobody
knows yet; it is no failure."""


def within_budget(
    costs: pl.DataFrame, *, budget: float | str | None, cell: tuple[str, ...] = ()
) -> pl.DataFrame:
    """Return the runs with the columns ``budget`` and ``result``.

    A run reached the target if the first evaluation that shows it is within the budget. A run without it that
    diverged (its last value is NaN) has missed it, as has one whose next evaluation would come after the
    budget, taken as far away as its evaluations are on average.

    Args:
        costs: ``COSTS``, and the columns that are named; ``last`` and ``evaluations`` are used if there.
        budget: In the unit of the costs; or the column that says what each run was planned to spend; ``None``
            takes the most that a run of the same cell has spent.
        cell: The columns that tell one cell from another.

    Raises:
        VariableError: If the budget is not above 0, or there is no such column.

    >>> costs = pl.DataFrame({"reached": [True, False, False], "high": [20.0, None, None]})
    >>> costs = costs.with_columns(spent=pl.Series([20.0, 50.0, 10.0]))
    >>> within_budget(costs, budget=50)["result"].to_list()
    ['reached', 'missed', 'on its way']
    """
    budgeted = costs.with_columns(_budget(costs, budget, cell).cast(pl.Float64).alias("budget"))
    counts, shows_last = "evaluations" in costs.columns, "last" in costs.columns
    gap = pl.col("spent") / pl.col("evaluations") if counts else pl.lit(0.0)
    diverged = pl.col("last").is_nan().fill_null(value=False) if shows_last else pl.lit(value=False)
    is_over = diverged | (pl.col("spent") >= pl.col("budget")) | (pl.col("spent") + gap > pl.col("budget"))
    has_reached = pl.col("reached") & (pl.col("high") <= pl.col("budget"))
    # A run that reached the target after its budget had missed it by then.
    missed = is_over | pl.col("reached")
    return budgeted.with_columns(
        result=pl.when(has_reached.fill_null(value=False))
        .then(pl.lit(REACHED))
        .when(missed)
        .then(pl.lit(MISSED))
        .otherwise(pl.lit(ON_ITS_WAY))
    )


def _budget(costs: pl.DataFrame, budget: float | str | None, cell: tuple[str, ...]) -> pl.Expr:
    if budget is None:
        return pl.col("spent").max().over(*cell) if cell else pl.col("spent").max()
    if isinstance(budget, str):
        if budget not in costs.columns:
            raise VariableError(
                f"no column {budget!r} tells the budget; there are {', '.join(costs.columns)}"
            )
        return pl.col(budget)
    if not budget > 0:
        raise VariableError(f"a budget is above 0, got {budget}; give it in the unit of the costs")
    return pl.lit(budget)
