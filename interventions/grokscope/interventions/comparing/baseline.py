"""Groups against one baseline: how many times cheaper each is than that."""

from collections.abc import Mapping, Sequence
from math import comb

from grokscope.interventions.comparing.records import NEITHER, Contrast
from grokscope.interventions.contrasts.attainable import attainable_p
from grokscope.interventions.contrasts.improvement import improvement
from grokscope.interventions.contrasts.multiplicity import holm
from grokscope.interventions.contrasts.speed_up import speed_up, speed_up_p
from grokscope.interventions.estimate import Estimate
from grokscope.interventions.outcomes.costs import CensoredCosts

_AT_START = "A run is at the target at its very start, of which no cost is a multiple."


def against_baseline(
    baseline: str, groups: Sequence[str], samples: Mapping[str, CensoredCosts], *, is_chosen: bool
) -> Mapping[str, Contrast]:
    """Return the contrast of each group with a baseline, ``b`` of all of them; runs are not paired.

    Args:
        baseline: Its name; it is passed over among ``groups``.
        groups: Those that are compared with it.
        samples: Group -> the costs of its runs, one at least.
        is_chosen: The baseline was named before anybody looked: p is adjusted (Holm) for as many
            comparisons as there are groups. One that was found by looking, the cheapest of all, was found
            among all pairs, so p is adjusted for these.

    >>> import numpy as np
    >>> fast, slow = (np.array([100.0, 110.0, 120.0, 130.0]) * factor for factor in (1, 2))
    >>> samples = {"a": CensoredCosts(fast, fast), "b": CensoredCosts(slow, slow)}
    >>> found = against_baseline("b", ["a", "b"], samples, is_chosen=True)["a"]
    >>> round(found.speed_up.value, 3), round(found.adjusted_p, 3)
    (2.0, 0.029)
    """
    others = [group for group in groups if group != baseline]
    base = samples[baseline]
    p_values = {name: speed_up_p(samples[name], base) for name in others if not _untold(samples[name], base)}
    tests = len(others) if is_chosen else comb(len(others) + 1, 2)
    adjusted: list[float] = holm(list(p_values.values()), of=tests).tolist() if p_values else []
    by_name = dict(zip(p_values, adjusted, strict=True))
    return {
        name: Contrast(
            a=name,
            b=baseline,
            speed_up=_speed_up(samples[name], base),
            p=p_values.get(name),
            adjusted_p=by_name.get(name),
            attainable_p=attainable_p(samples[name].at.size, base.at.size),
            improvement=improvement(samples[name], base),
            is_paired=False,
        )
        for name in others
    }


def _speed_up(a: CensoredCosts, b: CensoredCosts) -> Estimate:
    reason = _untold(a, b)
    return speed_up(a, b) if reason is None else Estimate(value=None, missing=reason)


def _untold(a: CensoredCosts, b: CensoredCosts) -> str | None:
    """Return why there is no ratio of two groups, or ``None``."""
    if not (a.reached.any() or b.reached.any()):
        return NEITHER
    return _AT_START if min(a.at.min(), b.at.min()) <= 0 else None
