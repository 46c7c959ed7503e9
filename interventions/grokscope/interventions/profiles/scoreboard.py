"""Scores of groups over many workloads, with intervals and the probabilities of their ranks."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl

from grokscope.interventions.estimate import Estimate
from grokscope.interventions.profiles.ranks import order_frame, rank_frame
from grokscope.interventions.profiles.study_times import DRAWS, FloatArray, StudyTimes

LEVEL = 0.95
METHOD = "percentile bootstrap over studies within workloads"

Score = Callable[[FloatArray], FloatArray]
"""From medians of (…, groups, workloads) to scores of (…, groups); high is good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoreboard:
    """Scores in order, and how sure the order is.

    Attributes:
        scores: By group, the highest first; equal scores by name.
        ranks: ``RANKS``, in the order of the scores.
        order: ``ORDER``, in the order of the scores.
        unsettled: Neighbours in the order whose order holds in fewer draws than ``LEVEL``: the one that is
            before, the one after, and the probability.
    """

    scores: dict[str, Estimate]
    ranks: pl.DataFrame
    order: pl.DataFrame
    unsettled: tuple[tuple[str, str, float], ...]


def scoreboard_of(times: StudyTimes, score: Score, *, draws: int = DRAWS, seed: int = 0) -> Scoreboard:
    """Return scores of the medians over studies, and of medians of studies drawn anew.

    Args:
        times: Costs of the studies.
        score: Any score of medians; it is called with the medians, and with all draws of them at once.
        draws: How many.
        seed: Equal seeds give equal intervals.

    Returns:
        Each score with its 95 % percentile interval. The interval always holds the score itself: where all
        draws lie to one side, the score is its end.

    >>> from grokscope.interventions.profiles.performance import profile_area, ratios_to_fastest
    >>> times = StudyTimes(groups=("a", "b"), workloads=("w",), costs=np.array([[[2.0, 2.5]], [[3.0, 9.0]]]))
    >>> board = scoreboard_of(times, lambda costs: profile_area(ratios_to_fastest(costs), np.linspace(1, 4)))
    >>> board.scores["a"].value, board.order.row(0)
    (1.0, ('a', 'b', 1.0))
    """
    values = score(times.medians())
    drawn = score(times.resampled_medians(draws=draws, seed=seed))
    best_first = sorted(range(len(times.groups)), key=lambda place: (-values[place], times.groups[place]))
    groups = tuple(times.groups[place] for place in best_first)
    values, drawn = values[best_first], drawn[:, best_first]
    order = order_frame(groups, drawn)
    has_repeats = bool((times.studies > 1).any())
    return Scoreboard(
        scores={
            group: interval_of(float(values[place]), drawn[:, place], has_repeats=has_repeats)
            for place, group in enumerate(groups)
        },
        ranks=rank_frame(groups, drawn),
        order=order,
        unsettled=_unsettled(groups, order),
    )


def interval_of(value: float, drawn: FloatArray, *, has_repeats: bool) -> Estimate:
    """Return the percentile interval of the finite draws, widened to hold the value itself.

    Without repeats every draw is the value, and there is no interval.

    >>> interval_of(1.0, np.array([0.5, 1.5]), has_repeats=False).missing
    'one study a workload: nothing tells how much another would differ'
    """
    if not has_repeats:
        missing = "one study a workload: nothing tells how much another would differ"
        return Estimate(value=value, level=LEVEL, method=METHOD, missing=missing)
    kept = drawn[np.isfinite(drawn)]
    low, high = np.quantile(kept, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) if kept.size else (value, value)
    lost = drawn.size - kept.size
    return Estimate(
        value=value,
        low=float(min(low, value)),
        high=float(max(high, value)),
        level=LEVEL,
        method=METHOD,
        missing=f"{lost} of {drawn.size} draws have no value, and are left out" if lost else None,
    )


def _unsettled(groups: tuple[str, ...], order: pl.DataFrame) -> tuple[tuple[str, str, float], ...]:
    """Return neighbours whose order does not hold in as many draws as the level says."""
    chance = {(a, b): probability for a, b, probability in order.rows()}
    return tuple((a, b, chance[a, b]) for a, b in pairwise(groups) if chance[a, b] < LEVEL)
