"""The cheapest group against the next one: the one contrast that a page can afford at every redraw."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import comb

from grokscope.interventions.comparing.pairs import MOST_IN_PAIRS
from grokscope.interventions.comparing.records import Contrast
from grokscope.interventions.contrasts.attainable import attainable_p
from grokscope.interventions.contrasts.improvement import improvement
from grokscope.interventions.contrasts.multiplicity import holm
from grokscope.interventions.contrasts.speed_up import speed_up, speed_up_p
from grokscope.interventions.outcomes.costs import CensoredCosts


def lead(groups: Sequence[str], samples: Mapping[str, CensoredCosts]) -> Contrast | None:
    """Return the contrast of the first two groups, the one that ``contrasts_of`` gives unpaired.

    Its p is adjusted for all pairs of groups (Holm), as whichever came first was found by looking at all of
    them. Only this pair has its ratio and intervals computed: some 30 times the work of a p.

    Args:
        groups: The cheapest first.
        samples: Group -> the costs of its runs.

    Returns:
        ``None`` with fewer than two groups, where neither of the two has reached the target, and where one of
        their runs cost nothing, of which no other cost is a multiple.

    >>> import numpy as np
    >>> fast, slow = (np.array([100.0, 110.0, 120.0, 130.0]) * factor for factor in (1, 2))
    >>> found = lead(["a", "b"], {"a": CensoredCosts(fast, fast), "b": CensoredCosts(slow, slow)})
    >>> round(found.speed_up.value, 3), round(found.adjusted_p, 3)
    (2.0, 0.029)
    """
    if len(groups) < 2 or not _is_told(samples[groups[0]], samples[groups[1]]):  # noqa: PLR2004
        return None
    is_short = len(groups) <= MOST_IN_PAIRS
    looked_at = combinations(groups, 2) if is_short else ((groups[0], group) for group in groups[1:])
    known = [
        speed_up_p(samples[a], samples[b]) for a, b in looked_at if _is_told(samples[a], samples[b])
    ]  # the first of them is of the first two groups
    adjusted = holm(known, of=comb(len(groups), 2))
    a, b = samples[groups[0]], samples[groups[1]]
    return Contrast(
        a=groups[0],
        b=groups[1],
        speed_up=speed_up(a, b),
        p=known[0],
        adjusted_p=float(adjusted[0]),
        attainable_p=attainable_p(a.at.size, b.at.size),
        improvement=improvement(a, b),
        is_paired=False,
    )


def _is_told(a: CensoredCosts, b: CensoredCosts) -> bool:
    return bool((a.reached.any() or b.reached.any()) and min(a.at.min(), b.at.min()) > 0)
