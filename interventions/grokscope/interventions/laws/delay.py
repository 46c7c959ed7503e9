"""The delay of generalization: what was spent between memorization and it, known as an interval."""

import polars as pl

DELAYS = pl.Schema(
    {
        "run_id": pl.String(),
        "reached": pl.Boolean(),
        "low": pl.Float64(),
        "high": pl.Float64(),
        "spent": pl.Float64(),
    }
)
"""As ``COSTS``, counted from memorization: the laws take them in place of costs."""


def delays(generalized: pl.DataFrame, memorized: pl.DataFrame) -> pl.DataFrame:
    """Return how long each run took from memorization to generalization.

    Both are known between two evaluations, so the delay lies between the shortest and the longest time
    between them. Runs that have not memorized have no delay and are left out; one that generalized before it
    memorized has a delay of at most what lies between, 0 at least.

    Args:
        generalized: ``COSTS`` of the target of generalization; further columns are kept.
        memorized: ``COSTS`` of that of memorization, of the same runs in the same unit.

    >>> end = pl.DataFrame({"run_id": ["a"], "reached": [True], "low": [90.0], "high": [100.0]})
    >>> end = end.with_columns(spent=200.0)
    >>> begin = end.with_columns(low=pl.lit(10.0), high=pl.lit(20.0))
    >>> delays(end, begin).select("low", "high", "spent").row(0)
    (70.0, 90.0, 180.0)
    """
    begun = memorized.filter("reached").select("run_id", from_low="low", from_high="high")
    both = generalized.join(begun, on="run_id", how="inner", maintain_order="left")
    return (
        both.with_columns(
            low=(pl.col("low") - pl.col("from_high")).clip(0.0),
            high=(pl.col("high") - pl.col("from_low")).clip(0.0),
            spent=(pl.col("spent") - pl.col("from_high")).clip(0.0),
        )
        .filter(pl.col("high").is_null() | (pl.col("high") > 0))
        .drop("from_low", "from_high")
    )
