"""The dimensions of the outcome of groups of runs, and the critical share of the data over a sweep."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from grokscope.interventions.estimate import Estimate

GROUPS = pl.Schema(
    {
        "group": pl.String(),
        "dimension": pl.String(),
        "outcome": pl.String(),
        "curve": pl.String(),
        "unit": pl.String(),
        "runs": pl.Int64(),
        "known": pl.Int64(),
        "median": pl.Float64(),
        "smallest": pl.Float64(),
        "largest": pl.Float64(),
        "missing": pl.String(),
    }
)
"""One row a group and outcome. ``runs``: how many there are; ``known``: how many have a value; ``median``,
``smallest``, ``largest``: of these. ``missing``: the reason that most of the others give.
"""


def dimensions_of_groups(dimensions: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """Return the outcomes of groups of runs, as ``GROUPS``.

    The median of a cost is that of all runs, those that have not reached the target counted as costing more
    than any that has; it is null where half or more have not. Medians under censoring that is not at the end
    are ``survival``'s.

    Args:
        dimensions: ``DIMENSIONS``.
        groups: ``run_id`` and ``group``.

    >>> row = {"dimension": "d", "outcome": "steps to target", "curve": "c", "unit": "steps", "missing": "no"}
    >>> runs = pl.DataFrame({"run_id": ["a", "b", "c"], "value": [1.0, 3.0, None]})
    >>> runs = runs.with_columns(**{name: pl.lit(value) for name, value in row.items()})
    >>> groups = pl.DataFrame({"run_id": ["a", "b", "c"], "group": "g"})
    >>> dimensions_of_groups(runs, groups).select("runs", "known", "median", "missing").rows()
    [(3, 2, 3.0, 'no')]
    """
    key = ["group", "dimension", "outcome", "curve", "unit"]
    is_cost = pl.col("outcome").first().str.ends_with(" to target")
    value = pl.col("value")
    censored = value.fill_null(float("inf")).median()
    return (
        dimensions.join(groups.select("run_id", "group"), on="run_id", maintain_order="left")
        .group_by(key, maintain_order=True)
        .agg(
            runs=pl.len(),
            known=value.count(),
            median=pl.when(is_cost)
            .then(pl.when(censored.is_finite()).then(censored))
            .otherwise(value.median()),
            smallest=value.min(),
            largest=value.max(),
            missing=pl.col("missing").filter(value.is_null()).drop_nulls().mode().sort().first(),
        )
        .sort("group", maintain_order=True)
        .select(pl.col(name).cast(kind) for name, kind in GROUPS.items())
    )


def critical_fraction(fractions: Sequence[float], reached: Sequence[bool]) -> Estimate:
    """Return the share of the data from which on at least half of the runs reach the target.

    It lies between the largest share at which fewer than half of the runs do and the next one that was run:
    no model says where between them.

    Args:
        fractions: Share of the data of each run, in (0, 1].
        reached: Whether it reached the target, in time for all alike.

    Returns:
        ``value`` and ``high``: the smallest share from which on, and at all larger ones, half or more reach
        it; ``low``: the share before, ``None`` if it was the smallest; no value if the largest share fails.

    >>> found = critical_fraction([0.2, 0.3, 0.3, 0.4, 0.4], [False, False, False, True, True])
    >>> found.low, found.high
    (0.3, 0.4)
    """
    method = "bracket by the shares that were run"
    shares = np.unique(np.asarray(fractions, dtype=np.float64))
    hit = np.asarray(reached, dtype=np.bool_)
    holds = [bool(hit[np.asarray(fractions) == share].mean() >= 1 / 2) for share in shares]
    if not holds:
        return Estimate(value=None, method=method, missing="there are no runs")
    fails = [place for place, one in enumerate(holds) if not one]
    first = fails[-1] + 1 if fails else 0
    if first == len(holds):
        missing = f"at the largest share, {shares[-1]:g}, fewer than half of the runs reach the target"
        return Estimate(value=None, low=float(shares[-1]), method=method, missing=missing)
    high = float(shares[first])
    if not fails:
        missing = f"at every share half of the runs or more reach the target: it is at most {high:g}"
        return Estimate(value=high, high=high, method=method, missing=missing)
    back = fails != list(range(first))
    missing = "a smaller share reaches it where a larger one does not" if back else None
    return Estimate(value=high, low=float(shares[first - 1]), high=high, method=method, missing=missing)
