"""The noise of a curve's evaluations: how large, and how much of it one evaluation hands to the next.

A first-order autoregression. Size and persistence are read off the plateau, about a straight line, since a
monotone fit follows persistent noise and leaves residuals that are too small and too independent. Noise cut
off at 0 or 1 is smaller there than on the way up, so the larger of the two sizes counts.
"""

from dataclasses import dataclass

import numpy as np

from grokscope.transitions.curves.series import Floats

FEW = 8
"""Evaluations from which a part of the curve tells anything about its noise."""
LEAST_GROUND = 5
"""... and its size, if they lie on the plateau: residuals hold the corners that the smooth curve cuts off."""
LEVERAGE = 1 / 3
"""Share of each evaluation in its own fitted value, a mean of three: residuals are too small by as much."""
MOST = 0.95
"""Autocorrelation beyond this cannot be told from a trend in a curve of ordinary length."""
OUTLYING = 3.0
"""Deviations count up to so many median ones: dips are events, not noise."""
GROUND = 2 / 3
"""Share of the evaluations before the onset that lies on the plateau: the foot of the rise does not."""
LEAST_LEFT = 0.25
"""Share of the variance that a straight line is taken to leave at least."""
TO_SIGMA = 1.4826
"""Standard deviations in a median absolute deviation of normal noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """AR(1) noise.

    Attributes:
        size: Standard deviation, in the metric's unit.
        persistence: Autocorrelation between an evaluation and the next, in [0, 1).
        of_plateau: Standard error of the plateau's level, in the metric's unit.
    """

    size: float
    persistence: float
    of_plateau: float

    def drawn(self, count: int, length: int, rng: np.random.Generator) -> Floats:
        """Return stationary replicates, shape (count, length)."""
        fresh = self.size * rng.standard_normal((count, length))
        return autoregressive(fresh, persistence=self.persistence)


def autoregressive(fresh: Floats, *, persistence: float) -> Floats:
    """Return stationary AR(1) noise made of independent ``fresh`` of the same size, shape (..., n).

    >>> autoregressive(np.array([1.0, 1.0, 0.0]), persistence=0.6).round(2)
    array([1.  , 1.4 , 0.84])
    """
    if persistence == 0:
        return fresh
    # A plain loop over evaluations: importing scipy.signal for one filter takes longer than most runs.
    innovations = np.moveaxis(fresh * (1 - persistence**2) ** 0.5, -1, 0)
    noise = np.empty_like(innovations)
    noise[0] = fresh[..., 0]
    for i in range(1, len(noise)):
        noise[i] = persistence * noise[i - 1] + innovations[i]
    return np.moveaxis(noise, 0, -1)


def noise_of(values: Floats, base: Floats, *, onset: int, later: Floats) -> Noise:
    """Return the noise of ``values`` about ``base``, which leaves its plateau at index ``onset``.

    A plateau too short to tell how persistent noise is leaves that to what comes ``later`` than the rise.
    """
    residuals = (values - base) / (1 - LEVERAGE) ** 0.5
    ground = int(GROUND * onset)
    flat, rest = _level(values[:ground]), residuals[onset:]
    parts = (flat,) if ground >= 2 * FEW else (residuals, _level(later))
    persistence = max(persistence_of(part) for part in parts)
    # What persists is lost to the fit: the rise tells its size by differences from one to the next.
    climbing = _spread(np.diff(rest)) / (2 * (1 - persistence)) ** 0.5 if len(rest) > FEW else 0.0
    effective = max(ground * (1 - persistence) / (1 + persistence), 1.0)
    # A straight line takes two of the independent evaluations that the plateau is worth.
    resting = (
        _spread(flat) / max(1 - 2 / effective, LEAST_LEFT) ** 0.5
        if ground >= LEAST_GROUND
        else _spread(residuals)
    )
    return Noise(
        size=max(climbing, resting),
        persistence=persistence,
        of_plateau=resting * (np.pi / 2 / effective) ** 0.5,
    )


def persistence_of(deviations: Floats) -> float:
    """Return the lag-one autocorrelation about a straight line, corrected for its bias of -(2 + 4 φ) / n.

    >>> persistence_of(np.array([1.0, 1.0, 1.0, 1.0, -1.0, -1.0, -1.0, -1.0] * 4)).__round__(2)
    0.68
    """
    n = len(deviations)
    power = float(np.sum(deviations**2))
    if n < FEW or power == 0:
        return 0.0
    raw = float(np.sum(deviations[1:] * deviations[:-1])) / power
    return min(max((n * raw + 2) / (n - 4), 0.0), MOST)


def jitter(values: Floats) -> float:
    """Return the standard deviation of noise that is independent from one evaluation to the next.

    Read off the differences between evaluations, about their median: slow changes, straight trends and single
    spikes do not count.

    >>> jitter(np.array([1.0, 2.0, 3.0, 4.0, 90.0, 6.0]))
    0.0
    """
    differences = np.diff(values)
    if len(differences) == 0:
        return 0.0
    return TO_SIGMA * float(np.median(np.abs(differences - np.median(differences)))) / 2**0.5


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


def _level(ground: Floats) -> Floats:
    """Return ``ground`` without its straight trend, shape (n,): a creep is no noise."""
    if len(ground) < FEW:
        return ground - np.median(ground) if len(ground) else ground
    axis = np.linspace(-1.0, 1.0, len(ground))
    return ground - np.mean(ground) - axis * float(ground @ axis) / float(axis @ axis)


def _spread(deviations: Floats) -> float:
    """Return the standard deviation about 0, outlying values cut."""
    typical = TO_SIGMA * float(np.median(np.abs(deviations)))
    limit = OUTLYING * typical if typical > 0 else np.inf
    return float(np.sqrt(np.mean(np.clip(deviations, -limit, limit) ** 2)))
