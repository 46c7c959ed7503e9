"""Units: which curves of a run are shares, which per cent, which counts; read off whole curves and partners.

A share is at most 1, so a curve that passes 1 more than once is no share: it is per cent, or a count if it
passes 100. One that stays below 1 may still be per cent, for a held-out accuracy of one class in a hundred is
1 %. A run most often logs a quantity in one unit, so beside per cent it is per cent unless it rises as only a
share does, or begins where its partner stands as a share.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt

from grokscope.schemas import Scale, canonical, score_of


class Sampled(Protocol):
    """A curve: values, finite, at steps in order."""

    @property
    def steps(self) -> npt.NDArray[np.int64]:
        """Shape (n,)."""
        ...

    @property
    def values(self) -> npt.NDArray[np.float64]:
        """Shape (n,)."""
        ...


class Unit(StrEnum):
    """What the values of a score between 0 and 1 were logged in."""

    SHARE = "share"
    PER_CENT = "per cent"
    COUNT = "count"


_ONE = 1.001
"""A share that was averaged in single precision may pass 1 by a hair."""
_NEAR_ONE = 1.1
"""Shares that were summed carelessly, or smoothed beyond their end, pass 1 by less than this."""
_HUNDRED = 100.1
_SHORT = 8
"""In a log as short as this one value beyond the top of a unit tells; in a longer one it may be a glitch."""
_MOST_ERRORS = 5.0
"""Word error rates of a model without skill come to some words for each that was said."""
_HALF = 0.5
"""A share that rises comes to this, and to twice its first level: per cent that stays below 1 does not."""
_FIT = 50.0
"""Partners that begin at this many per cent tell nothing of the level of chance."""
_UNFIT = 0.6
"""Below this share of its highest level, a partner is not fit yet, and near the level of chance."""


def units_of(curves: Mapping[str, Sampled]) -> dict[str, Unit]:
    """Return the unit of each curve of one run whose score is a share by its name; others are left out.

    Args:
        curves: By key, or as they were logged.

    >>> from grokscope.transitions.curves.series import Curve
    >>> steps = np.arange(9)
    >>> train = Curve(metric="train/accuracy", steps=steps, values=np.linspace(1.0, 100.0, 9))
    >>> low = Curve(metric="test/accuracy", steps=steps, values=np.full(9, 0.9))
    >>> units_of({"train/accuracy": train, "test/accuracy": low, "test/loss": low})
    {'train/accuracy': <Unit.PER_CENT: 'per cent'>, 'test/accuracy': <Unit.PER_CENT: 'per cent'>}
    """
    groups: dict[str, dict[str, Sampled]] = {}
    for name, curve in curves.items():
        score = score_of(name)
        if score is not None and score.scale is Scale.SHARE and len(curve.values):
            groups.setdefault(score.quantity, {})[name] = curve
    return {name: unit for group in groups.values() for name, unit in _units_in(group).items()}


def _units_in(group: Mapping[str, Sampled]) -> dict[str, Unit]:
    """Return the units of curves of one quantity."""
    units = {name: _plain_unit(name, curve.values) for name, curve in group.items()}
    percent = [group[name] for name, unit in units.items() if unit is Unit.PER_CENT]
    for name, unit in units.items():
        if percent and unit is Unit.SHARE and not _is_share_beside(name, group[name], percent):
            units[name] = Unit.PER_CENT
    return units


def _plain_unit(name: str, values: npt.NDArray[np.float64]) -> Unit:
    """Return the smallest unit that the values fit into, but for a glitch.

    Errors are counted per word or per example, and may be more than one of each.
    """
    allowed = 0 if len(values) < _SHORT else 1
    score = score_of(name)
    most = _ONE if score is None or score.higher_is_better else _MOST_ERRORS
    if np.sum(values > most) <= allowed:
        return Unit.SHARE
    if np.sum(values > _NEAR_ONE) <= allowed and np.min(values) < _HALF * np.max(values):
        return Unit.SHARE  # it rose to one, or a little beyond; per cent this low stays where it is
    return Unit.PER_CENT if np.sum(values > _HUNDRED) <= allowed else Unit.COUNT


def _is_share_beside(name: str, curve: Sampled, percent: list[Sampled]) -> bool:
    """Return whether a curve below 1 is a share, though its partners are per cent."""
    values = curve.values
    if np.any(values > _ONE):
        return False
    score = score_of(name)
    if score is not None and not score.higher_is_better:
        return bool(np.max(values) >= _HALF and np.min(values) <= np.max(values) / 2)
    if (canonical(name) or name).startswith("train/") and any(np.max(one.values) >= _FIT for one in percent):
        return True  # no training set stays below 1 % while what it teaches is learned
    first, top = float(values[0]), float(np.sort(values)[-min(3, len(values))])
    is_fit_already = all(np.min(other.values) >= _FIT for other in percent)
    if top >= _HALF and (top >= 2 * first or is_fit_already):
        return True
    begin = int(curve.steps[0])
    at_first = [(other, int(np.searchsorted(other.steps, begin))) for other in percent]
    levels = [
        float(other.values[i])
        for other, i in at_first
        if i < len(other.steps) and other.values[i] < _UNFIT * np.max(other.values)
    ]
    if not levels or first <= 0 or max(levels) <= 0:
        return False
    # As per cent the ratio would be near 1, as a share near 1 to 100.
    return abs(np.log(100 * first / max(levels))) < abs(np.log(first / max(levels)))
