"""The noise of a curve's evaluations: how large, and how much of it one evaluation hands to the next.

A first-order autoregression. Size and persistence are read off the plateau and off what the rise settles
at, about straight lines, since a monotone fit follows persistent noise and leaves residuals that are too
small and too independent. Noise cut off at 0 or 1 is smaller there than on the way up: the larger counts.

Persistent noise shows little of itself: a hundred evaluations may be worth two independent ones, and a
straight line through them takes most of what wandered. So persistence is a distribution, and size follows it.
"""

from dataclasses import dataclass

import numpy as np

from grokscope.transitions.curves.series import Floats, median

FEW = 8
"""Evaluations from which a part of the curve tells anything about its noise."""
SHOWN = 6
"""Evaluations from which differences between them tell noise from change."""
LEAST_GROUND = 5
"""... and its size, if they lie on the plateau: residuals hold the corners that the smooth curve cuts off."""
LEVERAGE = 1 / 3
"""Share of each evaluation in its own fitted value, a mean of three: residuals are too small by as much."""
MOST = 0.98
"""Autocorrelation beyond this cannot be told from a trend in a curve of ordinary length."""
OUTLYING = 3.0
"""Deviations count up to so many median ones: dips are events, not noise."""
GROUND = 2 / 3
"""Share of the evaluations before the onset that lies on the plateau: the foot of the rise does not. The same
share of those after the rise has settled."""
LEAST_LEFT = 0.25
"""Share of the variance that a straight line is taken to leave at least."""
UNSURE, SHIFT = 1.3, 0.3
"""Spread of an estimate of persistence about the true one, and its shortfall for each unit of it, in standard
errors: what simulations of 50 to 130 evaluations with a persistence of .8 to .95 show."""
PERSISTENT = 0.5
"""Persistence from which no part of a curve shows the size of its noise, so that the largest seen counts."""
CUT_OFF = 0.2
"""Share of the evaluations at the lowest or highest value from which noise counts as cut off there."""
TO_SIGMA = 1.4826
"""Standard deviations in a median absolute deviation of normal noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """AR(1) noise.

    Attributes:
        size: Standard deviation, as the curve's values are counted.
        persistence: Autocorrelation between an evaluation and the next, in [0, 1).
        of_plateau: Standard error of the plateau's level.
        of_top: ... and of the top's.
        seen: Evaluations that persistence was read off; 0 if too few to tell how far it may be off.
    """

    size: float
    persistence: float
    of_plateau: float
    of_top: float
    seen: int

    def replicates(self, count: int, rng: np.random.Generator) -> "Replicates":
        """Return ``count`` draws of what this noise may be, as far as ``seen`` leaves that open."""
        phi, seen = self.persistence, self.seen
        persistence, factor = np.full(count, phi), np.ones(count)
        if seen:
            # What each evaluation adds is known well; how far that adds up hangs on the persistence.
            persistence = _persistence_drawn(phi, seen, count, rng)
            factor = np.sqrt(seen / rng.chisquare(seen, count) * (1 - phi**2) / (1 - persistence**2))
        of_level = factor * np.sqrt(worth_of(phi) * (1 + persistence) / (1 - persistence))
        return Replicates(
            size=factor * self.size,
            persistence=persistence,
            plateau=self.of_plateau * of_level * rng.standard_normal(count),
            top=self.of_top * of_level * rng.standard_normal(count),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicates:
    """What noise may be, and how far it may have moved the levels: each of shape (count,).

    Attributes:
        size, persistence: As of ``Noise``.
        plateau, top: By how much they lie off.
    """

    size: Floats
    persistence: Floats
    plateau: Floats
    top: Floats

    def noise(self, length: int, rng: np.random.Generator) -> Floats:
        """Return stationary noise of each, shape (count, length)."""
        fresh = rng.standard_normal((len(self.size), length))
        return self.size[:, None] * autoregressive(fresh, persistence=self.persistence)


def autoregressive(fresh: Floats, *, persistence: float | Floats) -> Floats:
    """Return stationary AR(1) noise made of independent ``fresh`` of the same size, shape (..., n).

    >>> autoregressive(np.array([1.0, 1.0, 0.0]), persistence=0.6).round(2)
    array([1.  , 1.4 , 0.84])
    """
    if not np.any(persistence):
        return fresh
    # A plain loop over evaluations: importing scipy.signal for one filter takes longer than most runs.
    innovations = np.moveaxis(fresh, -1, 0) * np.sqrt(1 - np.square(persistence))
    noise = np.empty_like(innovations)
    noise[0] = fresh[..., 0]
    for i in range(1, len(noise)):
        noise[i] = persistence * noise[i - 1] + innovations[i]
    return np.moveaxis(noise, 0, -1)


def noise_of(values: Floats, base: Floats, *, onset: int, later: Floats) -> Noise:
    """Return the noise of ``values`` about ``base``, which leaves its plateau at index ``onset``.

    Args:
        values: Up to the end of the rise, shape (n,).
        base: The smooth curve through them, shape (n,).
        onset: Index at which it leaves the plateau.
        later: How far the evaluations after the rise lie from its top, shape (m,).
    """
    residuals = values - base
    ground, settled = values[: int(GROUND * onset)], later[int((1 - GROUND) * len(later)) :]
    parts = [_without_outliers(_level(part)) for part in (ground, settled) if len(part) >= 2 * FEW]
    persistence = max(persistence_of(*(parts or [residuals])), _persistence_of_signs(ground))
    resting = _resting(ground, residuals / (1 - LEVERAGE) ** 0.5, persistence=persistence)
    size = max(_climbing(residuals[onset:], persistence=persistence), resting)
    if persistence > PERSISTENT:
        resting = size = max([size, *(_spread(part) for part in parts)])
    worth = worth_of(persistence)
    above = int(np.sum(later >= 0))
    return Noise(
        size=size,
        persistence=persistence,
        of_plateau=error_of_median(resting, worth * len(ground)),
        of_top=error_of_median(min(_size_at_top(later), size) if above else size, worth * 2 * above),
        seen=sum(len(part) for part in parts),
    )


def persistence_of(*parts: Floats) -> float:
    """Return the lag-one autocorrelation of deviations from straight lines, one a part of the curve.

    Corrected for the bias of -(2 + 4 φ) / n that each line brings.

    >>> persistence_of(np.array([1.0, 1.0, 1.0, 1.0, -1.0, -1.0, -1.0, -1.0] * 4)).__round__(2)
    0.68
    """
    n, lines = sum(len(part) for part in parts), len(parts)
    power = sum(float(np.sum(part**2)) for part in parts)
    if n < FEW * lines or power == 0:
        return 0.0
    raw = sum(float(np.sum(part[1:] * part[:-1])) for part in parts) / power
    return min(max((n * raw + 2 * lines) / (n - 4 * lines), 0.0), MOST)


def jitter(values: Floats) -> float:
    """Return the standard deviation of noise that is independent from one evaluation to the next.

    Read off the differences between evaluations, about their median: slow changes, straight trends and single
    spikes do not count. Fewer than ``SHOWN`` evaluations do not tell noise from change, and show none.

    >>> jitter(np.array([1.0, 2.0, 3.0, 4.0, 90.0, 6.0]))
    0.0
    """
    differences = np.diff(values)
    if len(values) < SHOWN:
        return 0.0
    return TO_SIGMA * median(np.abs(differences - median(differences))) / 2**0.5


def wander(values: Floats, *, width: int) -> float:
    """Return how far the level of ``width`` evaluations wanders from one such block to the next.

    A standard deviation, read like ``jitter`` off the medians of blocks: noise that hands much of itself from
    one evaluation to the next wanders further than its jitter tells. 0 for fewer than ``FEW`` blocks.

    >>> wander(np.repeat(np.sin(np.arange(20) * 5.0), 5), width=5) > 0.5
    True
    """
    blocks = len(values) // width
    if blocks < FEW:
        return 0.0
    return jitter(np.median(values[: blocks * width].reshape(blocks, width), axis=1))


def _persistence_drawn(phi: float, seen: int, count: int, rng: np.random.Generator) -> Floats:
    """Return what the persistence may be that ``seen`` evaluations show as ``phi``, shape (count,)."""
    error = ((1 - phi**2) / seen) ** 0.5
    if phi < UNSURE * error:
        return np.zeros(count)
    return np.clip(phi + error * (UNSURE * rng.standard_normal(count) + SHIFT * phi), 0.0, MOST)


def worth_of(persistence: float) -> float:
    """Return how many independent evaluations one with noise that persists is worth."""
    return (1 - persistence) / (1 + persistence)


def error_of_median(size: float, independent: float) -> float:
    """Return the standard error of a median of so many ``independent`` evaluations."""
    return size * (np.pi / 2 / max(independent, 1.0)) ** 0.5


def _resting(ground: Floats, residuals: Floats, *, persistence: float) -> float:
    """Return the size of noise on the plateau."""
    if len(ground) < LEAST_GROUND:
        return _spread(residuals)
    # A straight line takes two of the independent evaluations that the plateau is worth.
    independent = max(worth_of(persistence) * len(ground), 1.0)
    size = _spread(_level(ground)) / max(1 - 2 / independent, LEAST_LEFT) ** 0.5
    if not _is_cut_off(ground):
        return size
    above = ground[ground > median(ground)] - median(ground)
    return max(size, _spread(above)) if len(above) else size


def _climbing(residuals: Floats, *, persistence: float) -> float:
    """Return the size of noise on the rise, or 0 if that is too short.

    What persists is lost to the fit, so the differences from one to the next tell it: the fit, which hardly
    moves between them, takes nothing away.
    """
    return _spread(np.diff(residuals)) / (2 * (1 - persistence)) ** 0.5 if len(residuals) > FEW else 0.0


def _size_at_top(later: Floats) -> float:
    """Return the size of noise at the top: what lies above it tells, unless that is cut off; dips do not."""
    above, below = later[later >= 0], later[later < 0]
    return max(
        float(np.sqrt(np.mean(above**2))) if len(above) else 0.0,
        TO_SIGMA * median(-below) if len(below) else 0.0,
    )


def _is_cut_off(values: Floats) -> bool:
    """Return whether noise has no room: many evaluations share the lowest value, or the highest."""
    ends = (float(np.min(values)), float(np.max(values))) if len(values) else ()
    return any(np.count_nonzero(np.equal(values, end)) > CUT_OFF * len(values) for end in ends)


def _persistence_of_signs(ground: Floats) -> float:
    """Return the persistence of noise that is cut off, from which side of the median it is on; else 0.

    Normal noise with an autocorrelation of φ has signs with one of 2 / π arcsin φ.
    """
    if len(ground) < 2 * FEW or not _is_cut_off(ground):
        return 0.0
    is_above = (ground > median(ground)).astype(np.float64)
    return float(np.sin(np.pi / 2 * persistence_of(is_above - np.mean(is_above))))


def _without_outliers(deviations: Floats) -> Floats:
    """Return ``deviations`` with outlying ones cut, shape (n,)."""
    typical = TO_SIGMA * median(np.abs(deviations))
    return np.clip(deviations, -OUTLYING * typical, OUTLYING * typical) if typical > 0 else deviations


def _level(ground: Floats) -> Floats:
    """Return ``ground`` without its straight trend, shape (n,): a creep is no noise."""
    if len(ground) < FEW:
        return ground - median(ground) if len(ground) else ground
    axis = np.linspace(-1.0, 1.0, len(ground))
    return ground - np.mean(ground) - axis * float(ground @ axis) / float(axis @ axis)


def _spread(deviations: Floats) -> float:
    """Return the standard deviation about 0, outlying values cut."""
    return float(np.sqrt(np.mean(_without_outliers(deviations) ** 2)))
