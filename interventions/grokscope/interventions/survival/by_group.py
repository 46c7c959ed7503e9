"""Kaplan–Meier curves of several groups, with the numbers that are written under them."""

import polars as pl

from grokscope.interventions.outcomes.costs import CensoredCosts
from grokscope.interventions.survival.kaplan_meier import CURVE, kaplan_meier, numbers_at_risk

MARKS = 6
"""Costs at which the runs that are still on their way are counted."""

AT_RISK = pl.Schema({"group": pl.String(), "cost": pl.Float64(), "count": pl.Int64()})
"""``count``: runs of the group still on their way just before ``cost``."""


def survival_of_groups(costs: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the Kaplan–Meier curve of each group (``group`` and ``CURVE``), and ``AT_RISK``.

    Args:
        costs: ``COSTS`` with ``group``, which keeps its order.

    >>> costs = pl.DataFrame({"group": ["a", "a"], "low": [0.0, 90.0], "high": [10.0, None]})
    >>> curves, at_risk = survival_of_groups(costs)
    >>> curves["share"].to_list(), at_risk["count"].to_list()
    ([1.0, 0.5, 0.5], [2, 1, 1, 1, 1, 1])
    """
    at = CensoredCosts.of(costs).at
    at = at[at > 0]
    low, high = (float(at.min()), float(at.max())) if at.size else (1.0, 1.0)
    marks = [low * (high / low) ** (place / (MARKS - 1)) for place in range(MARKS)]
    curves = [pl.DataFrame(schema={"group": pl.String(), **CURVE})]
    at_risk = [pl.DataFrame(schema=AT_RISK)]
    for (group,), part in costs.group_by("group", maintain_order=True):
        sample, name = CensoredCosts.of(part), pl.lit(str(group)).alias("group")
        curves.append(kaplan_meier(sample).select(name, pl.all()))
        counts = pl.DataFrame({"cost": marks, "count": numbers_at_risk(sample, marks)})
        at_risk.append(counts.select(name, pl.all()).match_to_schema(AT_RISK))
    return pl.concat(curves), pl.concat(at_risk)
