"""What the runs of one group spend."""

from collections import Counter

import polars as pl

from grokscope.interventions.comparing.records import GroupResult
from grokscope.interventions.estimate import Estimate
from grokscope.interventions.outcomes.costs import CensoredCosts
from grokscope.interventions.outcomes.ends import End
from grokscope.interventions.outcomes.estimand import Estimand
from grokscope.interventions.survival.median import median_cost
from grokscope.interventions.survival.reached_by import reached_by
from grokscope.interventions.survival.restricted_mean import restricted_mean
from grokscope.interventions.survival.turnbull import turnbull_median

_LADDER = "A ladder tells budgets that are enough, not what single runs spend."


def group_result(name: str, costs: pl.DataFrame, *, budget: float, estimand: Estimand) -> GroupResult:
    """Return what the runs of a group spend, as ``COSTS`` with ``end``, up to a common budget."""
    sample = CensoredCosts.of(costs)
    ends = Counter(end for end in costs["end"].to_list() if end != End.REACHED.value)
    is_ladder = estimand is Estimand.LADDER
    none = Estimate(value=None, missing=_LADDER)
    return GroupResult(
        group=name,
        n=costs.height,
        reached=int(sample.reached.sum()),
        median=turnbull_median(sample) if is_ladder else median_cost(sample),
        restricted_mean=none if is_ladder else restricted_mean(sample, until=budget),
        share=none if is_ladder else reached_by(sample, budget),
        ends=dict(sorted(ends.items())),
    )
