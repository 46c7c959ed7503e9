"""What a comparison says in words."""

from collections.abc import Sequence

from grokscope.interventions.comparing.records import Contrast, GroupResult
from grokscope.interventions.estimate import Estimate
from grokscope.interventions.outcomes.target import Target

_DECIDED = 0.05
_MANY = 10_000_000


def amount(value: float, unit: str = "") -> str:
    """Return a cost in at most four digits, with its unit.

    >>> amount(1234.4, "steps"), amount(0.5, "seconds"), amount(3.21e12, "flops")
    ('1,234 steps', '0.5 seconds', '3.21e+12 flops')
    """
    text = f"{value:.3g}" if value >= _MANY else f"{value:,.4g}" if value < 1000 else f"{value:,.0f}"  # noqa: PLR2004
    return f"{text} {unit}".rstrip()


def spread(estimate: Estimate, unit: str = "") -> str:
    """Return an estimate with its interval, an open end as ``…``; without one, the number alone.

    >>> spread(Estimate(value=1200.0, low=1000.0), "steps")
    '1,200 [1,000, …] steps'
    """
    if estimate.value is None:
        return "not known"
    if estimate.low is None and estimate.high is None:
        return amount(estimate.value, unit)
    ends = ", ".join("…" if end is None else amount(end) for end in (estimate.low, estimate.high))
    return f"{amount(estimate.value)} [{ends}] {unit}".rstrip()


def finding(contrast: Contrast, unit: str) -> str:
    """Return what is found of two groups, with its caveat."""
    a, b, p = contrast.a, contrast.b, contrast.adjusted_p
    if p is None:
        return f"Neither {a} nor {b} has reached it: nothing can be said."
    if contrast.attainable_p > _DECIDED:
        least = f"{contrast.attainable_p:.2g}"
        reason = f"with so few runs no result can be below p = {least}: undecided, whatever it is"
    elif p >= _DECIDED:
        reason = f"p = {p:.2g}: no difference is shown, which is not to say that there is none"
    else:
        reason = f"p = {p:.2g}"
    if contrast.speed_up.value is None:
        return f"How many times the {unit} of {a} {b} needs cannot be told; {reason}."
    return f"{b} needs {spread(contrast.speed_up)} times the {unit} of {a}; {reason}."


def answer(groups: Sequence[GroupResult], contrasts: Sequence[Contrast], *, target: Target, unit: str) -> str:
    """Return which group reaches the target with the least, as surely as can be said."""
    first, runs = groups[0], sum(group.n for group in groups)
    reached = sum(group.reached for group in groups)
    if not reached:
        return f"None of {runs:,} runs has reached {target}."
    if len(groups) == 1:
        return (
            f"{reached:,} of {runs:,} runs reached {target}; the median cost is {spread(first.median, unit)}."
        )
    median = f"median {spread(first.median, unit)}"
    told = f"{median}, {first.reached} of {first.n} runs reached {target}"
    mine = [one for one in contrasts if first.group in (one.a, one.b)]
    better = [one for one in mine if one.adjusted_p is not None and one.adjusted_p < _DECIDED]
    next_one = finding(mine[0], unit) if mine else ""
    if mine and len(better) == len(mine):
        return f"{first.group} is the cheapest ({told}). {next_one}"
    if better:
        others = len(mine) - len(better)
        return (
            f"{first.group} comes first ({told}), shown against {len(better)} of {len(mine)} other groups; "
            f"against {others} it is undecided. {next_one}"
        )
    return (
        f"{first.group} comes first ({told}), but which is the cheapest is undecided. {_next(mine)}".rstrip()
    )


def _next(contrasts: Sequence[Contrast]) -> str:
    return contrasts[0].sentence if contrasts else ""
