"""What the runs of one group spend."""

from collections.abc import Mapping, Sequence
from functools import partial

import polars as pl

from grokscope.interventions.comparing.records import GroupResult
from grokscope.interventions.estimate import Estimate
from grokscope.interventions.outcomes.costs import CensoredCosts
from grokscope.interventions.outcomes.ends import End
from grokscope.interventions.outcomes.estimand import Estimand
from grokscope.interventions.survival.median import median_cost
from grokscope.interventions.survival.reached_by import reached_by
from grokscope.interventions.survival.restricted_mean import restricted_means
from grokscope.interventions.survival.turnbull import turnbull_median
from grokscope.schemas.workers import HERE, Workers, shared_out, values

_LADDER = "A ladder tells budgets that are enough, not what single runs spend."


def group_results(
    samples: Mapping[str, pl.DataFrame], *, budget: float, estimand: Estimand, workers: Workers = HERE
) -> tuple[GroupResult, ...]:
    """Return what the runs of each group spend, as ``COSTS`` with ``end``, the cheapest first.

    They are followed up to a common budget.

    A task takes as many groups as keep all workers busy: what is random is drawn once a task.
    """
    parts = shared_out(list(samples.items()), workers.count)
    of_part = partial(_results, budget=budget, is_ladder=estimand is Estimand.LADDER)
    found = (one for part in values(workers.map(of_part, parts)) for one in part)
    return tuple(sorted(found, key=lambda one: one.rank))


def _results(
    samples: Sequence[tuple[str, pl.DataFrame]], *, budget: float, is_ladder: bool
) -> list[GroupResult]:
    costs = [CensoredCosts.of(part) for _, part in samples]
    none = Estimate(value=None, missing=_LADDER)
    means = [none] * len(costs) if is_ladder else restricted_means(costs, until=budget)
    return [
        GroupResult(
            group=name,
            n=part.height,
            reached=int(sample.reached.sum()),
            median=turnbull_median(sample) if is_ladder else median_cost(sample),
            restricted_mean=mean,
            share=none if is_ladder else reached_by(sample, budget),
            ends=_ends(part),
        )
        for (name, part), sample, mean in zip(samples, costs, means, strict=True)
    ]


def _ends(costs: pl.DataFrame) -> dict[str, int]:
    """Return how the runs that have not reached the target ended, and how many of them, by name."""
    others = costs["end"].filter(costs["end"] != End.REACHED.value)
    return dict(others.value_counts().sort("end").iter_rows())
