"""Intervals of dates: what the evaluation grid allows, widened by what noise adds.

The grid: an event between two evaluations is known no better than that gap. The noise: a bootstrap. Noise
like the curve's own is laid onto a smooth monotone curve, and every replicate is dated by the same rule, from
a plateau that is as uncertain as the evaluations on it leave it.
"""

import math
from dataclasses import dataclass

import numpy as np

from grokscope.schemas import Date
from grokscope.transitions.curves.crossings import interpolated
from grokscope.transitions.curves.noise import Noise, noise_of
from grokscope.transitions.curves.plateau import MIDPOINT, ONSET, Plateau
from grokscope.transitions.curves.s_curve import crossings, monotone
from grokscope.transitions.curves.series import Curve, Floats, Integers

REPLICATES = 200
"""Bootstrap replicates: enough for the 2.5 % tail to rest on five of them."""
NEARBY = 32
"""Evaluations on either side of a crossing that replicates are laid out on at first; twice as many whenever
one of them crosses in the outer quarter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ascent:
    """A rise: its evaluations, the smooth curve through them, its levels and the noise about them."""

    steps: Integers
    values: Floats
    base: Floats
    plateau: Plateau
    height: float
    noise: Noise

    def level(self, share: float) -> float:
        """Return the level at which ``share`` of the rise is done."""
        return self.plateau.level + share * self.height

    def plateaus(self, rng: np.random.Generator) -> Floats:
        """Return how far the plateau may lie off, shape (REPLICATES,): its noise, and down to the lowest."""
        noise = self.noise.of_plateau * rng.standard_normal(REPLICATES)
        return noise - (self.plateau.level - self.plateau.lowest) * rng.random(REPLICATES)


def dates(curve: Curve, *, plateau: Plateau, top: float, window: slice) -> tuple[Date | None, Date | None]:
    """Return onset and midpoint of the rise of ``curve`` within ``window``, with 95 % intervals.

    Args:
        curve: The curve.
        plateau: Level before the rise, in the metric's unit.
        top: Level after it, larger.
        window: Evaluations that belong to the rise and the plateau before it.

    Returns:
        Each is ``None`` where the curve is past its level from the window's first evaluation on.
    """
    values, height = curve.values[window], top - plateau.level
    levels = plateau.level + np.array([ONSET, MIDPOINT]) * height
    crossed = crossings(values, levels, height=height)
    base = monotone(values)
    ascent = _Ascent(
        steps=curve.steps[window],
        values=values,
        base=base,
        plateau=plateau,
        height=height,
        noise=noise_of(values, base, onset=int(crossed[0]), later=curve.values[window.stop :]),
    )
    onset, midpoint = (
        _date(ascent, int(i), share) for i, share in zip(crossed, (ONSET, MIDPOINT), strict=True)
    )
    return onset, midpoint


def _date(ascent: _Ascent, index: int, share: float) -> Date | None:
    if index == 0:
        return None
    steps, level = ascent.steps, ascent.level(share)
    index = min(index, len(steps) - 1)
    low, high = np.quantile(_spread_in_gaps(steps, _replicated(ascent, index, share)), [0.025, 0.975])
    smooth = ascent.values if _crosses(ascent.values, index, level) else ascent.base
    step = interpolated(steps, smooth, index, level)
    # The gap that the crossing was seen in is always part of it: no noise is no reason to claim more.
    low, high = min(math.floor(low), int(steps[index - 1])), max(math.ceil(high), int(steps[index]))
    return Date(step=step, low=min(low, step), high=max(high, step))


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
    shift = (1 - share) * ascent.plateaus(rng)
    level, count = np.array([ascent.level(share)]), len(ascent.base)
    nearby = NEARBY
    while True:
        begin, end = max(index - nearby, 0), min(index + nearby, count)
        replicates = ascent.base[begin:end] + ascent.noise.drawn(REPLICATES, end - begin, rng)
        found = begin + crossings(replicates - shift[:, None], level, height=ascent.height)[:, 0]
        edge = nearby // 4
        is_cut_low = begin > 0 and np.min(found) <= begin + edge
        is_cut_high = end < count and np.max(found) >= end - edge
        if not is_cut_low and not is_cut_high:
            return found
        nearby *= 2
