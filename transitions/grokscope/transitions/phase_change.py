"""Phase changes: a plateau, then an abrupt change, on curves that no train accuracy goes with.

Benchmark accuracy per checkpoint, and losses that rest on a plateau before they drop (induction heads).
Read off the slope in log step: the change is where the slope is steep, the plateau before it where there is
close to none. A change that is slow beside the plateau that it ends is ordinary learning: that keeps
warm-up knees and power-law losses silent. Cool-downs and one-step spikes are too small.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression

from grokscope.schemas import Date
from grokscope.transitions.curves import Curve, Floats, Integers, log_steps, running_median
from grokscope.transitions.intervals import dates
from grokscope.transitions.plateau import Plateau

PER_DECADE = 20
"""Grid points a decade on which slopes are read."""
STEEP, FLAT = 0.25, 0.1
"""Shares of the steepest slope above which the change lasts, and below which a plateau does."""
LEAST_SHARE = 0.1
"""A change covers at least this share of everything that the curve ever did."""
LEAST_SIGNAL = 5.0
"""... and so many standard deviations of the curve's noise."""
LEAST_PLATEAU = 5
"""Evaluations that make a plateau."""
DEPTH = 3
"""How often a curve is searched again on either side of its steepest stretch."""
ABRUPT = 1 / 3
"""Onset to midpoint takes at most this share of the plateau's length, both in decades."""
_ROUNDING = 1e-9  # grid points that fall on an evaluation count as reaching it
_HIGHER_IS_BETTER = frozenset({"acc", "accuracy", "acc_norm", "exact_match", "mrr", "information", "score"})
_LOWER_IS_BETTER = frozenset({"loss"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseChange:
    """One abrupt change of one curve, dated where it begins; levels in the metric's unit.

    ``clarity`` is its size in standard deviations of the plateau before it.
    """

    metric: str
    onset: Date
    midpoint: Date
    before: float
    after: float
    clarity: float
    evidence: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """Where plateau and change lie: indices of evaluations, and the plateau's length in decades."""

    plateau: slice
    change_end: int
    decades: float


def phase_changes(curves: Sequence[Curve]) -> list[PhaseChange]:
    """Return the phase changes of a run, in order of step.

    Curves that change at one time tell of one event: the one with the clearest plateau is kept.
    """
    found = [change for curve in curves for change in phase_changes_of(curve)]
    kept: list[PhaseChange] = []
    for change in sorted(found, key=lambda c: (-c.clarity, c.metric)):
        if not any(_together(change.onset, k.onset) for k in kept):
            kept.append(change)
    return sorted(kept, key=lambda c: c.onset.step)


def phase_changes_of(curve: Curve) -> list[PhaseChange]:
    """Return the abrupt changes of ``curve``; a curve whose better side is unknown has none."""
    sign = _sign(curve.metric)
    if sign == 0 or curve.is_constant:
        return []
    better = replace(curve, values=sign * curve.values)
    least = max(LEAST_SHARE * float(np.ptp(curve.values)), LEAST_SIGNAL * _noise(better))
    return _searched(better, sign, least=least, depth=DEPTH)


def _searched(curve: Curve, sign: int, *, least: float, depth: int) -> list[PhaseChange]:
    """Return the steepest stretch, if it is a change, and the changes on either side of it."""
    parts = _parts(curve) if depth > 0 and len(curve) > LEAST_PLATEAU else None
    if parts is None:
        return []
    change = _dated(curve, parts, sign, least=least)
    sides = (_cut(curve, 0, parts.plateau.stop), _cut(curve, parts.change_end, len(curve)))
    found = [c for side in sides for c in _searched(side, sign, least=least, depth=depth - 1)]
    return found if change is None else [change, *found]


def _cut(curve: Curve, start: int, stop: int) -> Curve:
    return replace(curve, steps=curve.steps[start:stop], values=curve.values[start:stop])


def _parts(curve: Curve) -> _Parts | None:
    """Return the steepest stretch of the curve in log step and the ground before it."""
    axis = log_steps(curve.steps)
    grid, levels = _on_log_grid(curve, axis)
    if len(grid) <= LEAST_PLATEAU:
        return None
    slope = np.gradient(levels)
    peak = int(np.argmax(slope))
    # The foot of the change belongs to it: back from the peak to where it is flat, and flat before that.
    begin = _first_of_row(slope > FLAT * slope[peak], peak)
    end = _end_of_row(slope >= STEEP * slope[peak], peak)
    flat = _first_of_row(slope <= FLAT * slope[peak], begin)
    first = int(np.searchsorted(axis, float(grid[flat]) - _ROUNDING))
    last, stop = (int(np.searchsorted(axis, float(grid[i]) + _ROUNDING)) for i in (begin, end))
    return _Parts(plateau=slice(first, last), change_end=stop, decades=(begin - flat) / PER_DECADE)


def _on_log_grid(curve: Curve, axis: Floats) -> tuple[Floats, Floats]:
    """Return a uniform grid in log step and the curve's level on it: medians where evaluations are dense."""
    pitch = np.log(10) / PER_DECADE
    grid: Floats = np.arange(axis[0], axis[-1] + _ROUNDING, pitch, dtype=np.float64)
    levels = np.interp(grid, axis, running_median(curve.values, width=curve.patience | 1))
    ends: Floats = np.append(grid, grid[-1] + pitch) - pitch / 2
    edges: Integers = np.searchsorted(axis, ends).astype(np.int64)
    for i in np.flatnonzero(np.diff(edges) >= curve.patience):
        levels[i] = np.median(curve.values[edges[i] : edges[i + 1]])
    return grid, levels


def _dated(curve: Curve, parts: _Parts, sign: int, *, least: float) -> PhaseChange | None:
    """Return the change dated, or ``None`` if it is small, slow or has no plateau before it."""
    flat = curve.values[parts.plateau]
    if len(flat) < LEAST_PLATEAU:
        return None
    before, scatter = float(np.median(flat)), float(np.std(flat))
    top = float(np.median(curve.values[parts.change_end - 1 : parts.change_end + 2]))
    if top - before <= max(least, LEAST_SIGNAL * scatter):
        return None
    window = slice(parts.plateau.start, parts.change_end + 1)
    onset, midpoint = dates(curve, plateau=Plateau(level=before, lowest=before), top=top, window=window)
    if onset is None or midpoint is None or _decades(onset, midpoint) > ABRUPT * parts.decades:
        return None
    rested = f"{sign * before:.2f} over {len(flat)} evaluations, {parts.decades:.1f} decades of steps"
    abrupt = f"half of the change within {_decades(onset, midpoint):.2f} decades"
    return PhaseChange(
        metric=curve.metric,
        onset=onset,
        midpoint=midpoint,
        before=sign * before,
        after=sign * top,
        clarity=(top - before) / max(scatter, _ROUNDING),
        evidence={"plateau before": rested, "abrupt": abrupt},
    )


def _decades(begin: Date, end: Date) -> float:
    return float(np.log10(max(end.step, 1) / max(begin.step, 1)))


def _together(one: Date, other: Date) -> bool:
    return one.low <= other.high and other.low <= one.high


def _noise(curve: Curve) -> float:
    """Return the standard deviation about a monotone fit: what the curve does besides improving."""
    fitted = np.asarray(isotonic_regression(curve.values).x, dtype=np.float64)
    return float(np.std(curve.values - fitted))


def _sign(metric: str) -> int:
    quantity = metric.rsplit("/", 1)[-1].lower()
    return int(quantity in _HIGHER_IS_BETTER) - int(quantity in _LOWER_IS_BETTER)


def _first_of_row(holds: npt.NDArray[np.bool_], index: int) -> int:
    """Return the first index of the row of true values that ends just before ``index``."""
    before = np.flatnonzero(~holds[:index])
    return int(before[-1]) + 1 if len(before) else 0


def _end_of_row(holds: npt.NDArray[np.bool_], index: int) -> int:
    """Return the last index of the row of true values that ``index`` lies in."""
    after = np.flatnonzero(~holds[index:])
    return index + int(after[0]) - 1 if len(after) else len(holds) - 1
