"""Every two groups: how many times less one costs, and whether that is more than chance."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from math import comb

import polars as pl

from grokscope.interventions.comparing.records import NEITHER, Contrast, GroupResult
from grokscope.interventions.contrasts.attainable import attainable_p, attainable_paired_p
from grokscope.interventions.contrasts.budgets import (
    attainable_shared_p,
    shared_budgets_p,
    speed_up_of_budgets,
)
from grokscope.interventions.contrasts.improvement import improvement
from grokscope.interventions.contrasts.multiplicity import holm
from grokscope.interventions.contrasts.paired_speed_up import paired_speed_up, paired_speed_up_p
from grokscope.interventions.contrasts.speed_up import speed_up, speed_up_p
from grokscope.interventions.estimate import Estimate
from grokscope.interventions.outcomes.costs import CensoredCosts
from grokscope.interventions.survival.log_rank import log_rank
from grokscope.schemas.workers import HERE, Workers, values

MOST_IN_PAIRS = 10
"""Of more groups, the cheapest is compared with each other one only."""

_DECIDED = 0.05

_AT_START = "A run is at the target at its very start, of which no cost is a multiple."


def contrasts_of(
    groups: Sequence[GroupResult],
    samples: Mapping[str, pl.DataFrame],
    *,
    is_split: bool,
    is_ladder: bool = False,
    workers: Workers = HERE,
) -> tuple[Contrast, ...]:
    """Return the contrasts of groups, those of the first group first, ``a`` the cheaper of each two.

    Args:
        groups: The cheapest first.
        samples: Group -> its runs' ``COSTS`` with ``block``, and ``setting`` if any.
        is_split: The groups may be of several settings, which are not compared with each other.
        is_ladder: A cost is a planned budget that was enough, or was not.
        workers: Who compares, a task two groups.
    """
    names = [group.group for group in groups]
    setting = {name: _setting(samples[name]) if is_split else None for name in names}
    is_short = len(names) <= MOST_IN_PAIRS
    pairs = list(combinations(names, 2)) if is_short else [(names[0], name) for name in names[1:]]
    pairs = [(a, b) for a, b in pairs if setting[a] == setting[b]]
    # Whichever is shown, the cheapest was found by looking at all pairs, so all count in the adjustment.
    in_all = sum(comb(count, 2) for count in Counter(setting.values()).values())
    compared = partial(_compared_budgets if is_ladder else _compared, in_all=in_all)
    made = values(workers.map(compared, [(samples[a], samples[b]) for a, b in pairs]))
    # The group with the smaller median need not be the one that all its runs show to be cheaper.
    turned = [place for place, one in enumerate(made) if one.is_turned]
    for place in turned:
        a, b = pairs[place]
        pairs[place] = (b, a)
    again = workers.map(compared, [(samples[pairs[place][0]], samples[pairs[place][1]]) for place in turned])
    for place, one in zip(turned, values(again), strict=True):
        made[place] = one
    known = [one.p for one in made if one.p is not None]
    adjusted = iter(holm(known, of=in_all).tolist() if known else ())
    return tuple(
        _contrast(a, b, one, adjusted_p=None if one.p is None else float(next(adjusted)))
        for (a, b), one in zip(pairs, made, strict=True)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    speed_up: Estimate
    p: float | None
    attainable_p: float
    improvement: Estimate
    is_paired: bool

    @property
    def is_turned(self) -> bool:
        """Whether the other group is the cheaper one."""
        if self.speed_up.value is not None:
            return self.speed_up.value < 1
        return self.improvement.value is not None and 2 * self.improvement.value < 1


def _compared(pair: tuple[pl.DataFrame, pl.DataFrame], *, in_all: int) -> _Compared:
    a, b = pair
    ones, others = CensoredCosts.of(a), CensoredCosts.of(b)
    starts = min(ones.high.min(), others.high.min()) <= 0
    paired = None if starts else _pairs(a, b, in_all)
    if paired is None:
        attainable = attainable_p(ones.at.size, others.at.size)
    else:
        attainable = attainable_paired_p(paired[0].at.size)
    first, second = paired or (ones, others)
    if not (ones.reached.any() or others.reached.any()):
        ratio, p = Estimate(value=None, missing=NEITHER), None
    elif starts:
        ratio, p = Estimate(value=None, missing=_AT_START), log_rank(ones, others).p
    elif paired is not None:
        ratio, p = paired_speed_up(first, second), paired_speed_up_p(first, second)
    else:
        ratio, p = speed_up(first, second), speed_up_p(first, second)
    return _Compared(
        speed_up=ratio,
        p=p,
        attainable_p=attainable,
        improvement=improvement(ones, others),
        is_paired=paired is not None,
    )


def _compared_budgets(pair: tuple[pl.DataFrame, pl.DataFrame], *, in_all: int) -> _Compared:
    """Return two groups of a ladder compared: runs are tested within the budgets that both have tried."""
    del in_all  # a ladder has no partners, of which there may be too few
    ones, others = map(CensoredCosts.of, pair)
    is_known = ones.reached.any() or others.reached.any()
    none = Estimate(value=None, missing=NEITHER)
    return _Compared(
        speed_up=speed_up_of_budgets(ones, others) if is_known else none,
        p=shared_budgets_p(ones, others) if is_known else None,
        attainable_p=attainable_shared_p(ones, others),
        improvement=improvement(ones, others),
        is_paired=False,
    )


def _pairs(a: pl.DataFrame, b: pl.DataFrame, in_all: int) -> tuple[CensoredCosts, CensoredCosts] | None:
    """Return the runs of equal blocks, side by side; ``None`` unless all runs of a group have one partner.

    Nor are there any where so few pairs could never be decided, all ``in_all`` comparisons counted in.

    Where runs have not reached the target, the ratio of their pair is open, and the paired test can tell less
    than the other one: then there is none either.
    """
    if in_all * attainable_paired_p(min(a.height, b.height)) > _DECIDED:
        return None
    if any(part["block"].null_count() or part["block"].n_unique() != part.height for part in (a, b)):
        return None
    both = a.join(b, on="block", how="inner", suffix="_b").sort("block")
    is_open = both.select("high", "high_b").null_count().sum_horizontal().item() > 0
    if is_open or both.height < min(a.height, b.height):
        return None
    other = both.select(low="low_b", high="high_b")
    return CensoredCosts.of(both), CensoredCosts.of(other)


def _contrast(a: str, b: str, one: _Compared, *, adjusted_p: float | None) -> Contrast:
    return Contrast(
        a=a,
        b=b,
        speed_up=one.speed_up,
        p=one.p,
        adjusted_p=adjusted_p,
        attainable_p=one.attainable_p,
        improvement=one.improvement,
        is_paired=one.is_paired,
    )


def _setting(costs: pl.DataFrame) -> object:
    return costs["setting"].drop_nulls().first() if "setting" in costs.columns else None
