"""The levels on either side of a rise: the plateau that the run waited on, and the top that it settles at."""

from dataclasses import dataclass

import numpy as np

from grokscope.transitions.curves.noise import TO_SIGMA, jitter
from grokscope.transitions.curves.s_curve import crossings
from grokscope.transitions.curves.series import Curve, Floats, log_steps, median

ONSET, MIDPOINT = 0.1, 0.5
"""Shares of the rise at which it begins and is half done."""
FLAT = 0.05
"""Ground that gains less than this share of the rise from its first half to its second is flat."""
HALVES, LEAST_GROUND = 4, 5
"""Ground that is less than a quarter of the wait takes at least so many evaluations, and ..."""
LOPSIDED = 1.1
"""... a rise whose first half takes at most so much longer than its second: 0.6 to 1 in S-curves."""
EARLY = 8
"""The first so-manieth of a wait, in log step, tells the level at which it began."""
GATHERS = 1.5
"""A creep gathers speed if it gets so much faster, per log step."""
NOISY = 2.0
"""Standard errors by which two halves of flat ground may differ."""
REFINEMENTS = 3
"""How often the plateau is read again, up to the onset that it implies; two are enough to settle."""
REACH = 3.0
"""Standard deviations below the top that are noise; what lies further down is a dip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plateau:
    """The level before a rise, as the curve's values are counted.

    Attributes:
        level: The level.
        lowest: The lowest that could be called it: a creep has no level of its own, and ``level`` is that of
            its middle.
        is_flat: The run waited at it, instead of creeping.
        is_steady: It crept on as it began, and never gathered speed.
    """

    level: float
    lowest: float
    is_flat: bool = True
    is_steady: bool = False


def plateau_of(curve: Curve, start: int, end: int, *, top: float) -> Plateau:
    """Return the level that the run waited at between evaluations ``start`` and ``end``.

    It need not be chance. Flat ground up to the onset decides; a curve that creeps all the way has none.

    >>> values = np.array([0, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.6, 1, 1])
    >>> plateau_of(Curve(metric="m", steps=np.arange(11), values=values), 1, 9, top=1.0)
    Plateau(level=0.4, lowest=0.4, is_flat=True, is_steady=False)
    """
    ground = _flat_ground(curve, start, end, top=top)
    if ground is None:
        return _creeping(curve, start, end, top=top)
    level = _refined(curve, start, end, levels=(median(ground), top))
    return Plateau(level=level, lowest=level)


def _creeping(curve: Curve, start: int, end: int, *, top: float) -> Plateau:
    """Return the level that a creep leaves: that of its first half, if it gathers speed from there.

    A creep that goes on as it began never waited, and one that rests after a first stage rises from below
    that: both leave the level at which they began.
    """
    axis, half = log_steps(curve.steps), (start + end + 1) // 2
    early = float(axis[start] + (axis[end] - axis[start]) / EARLY)
    first = int(np.searchsorted(axis, early, side="right"))
    begin = median(curve.values[start : max(min(first, start + LEAST_GROUND), start + 1)])
    level = median(curve.values[start:half])
    if is_flat(curve.values[(start + half) // 2 : half], top=top) or top <= level or level <= begin:
        return Plateau(level=min(begin, level), lowest=min(begin, level), is_flat=False)
    middle = start + int(crossings(curve.values[start:end], np.array([level]), height=top - begin)[0])
    before, after = axis[middle] - axis[start], axis[end] - axis[middle]
    if (top - level) * before < GATHERS * (level - begin) * after:
        return Plateau(level=begin, lowest=begin, is_flat=False, is_steady=True)
    return Plateau(level=level, lowest=begin, is_flat=False)


def _refined(curve: Curve, start: int, end: int, *, levels: tuple[float, float]) -> float:
    """Return the plateau read again, up to the onset that it implies, while the ground is flat so far.

    The last third of it is left out: there a slow rise has its foot.
    """
    plateau, top = levels
    for _ in range(REFINEMENTS):
        level = np.array([plateau + ONSET * (top - plateau)])
        if top <= plateau:
            break
        foot = start + int(crossings(curve.values[start:end], level, height=top - plateau)[0])
        if not is_flat(curve.values[start:foot], top=top):
            break
        plateau = median(curve.values[start : foot - (foot - start) // 3])
    return plateau


def _flat_ground(curve: Curve, start: int, end: int, *, top: float) -> Floats | None:
    """Return the longest flat one of the first half, quarter, eighth, ... of the wait, or ``None``.

    On a linear step axis a rise of a decade takes nine tenths of the evaluations, so the plateau is short
    there. But a creep has a flat beginning too: short ground counts if one S-curve leads up from it.
    """
    for parts in (2, 4, 8, 16, 32):
        ground = curve.values[start : start + -(-(end - start) // parts)]
        if parts > HALVES and len(ground) < LEAST_GROUND:
            return None
        is_own = parts <= HALVES or _is_one_rise(curve, start, end, levels=(median(ground), top))
        if is_flat(ground, top=top, share=FLAT * min(HALVES / parts, 1.0)) and is_own:
            return ground
    return None


def _is_one_rise(curve: Curve, start: int, end: int, *, levels: tuple[float, float]) -> bool:
    """Return whether the first half of the rise takes about as long as the second, in log step."""
    plateau, top = levels
    if top <= plateau:
        return False
    shares = plateau + np.array([ONSET, MIDPOINT, 1 - ONSET]) * (top - plateau)
    window = slice(start, end + curve.patience)
    crossed = crossings(curve.values[window], shares, height=top - plateau)
    axis = log_steps(curve.steps[window])
    onset, midpoint, late = axis[np.minimum(crossed, len(axis) - 1)]
    return bool(midpoint - onset <= LOPSIDED * (late - midpoint))


def top_of(curve: Curve, end: int) -> float:
    """Return the level that the curve settles at from evaluation ``end`` on.

    The median of what holds the level arrived at: dips or a collapse say nothing about the top. Noise below
    it counts, as far down as noise reaches up.

    >>> top_of(Curve(metric="m", steps=np.arange(6), values=np.array([0, 0.9, 0.9, 1, 0.1, 1])), 3)
    1.0
    """
    later = curve.values[end:]
    held = later[later >= median(later[: curve.patience])]
    for _ in range(REFINEMENTS):
        top = median(held)
        reach = REACH * TO_SIGMA * median(held[held >= top] - top)
        held = later[later >= min(top - reach, float(np.min(held)))]
    return median(held)


def is_flat(ground: Floats, *, top: float, share: float = FLAT) -> bool:
    """Return whether ``ground`` gains next to nothing, as rises to ``top`` go; too short a one does not show.

    Next to nothing is less than ``share`` of the rise, from the ground's first half to its second.

    >>> is_flat(np.array([0.1, 0.12, 0.09, 0.11]), top=1.0), is_flat(np.linspace(0.1, 0.4, 8), top=1.0)
    (True, False)
    """
    half = len(ground) // 2
    if half <= 1:
        return False
    gain = median(ground[half:]) - median(ground[:half])
    height = top - median(ground)
    noise = NOISY * jitter(ground) * float(np.sqrt(np.pi / half))
    return gain <= max(share * height, min(noise, 4 * share * height))
