"""What papers call the grokking step: named rules, because they disagree.

``s-curve`` is ours. The others are read as their sources state them, on the evaluations as logged, without
persistence or smoothing unless the source asks for it; a rule that never holds gives no date.
"""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from grokscope.schemas import Date, GrokscopeError
from grokscope.transitions.curves.crossings import bracket
from grokscope.transitions.curves.series import OWN, log_steps
from grokscope.transitions.verdict.analysis import RunAnalysis

NATIVE = "s-curve"


class UnknownDefinitionError(GrokscopeError):
    """A name that is no definition of the grokking step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A rule for the grokking step.

    Attributes:
        name: What ``detect(points, definition=...)`` takes.
        rule: In one sentence.
        source: Where it comes from.
        date: The step that it gives to a run; ``None`` where it never holds.
    """

    name: str
    rule: str
    source: str
    date: Callable[[RunAnalysis], Date | None]


def definition_of(name: str) -> Definition:
    """Return the definition called ``name``.

    Raises:
        UnknownDefinitionError: If there is none; the message names the closest.

    >>> definition_of("threshold-0.95").source
    'Tveit 2025, arXiv:2504.16041'
    """
    if name not in DEFINITIONS:
        near = difflib.get_close_matches(name, DEFINITIONS, n=1, cutoff=0.0)[0]
        raise UnknownDefinitionError(
            f"{name!r} is no definition of the grokking step; closest: {near!r}. "
            f"Allowed: {', '.join(DEFINITIONS)}."
        )
    return DEFINITIONS[name]


def _midpoint(analysis: RunAnalysis) -> Date | None:
    return None if analysis.generalization is None else analysis.generalization.midpoint


def _above(level: float) -> Callable[[RunAnalysis], Date | None]:
    """First held-out accuracy above ``level`` once the training set is fit."""

    def date(analysis: RunAnalysis) -> Date | None:
        if analysis.fit.fitted_step is None or analysis.test.span != OWN:
            return None
        met = (analysis.test.values >= level) & (analysis.test.steps >= analysis.fit.fitted_step)
        return _first(analysis, met)

    return date


def _own_maximum(analysis: RunAnalysis) -> Date | None:
    """First evaluation within 1 % of the curve's own maximum, if that exceeds 95 %."""
    values = analysis.test.values
    best = float(np.max(values)) if analysis.test.span == OWN else 0.0
    return _first(analysis, values >= 0.99 * best) if best > 0.95 else None  # noqa: PLR2004  the source's


def _jump(analysis: RunAnalysis) -> Date | None:
    """First evaluation after the train fit 20 percentage points above some of the 200 before it."""
    if analysis.fit.fitted_step is None or analysis.test.span != OWN:
        return None
    values = np.where(analysis.test.steps >= analysis.fit.fitted_step, analysis.test.values, np.inf)
    if not np.isfinite(values).any():
        return None
    padded = np.concatenate((np.full(200, values[0]), values))
    lowest = np.min(np.lib.stride_tricks.sliding_window_view(padded, 201), axis=1)
    return _first(analysis, analysis.test.values - lowest >= 0.2)  # noqa: PLR2004  the source's


def _steepest(analysis: RunAnalysis) -> Date | None:
    """Steepest gain from one evaluation to the next, per log step, between train fit and completion."""
    rise, steps = analysis.generalization, analysis.test.steps
    if rise is None or len(steps) <= 1:
        return None
    slope = np.diff(analysis.test.values) / np.diff(log_steps(steps))
    end = steps[-1] if rise.completed is None else rise.completed.high
    counts = (steps[1:] >= (analysis.fit.fitted_step or 0)) & (steps[1:] <= end)
    return (
        bracket(analysis.test, 1 + int(np.argmax(np.where(counts, slope, -np.inf)))) if counts.any() else None
    )


def _first(analysis: RunAnalysis, met: np.ndarray) -> Date | None:
    return bracket(analysis.test, int(np.argmax(met))) if met.any() else None


_ALL = (
    Definition(
        name=NATIVE,
        rule="half of the rise above the plateau, by the robust S-curve",
        source="grokscope",
        date=_midpoint,
    ),
    Definition(
        name="threshold-0.9",
        rule="first held-out accuracy of 0.9 after the train fit",
        source="Liu et al. 2022, arXiv:2205.10343",
        date=_above(0.9),
    ),
    Definition(
        name="threshold-0.95",
        rule="first held-out accuracy of 0.95 after the train fit",
        source="Tveit 2025, arXiv:2504.16041",
        date=_above(0.95),
    ),
    Definition(
        name="own-maximum",
        rule="first evaluation within 1 % of the curve's own maximum, which exceeds 0.95",
        source="essential.ai 2025",
        date=_own_maximum,
    ),
    Definition(
        name="jump-20",
        rule="first gain of 20 percentage points within 200 evaluations after the train fit",
        source="Odyssey, analyze_phases.py",
        date=_jump,
    ),
    Definition(
        name="steepest",
        rule="steepest gain per log step between train fit and completion",
        source="first-order gradient peak, essential.ai 2025",
        date=_steepest,
    ),
)

DEFINITIONS: Mapping[str, Definition] = MappingProxyType({d.name: d for d in _ALL})
"""Name -> definition, ours first."""
