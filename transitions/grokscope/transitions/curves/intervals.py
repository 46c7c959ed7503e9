"""Intervals of dates: what the evaluation grid allows, widened by what noise adds.

The grid: an event between two evaluations is known no better than that gap. The noise: a bootstrap. Noise
like the curve's own, as far as that can be known, is laid onto a smooth monotone curve, and every replicate
is dated by the same rule, between levels as uncertain as the evaluations at them leave them. Dips: the date
without them is part of the interval too.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from grokscope.schemas import Date
from grokscope.transitions.curves.crossings import interpolated
from grokscope.transitions.curves.noise import Noise, Replicates, error_of_median, noise_of
from grokscope.transitions.curves.plateau import MIDPOINT, ONSET, Plateau
from grokscope.transitions.curves.s_curve import ROUNDED, averaged, crossings, monotone, smoothed
from grokscope.transitions.curves.series import Curve, Floats, Integers, median

REPLICATES = 200
"""Bootstrap replicates: enough for the 2.5 % tail to rest on five of them."""
AT_THE_END = 1 / 6
"""Share of the replicates with the lowest level that could be called the plateau, or the highest that could
be called the top; the others have one between these and the levels that were read."""
BRIEF, DEEP = 5, 4.0
"""A dip or spike is shorter than so many evaluations, and deeper than so many standard deviations."""
NEARBY = 32
"""Evaluations on either side of a crossing that replicates are laid out on at first; twice as many when more
than ``FAR`` of them cross in the outer quarter."""
FAR = REPLICATES // 100
"""Few enough to leave the 2.5 % tail where it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ascent:
    """A rise.

    Attributes:
        steps, values: Its evaluations and those of the plateau before it.
        base: The smooth curve through them.
        width: Evaluations that each value of ``base`` averages.
        noise: The noise about it.
        plateau, height: Level before the rise, and how far that goes.
        lower, higher: By how much the levels before and after it may lie lower and higher, noise aside.
    """

    steps: Integers
    values: Floats
    base: Floats
    width: int
    noise: Noise
    plateau: float
    height: float
    lower: float
    higher: float

    def level(self, share: float) -> float:
        """Return the level at which ``share`` of the rise is done."""
        return self.plateau + share * self.height

    def drawn_shift(self, share: float, replicates: Replicates, rng: np.random.Generator) -> Floats:
        """Return by how much that level may lie off, shape (REPLICATES,)."""
        lower, higher = np.minimum(rng.random((2, REPLICATES)) / (1 - AT_THE_END), 1.0)
        plateau = replicates.plateau - self.lower * lower
        return (1 - share) * plateau + share * (replicates.top + self.higher * higher)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """Where a rise passes a level.

    Attributes:
        date: In whole steps, with its 95 % interval.
        at: The step, not rounded: what is compared by it does not hang on how steps are counted.
        index: The first evaluation past the level, counted from the beginning of the window.
    """

    date: Date
    at: float
    index: int


def dated(
    curve: Curve, *, plateau: Plateau, top: float, window: slice, completed: Date | None = None
) -> tuple[Crossing | None, Crossing | None]:
    """Return onset and midpoint of the rise of ``curve`` within ``window``, with 95 % intervals.

    None of them, nor an end of its interval, is later than what comes after it: the completion is a row of
    evaluations in the log, and what leads up to it cannot be later, whatever noise would allow.

    Args:
        curve: The curve.
        plateau: Level before the rise, as the curve's values are counted.
        top: Level after it, larger.
        window: Evaluations that belong to the rise and the plateau before it.
        completed: Where the rise is known to be done.

    Returns:
        Each is ``None`` where the curve is past its level from the window's first evaluation on.
    """
    values, height = curve.values[window], top - plateau.level
    levels = plateau.level + np.array([ONSET, MIDPOINT]) * height
    crossed = crossings(values, levels, height=height)
    fitted = monotone(values)
    noise = noise_of(values, fitted, onset=int(crossed[0]), later=curve.values[window.stop :] - top)
    base, width = smoothed(fitted, noise=noise.size)
    settled = curve.values[max(window.stop - curve.patience, 0) :] - top
    foot = plateau.level - values[: int(crossed[0]) // 3]
    ascent = _Ascent(
        steps=curve.steps[window],
        values=values,
        base=base,
        width=width,
        noise=noise,
        plateau=plateau.level,
        height=height,
        lower=max(plateau.level - plateau.lowest, _beyond(foot, noise)),
        higher=_beyond(settled[-max(len(settled) // 3, 1) :], noise),
    )
    onset, midpoint = (
        _crossing(ascent, int(i), share) for i, share in zip(crossed, (ONSET, MIDPOINT), strict=True)
    )
    if midpoint is not None and completed is not None:
        midpoint = _no_later(midpoint, completed, at=completed.step)
    if onset is not None and midpoint is not None:
        onset = _no_later(onset, midpoint.date, at=midpoint.at)
    return onset, midpoint


def _no_later(crossing: Crossing, later: Date, *, at: float) -> Crossing:
    date = crossing.date
    step, low, high = min(date.step, later.step), min(date.low, later.low), min(date.high, later.high)
    return replace(crossing, date=Date(step=step, low=low, high=high), at=min(crossing.at, at))


def _beyond(end: Floats, noise: Noise) -> float:
    """Return how far ``end``, evaluations at one end of a level, lies beyond that level, which is 0.

    What noise explains is left out.
    """
    if len(end) == 0:
        return 0.0
    return max(median(end) - error_of_median(noise.size, len(end)), 0.0)


def _crossing(ascent: _Ascent, index: int, share: float) -> Crossing | None:
    if index == 0:
        return None
    steps, level = ascent.steps, ascent.level(share)
    index = min(index, len(steps) - 1)
    low, high = np.quantile(_spread_in_gaps(steps, _replicated(ascent, index, share)), [0.025, 0.975])
    seen = ascent.values if _crosses(ascent.values, index, level) else ascent.base
    at = interpolated(steps, seen, index, level)
    step = round(at)
    # The gap that the crossing was seen in is always part of it: no noise is no reason to claim more.
    low, high = min(math.floor(low), int(steps[index - 1])), max(math.ceil(high), int(steps[index]))
    other = _undipped(ascent, index, level)
    low, high = min(low, int(steps[other - 1])), max(high, int(steps[other]))
    date = Date(step=step, low=min(low, step), high=max(high, step))
    return Crossing(date=date, at=at, index=index)


def _undipped(ascent: _Ascent, index: int, level: float) -> int:
    """Return the index of the crossing near ``index`` as it is without dips and spikes, at least 1."""
    begin = max(index - NEARBY, 0)
    near = ascent.values[begin : index + NEARBY]
    least = max(DEEP * ascent.noise.size, ONSET * ascent.height)
    filled = _filled(near, least=least)
    cut = -_filled(-filled, least=least)
    found = begin + int(crossings(cut, np.array([level]), height=ascent.height)[0])
    return min(max(found, 1), len(ascent.steps) - 1)


def _filled(values: Floats, *, least: float) -> Floats:
    """Return ``values`` with dips of less than ``BRIEF`` evaluations filled that are deeper than ``least``.

    By a closing, the lowest of the highest of ``BRIEF`` neighbours, which leaves monotone curves as they are.
    """
    end, size = BRIEF - 1, len(values)
    padded = np.concatenate((np.full(end, values[0]), values, np.full(end, values[-1])))
    highest = np.maximum.reduce([padded[i : i + size + end] for i in range(BRIEF)])
    closed = np.minimum.reduce([highest[i : i + size] for i in range(BRIEF)])
    return np.where(closed - values > least, closed, values)


def _spread_in_gaps(steps: Integers, indices: Integers) -> Floats:
    """Return dates of crossings, anywhere between the evaluation that shows one and the evaluation before."""
    after = np.clip(indices, 1, len(steps) - 1)
    share = np.random.default_rng(1).random(len(after))
    return steps[after - 1] + share * (steps[after] - steps[after - 1])


def _crosses(values: Floats, index: int, level: float) -> bool:
    return 0 < index < len(values) and bool(values[index - 1] < level <= values[index])


def _replicated(ascent: _Ascent, index: int, share: float) -> Integers:
    """Return the crossings of bootstrap replicates, shape (REPLICATES,)."""
    rng = np.random.default_rng(0)
    drawn = ascent.noise.replicates(REPLICATES, rng)
    shift = ascent.drawn_shift(share, drawn, rng)
    level, count = np.array([ascent.level(share)]), len(ascent.base)
    nearby = NEARBY
    while True:
        begin, end = max(index - nearby, 0), min(index + nearby, count)
        fresh = drawn.noise(end - begin + ascent.width + ROUNDED - 2, rng)
        replicates = ascent.base[begin:end] + averaged(fresh, width=ascent.width)
        found = begin + crossings(replicates - shift[:, None], level, height=ascent.height)[:, 0]
        edge, ordered = nearby // 4, np.sort(found)
        is_cut_low = begin > 0 and ordered[FAR] <= begin + edge
        is_cut_high = end < count and ordered[-1 - FAR] >= end - edge
        if not is_cut_low and not is_cut_high:
            return found
        nearby *= 2
