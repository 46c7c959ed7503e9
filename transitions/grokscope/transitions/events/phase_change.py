"""Phase changes: a plateau, then an abrupt change, on curves that no train accuracy goes with.

Benchmark accuracy per checkpoint, and losses that rest on a plateau before they drop (induction heads).
Read off the slope in log step: the change is where the slope is steep, the plateau before it where there is
close to none. A change that is slow beside the plateau that it ends is ordinary learning: that keeps
warm-up knees and power-law losses silent. Cool-downs and one-step spikes are too small.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression

from grokscope.schemas import Check, Date, Kind, Score, Transition, score_of
from grokscope.schemas.metrics.scores import Scale
from grokscope.transitions.curves.intervals import dated
from grokscope.transitions.curves.plateau import Plateau
from grokscope.transitions.curves.series import Curve, Floats, Span, log_steps, median, on_grid
from grokscope.transitions.events.records import Detail, Origin

PER_DECADE = 20
"""Grid points a decade on which slopes are read."""
STEEP, FLAT = 0.25, 0.1
"""Share of the steepest slope above which the change lasts; of slope and size below which a plateau does."""
NOISY, REFINEMENTS = 3.0, 3
"""Standard deviations of noise that do not end a plateau, and how often its level is read again."""
LEAST_SHARE = 0.05
"""A change covers at least this share of everything that the curve ever did, and of the scale of a score."""
LEAST_OF_LEVEL = 0.01
"""... and this share of a loss's own level, which has no scale."""
LEAST_SIGNAL = 5.0
"""... and so many standard deviations of the curve's noise."""
LEAST_PLATEAU = 5
"""Evaluations that make a plateau."""
DEPTH = 3
"""How often a curve is searched again on either side of its steepest stretch."""
ABRUPT = 1 / 3
"""Onset to midpoint takes at most this share of the plateau's length, both in decades."""
PART_OF_EPOCH = 0.25
"""A training loss that is half-way down so near to the end of an epoch owes it to examples seen before."""
_ROUNDING = 1e-9  # grid points that fall on an evaluation count as reaching it


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
    evidence: Sequence[Check] = ()

    def event(self, origin: Origin) -> Transition:
        """Return the event, dated where the change begins."""
        detail = Detail(
            onset=self.onset,
            midpoint=self.midpoint,
            before=self.before,
            after=self.after,
            evidence=self.evidence,
        )
        return origin.event(Kind.PHASE_CHANGE, self.metric, self.onset, detail=detail)


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


def is_turn_of_epoch(change: PhaseChange, epochs: Curve | None) -> bool:
    """Return whether ``change`` is the stair of a training loss whose examples come round again.

    Args:
        change: Of any curve; those of held-out curves are no stairs.
        epochs: ``progress/epochs``; without it no stair can be told.

    >>> at = Date(step=1000, low=995, high=1005)
    >>> stair = PhaseChange(metric="train/loss", onset=at, midpoint=at, before=2.0, after=1.5, clarity=9.0)
    >>> epochs = Curve(metric="progress/epochs", steps=np.array([0, 4000]), values=np.array([0.0, 4.0]))
    >>> is_turn_of_epoch(stair, epochs), is_turn_of_epoch(replace(stair, metric="val/loss"), epochs)
    (True, False)
    """
    if epochs is None or len(epochs) == 0 or change.metric != "train/loss":
        return False
    begin, end = np.interp([change.midpoint.low, change.midpoint.high], epochs.steps, epochs.values)
    return bool(begin + PART_OF_EPOCH > end >= np.ceil(begin) > 0)


def phase_changes_of(curve: Curve) -> list[PhaseChange]:
    """Return the abrupt changes of ``curve``; a curve whose better side is unknown has none.

    >>> steps = np.array([0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000, 2000, 4000, 8000])
    >>> curve = Curve(metric="lambada/acc", steps=steps, values=np.where(steps < 1000, 0.0, 0.4))
    >>> [(change.onset.step, change.before, change.after) for change in phase_changes_of(curve)]
    [(547, 0.0, 0.4)]
    """
    score = score_of(curve.metric)
    sign = _sign(score)
    if sign == 0 or curve.is_constant:
        return []
    curve = _in_magnitudes(curve) if score is not None and score.quantity == "perplexity" else curve
    better = replace(curve, values=sign * curve.values)
    noise = _noise(better)
    is_share = score is not None and score.scale is Scale.SHARE
    typical = LEAST_SHARE if is_share else LEAST_OF_LEVEL * abs(median(curve.values))
    least = max(LEAST_SHARE * float(np.ptp(curve.values)), typical, LEAST_SIGNAL * noise)
    return _searched(better, sign, least=least, noise=noise, depth=DEPTH)


def _searched(curve: Curve, sign: int, *, least: float, noise: float, depth: int) -> list[PhaseChange]:
    """Return the steepest stretch, if it is a change, and the changes on either side of it."""
    parts = _parts(curve, noise=noise) if depth > 0 and len(curve) > LEAST_PLATEAU else None
    if parts is None:
        return []
    change = _dated(curve, parts, sign, least=least)
    sides = (_cut(curve, 0, parts.plateau.stop), _cut(curve, parts.change_end, len(curve)))
    found = [c for side in sides for c in _searched(side, sign, least=least, noise=noise, depth=depth - 1)]
    return found if change is None else [change, *found]


def _cut(curve: Curve, start: int, stop: int) -> Curve:
    return replace(curve, steps=curve.steps[start:stop], values=curve.values[start:stop])


def _parts(curve: Curve, *, noise: float) -> _Parts | None:
    """Return the steepest stretch of the curve in log step and the ground before it."""
    axis = log_steps(curve.steps)
    grid: Floats = np.arange(axis[0], axis[-1] + _ROUNDING, np.log(10) / PER_DECADE, dtype=np.float64)
    if len(grid) <= LEAST_PLATEAU:
        return None
    levels = on_grid(curve, grid)
    slope = np.gradient(levels)
    peak = int(np.argmax(slope))
    # The foot of the change belongs to it: back from the peak to where it is flat, and level before that.
    begin = _first_of_row(slope > FLAT * slope[peak], peak)
    end = _end_of_row(slope >= STEEP * slope[peak], peak)
    height = float(levels[end] - levels[begin])
    band = min(max(FLAT * height, NOISY * noise), 0.2 * height)
    # A slope read from both sides is steep one point too early: the ground ends before that.
    flat = _level_since(levels[: max(begin, 1)], band)
    first = int(np.searchsorted(axis, float(grid[flat]) - _ROUNDING))
    last, stop = (int(np.searchsorted(axis, float(grid[i]) + _ROUNDING)) for i in (begin, end))
    return _Parts(plateau=slice(first, last), change_end=stop, decades=(begin - flat) / PER_DECADE)


def _level_since(levels: Floats, band: float) -> int:
    """Return since when ``levels`` have stayed within ``band`` of what they are in the end.

    What they are in the end is read again, as the median of those found so far: the last alone is noisy.
    """
    since = len(levels) - 1
    for _ in range(REFINEMENTS):
        outside = np.flatnonzero(np.abs(levels - median(levels[since:])) > band)
        since = min(int(outside[-1]) + 1 if len(outside) else 0, len(levels) - 1)
    return since


def _dated(curve: Curve, parts: _Parts, sign: int, *, least: float) -> PhaseChange | None:
    """Return the change dated, or ``None`` if it is small, slow or has no plateau before it."""
    flat = curve.values[parts.plateau]
    if len(flat) < LEAST_PLATEAU:
        return None
    before, scatter = median(flat), float(np.std(flat))
    top = median(curve.values[parts.change_end - 1 : parts.change_end + 2])
    held = median(curve.values[parts.change_end - 1 :][:LEAST_PLATEAU])
    if min(top, held) - before <= max(least, LEAST_SIGNAL * scatter):
        return None
    window = slice(parts.plateau.start, parts.change_end + 1)
    crossed = dated(curve, plateau=Plateau(level=before, lowest=before), top=top, window=window)
    if crossed[0] is None or crossed[1] is None:
        return None
    onset, midpoint = crossed[0].date, crossed[1].date
    if _decades(onset, midpoint) > ABRUPT * parts.decades:
        return None
    waited = onset.step - int(curve.steps[parts.plateau.start])
    if sign < 0 and midpoint.step - onset.step > waited:
        return None
    rested = f"{curve.said(sign * before)} over {len(flat)} evaluations, {parts.decades:.1f} decades of steps"
    abrupt = f"half of the change within {_decades(onset, midpoint):.2f} decades"
    return PhaseChange(
        metric=curve.metric,
        onset=onset,
        midpoint=midpoint,
        before=curve.level(sign * before),
        after=curve.level(sign * top),
        clarity=(top - before) / max(scatter, _ROUNDING),
        evidence=(Check(name="plateau before", text=rested), Check(name="abrupt", text=abrupt)),
    )


def _decades(begin: Date, end: Date) -> float:
    return float(np.log10(max(end.step, 1) / max(begin.step, 1)))


def _together(one: Date, other: Date) -> bool:
    return one.low <= other.high and other.low <= one.high


def _noise(curve: Curve) -> float:
    """Return the standard deviation about a monotone fit: what the curve does besides improving."""
    fitted = np.asarray(isotonic_regression(curve.values).x, dtype=np.float64)
    return float(np.std(curve.values - fitted))


def _in_magnitudes(curve: Curve) -> Curve:
    span = Span(is_log=True)
    return replace(curve, values=span.progress(curve.values), span=span)


def _sign(score: Score | None) -> int:
    return 0 if score is None else 1 if score.higher_is_better else -1


def _first_of_row(holds: npt.NDArray[np.bool_], index: int) -> int:
    """Return the first index of the row of true values that ends just before ``index``."""
    before = np.flatnonzero(~holds[:index])
    return int(before[-1]) + 1 if len(before) else 0


def _end_of_row(holds: npt.NDArray[np.bool_], index: int) -> int:
    """Return the last index of the row of true values that ``index`` lies in."""
    after = np.flatnonzero(~holds[index:])
    return index + int(after[0]) - 1 if len(after) else len(holds) - 1
