"""What a comparison says in words."""

from collections.abc import Callable, Sequence

from grokscope.interventions.amounts import amount, rounded, scale
from grokscope.interventions.comparing.records import NEITHER, Contrast, GroupResult
from grokscope.interventions.estimate import Estimate
from grokscope.interventions.outcomes.target import Target

_DECIDED = 0.05
_MOST_NAMED = 3

Name = Callable[[str], str]
"""A group's label -> what to call it in a sentence."""


def spread(estimate: Estimate, unit: str = "") -> str:
    """Return an estimate with its interval, an open end as ``…``; without one, the number alone.

    >>> spread(Estimate(value=2.5e12, low=1e12), "flops")
    '2.5 [1, …] TFLOP'
    """
    if estimate.value is None:
        return "not known"
    if estimate.low is None and estimate.high is None:
        return amount(estimate.value, unit)
    factor, symbol = scale(estimate.value, unit)
    ends = ("…" if end is None else rounded(end / factor) for end in (estimate.low, estimate.high))
    return f"{rounded(estimate.value / factor)} [{', '.join(ends)}] {symbol}".rstrip()


def finding(contrast: Contrast, unit: str, name: Name = str) -> str:
    """Return what is found of two groups, with its caveat."""
    a, b, p = name(contrast.a), name(contrast.b), contrast.adjusted_p
    if p is None and contrast.speed_up.missing == NEITHER:
        return f"Neither {a} nor {b} has reached it: nothing can be said."
    if p is None:
        reason = "no budget was tried by both, so nothing is tested"
    elif contrast.attainable_p > _DECIDED:
        least = f"{contrast.attainable_p:.2g}"
        reason = f"with so few runs no result can be below p = {least}: undecided, whatever it is"
    elif p >= _DECIDED:
        reason = f"p = {p:.2g}: no difference is shown, which is not to say that there is none"
    else:
        reason = f"p = {p:.2g}"
    if contrast.speed_up.value is None and p is not None and p < _DECIDED:
        return f"{b} needs more {unit} than {a}, but how many times as many cannot be told; {reason}."
    if contrast.speed_up.value is None:
        return f"The ratio of the {unit} of {b} to those of {a} cannot be told; {reason}."
    return f"{b} needs {spread(contrast.speed_up)} times the {unit} of {a}; {reason}."


def _is_shown(contrast: Contrast) -> bool:
    """Return whether ``a`` is shown to be the cheaper one: medians may be ordered otherwise than the test."""
    value = contrast.improvement.value
    p = contrast.adjusted_p
    return p is not None and p < _DECIDED and value is not None and value > 1 / 2


def answer(
    groups: Sequence[GroupResult],
    contrasts: Sequence[Contrast],
    *,
    target: Target,
    unit: str,
    name: Name = str,
) -> str:
    """Return which group reaches the target with the least, as surely as can be said.

    Args:
        groups: The cheapest first.
        contrasts: Of their pairs.
        target: What was to be reached.
        unit: Of the costs.
        name: What to call a group in a sentence.
    """
    first, runs = groups[0], sum(group.n for group in groups)
    reached = sum(group.reached for group in groups)
    if not reached:
        return f"None of {runs:,} runs has reached {target}."
    median = f"median {spread(first.median, unit)}"
    if len(groups) == 1:
        return f"{reached:,} of {runs:,} runs reached {target}; {median}."
    told = f"{median}, {first.reached:,} of {first.n:,} runs reached {target}"
    mine = [one for one in contrasts if first.group in (one.a, one.b)]
    shown = [one for one in mine if _is_shown(one)]
    better = [one for one in shown if one.a == first.group]
    worse = [one for one in shown if one.b == first.group]
    called = name(first.group)
    if worse:
        cheaper = _listed([name(one.a) for one in worse])
        return (
            f"{called} has the smallest median ({told}), but over all runs {cheaper} "
            f"cost{'s' * (len(worse) == 1)} less. {finding(worse[0], unit, name)}"
        )
    if not better:
        after = f" {finding(mine[0], unit, name)}" if mine else ""
        return f"{called} comes first ({told}), but which is the cheapest is undecided.{after}"
    if len(better) == len(mine):
        return f"{called} is the cheapest ({told}). {finding(better[0], unit, name)}"
    open_ones = [name(one.b if one.a == first.group else one.a) for one in mine if one not in better]
    return (
        f"{called} comes first ({told}). It is shown to be cheaper than {len(better):,} of {len(mine):,} "
        f"others; {_listed(open_ones)} cannot be told from it. {finding(better[0], unit, name)}"
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_MOST_NAMED]) + (" and others" if len(names) > _MOST_NAMED else "")
