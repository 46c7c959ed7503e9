"""Every two groups: how many times less one costs, and whether that is more than chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import polars as pl

from grokscope.interventions.comparing.records import Contrast, GroupResult
from grokscope.interventions.contrasts.improvement import probability_of_improvement
from grokscope.interventions.contrasts.multiplicity import holm
from grokscope.interventions.contrasts.speed_up import paired_speed_up, speed_up
from grokscope.interventions.estimate import Estimate
from grokscope.interventions.outcomes.costs import CensoredCosts
from grokscope.interventions.survival.log_rank import log_rank

MOST_IN_PAIRS = 10
"""Of more groups, the cheapest is compared with each other one only."""

ENOUGH_PAIRS = 6
"""Pairs from which on a paired test can fall below .05; fewer runs of equal seeds are compared unpaired."""


def contrasts_of(
    groups: Sequence[GroupResult],
    samples: Mapping[str, pl.DataFrame],
    *,
    is_split: bool,
) -> tuple[Contrast, ...]:
    """Return the contrasts of groups, those of the cheapest first.

    Args:
        groups: The cheapest first.
        samples: Group -> its runs' ``COSTS`` with ``setting`` (null where it is not known) and ``seed``.
        is_split: The groups are of several settings, which are not compared with each other.
    """
    names = [group.group for group in groups]
    pairs = list(combinations(names, 2))
    if is_split:
        pairs = [(a, b) for a, b in pairs if _setting(samples[a]) == _setting(samples[b])]
    # Whichever is shown, the cheapest was found by looking at all pairs, so all count in the adjustment.
    in_all = len(pairs)
    if len(names) > MOST_IN_PAIRS:
        pairs = [pair for pair in pairs if pair[0] == names[0]]
    made = [_compared(samples[a], samples[b]) for a, b in pairs]
    known = [one.p for one in made if one.p is not None]
    adjusted = iter(holm(known, of=in_all)) if known else iter(())
    return tuple(
        _contrast(a, b, one, adjusted_p=None if one.p is None else next(adjusted))
        for (a, b), one in zip(pairs, made, strict=True)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    speed_up: Estimate
    p: float | None
    attainable_p: float
    improvement: Estimate
    is_paired: bool


def _compared(a: pl.DataFrame, b: pl.DataFrame) -> _Compared:
    ones, others = CensoredCosts.of(a), CensoredCosts.of(b)
    improvement = probability_of_improvement(ones, others)
    paired = _pairs(a, b)
    if paired is not None:
        test = paired_test(*paired)
        return _Compared(
            speed_up=paired_speed_up(*paired),
            p=test.p,
            attainable_p=test.attainable_p,
            improvement=improvement,
            is_paired=True,
        )
    test = log_rank(ones, others)
    return _Compared(
        speed_up=speed_up(ones, others),
        p=test.p if ones.reached.any() or others.reached.any() else None,
        attainable_p=test.attainable_p,
        improvement=improvement,
        is_paired=False,
    )


def _pairs(a: pl.DataFrame, b: pl.DataFrame) -> tuple[CensoredCosts, CensoredCosts] | None:
    """Return the runs of equal seeds, side by side; ``None`` unless all of a group have a partner."""
    seeds = [part["seed"].drop_nulls() for part in (a, b)]
    if any(one.n_unique() != one.len() for one in seeds):
        return None
    both = a.join(b, on="seed", how="inner", suffix="_b").sort("seed")
    if both.height < max(ENOUGH_PAIRS, min(a.height, b.height)):
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
