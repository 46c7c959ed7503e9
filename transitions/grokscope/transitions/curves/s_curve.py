"""The robust S-curve: a monotone rise fitted to a noisy curve, and when it passes a level.

The shape is not assumed to be logistic; only monotone. Where a monotone fit passes a level L needs no fit
at all (the switch relation of isotonic regression, Groeneboom 1985): it passes where the running sum of
how far the curve lies above L is smallest,

    i(L) = argmin_i  Σ_{j<i} ψ((y_j - L) / h)

With ψ the identity that is least-squares isotonic regression. Here ψ clips at ±``CLIP`` of the rise h, so
that a dip to zero or a false start weighs no more than its number of evaluations. One cumulative sum: O(n),
and the same line dates a whole bootstrap at once.
"""

import numpy as np
from scipy.optimize import isotonic_regression

from grokscope.transitions.curves.series import Floats, Integers, running_median

CLIP = 0.1
"""Distance from the level, in units of the rise, beyond which an evaluation counts no more.

The onset is read at 10 % of the rise: there the plateau lies one such unit below the level, so plateau and
top weigh alike."""
ROUNDED = 3
"""Evaluations that a monotone fit is a mean of: it rounds off its stairs."""
WIDTHS = (5, 9, 17, 33)
"""Evaluations over which such a fit may be averaged once more."""
SMOOTHED = 0.5
"""Standard deviations of noise by which the average may move the fit."""


def crossings(values: Floats, levels: Floats, *, height: float) -> Integers:
    """Return for each level the index of the first evaluation past it, by the switch relation.

    Args:
        values: Shape (..., n): one curve, or a stack of bootstrap replicates.
        levels: Shape (k,), in the unit of ``values``.
        height: Size of the whole rise, > 0, in the unit of ``values``.

    Returns:
        Shape (..., k): index in 0..n; n where the curve never stays past the level.

    >>> curve = np.array([0.0, 0.0, 0.9, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0])
    >>> crossings(curve, np.array([0.5]), height=1.0)
    array([5])
    """
    distance = (values[..., None, :] - levels[:, None]) / height
    sums = np.cumsum(np.clip(distance, -CLIP, CLIP), axis=-1)
    # The empty sum is i = 0: the curve was past the level from its first evaluation on.
    starts = np.zeros((*sums.shape[:-1], 1))
    return np.argmin(np.concatenate((starts, sums), axis=-1), axis=-1).astype(np.int64)


def monotone(values: Floats) -> Floats:
    """Return a smooth monotone curve through ``values``, shape (n,): what they are taken to be noise about.

    Isotonic regression of the running median of three, then the mean of ``ROUNDED``.

    >>> monotone(np.array([0.0, 0.0, 9.0, 0.0, 0.0, 3.0, 3.0, 3.0])).round(1)
    array([0., 0., 0., 0., 1., 2., 3., 3.])
    """
    fitted = np.asarray(isotonic_regression(running_median(values, width=3)).x, dtype=np.float64)
    return moving_mean(np.pad(fitted, ROUNDED // 2, mode="edge"), ROUNDED)


def smoothed(base: Floats, *, noise: float) -> tuple[Floats, int]:
    """Return monotone ``base`` averaged over as many evaluations as its noise allows, and how many these are.

    An isotonic fit climbs in stairs that noise made, and their flats and cliffs date replicates badly. The
    mean may move no value by more than ``SMOOTHED`` of the noise.

    >>> smoothed(np.array([0.0, 0.0, 0.0, 1.0, 1.0, 1.0]), noise=0.1)[1]
    1
    """
    best, taken = base, 1
    for width in WIDTHS:
        if width > len(base):
            break
        mean = moving_mean(np.pad(base, width // 2, mode="edge"), width)
        if float(np.max(np.abs(mean - base))) > SMOOTHED * noise:
            break
        best, taken = mean, width
    return best, taken


def averaged(noise: Floats, *, width: int) -> Floats:
    """Return what is left of ``noise`` in a monotone fit that was averaged over ``width``.

    Shape (..., n - ``ROUNDED`` - width + 2): a fit is dated better than the evaluations that it goes through.

    >>> averaged(np.array([0.0, 3.0, 6.0, 9.0]), width=1)
    array([3., 6.])
    """
    return moving_mean(moving_mean(noise, width), ROUNDED)


def moving_mean(values: Floats, width: int) -> Floats:
    """Return the mean of every ``width`` neighbours, shape (..., n - width + 1).

    >>> moving_mean(np.array([0.0, 2.0, 4.0, 9.0]), 3)
    array([2., 5.])
    """
    if width == 1:
        return values
    sums = np.cumsum(values, axis=-1)
    means = sums[..., width - 1 :].copy()
    means[..., 1:] -= sums[..., :-width]
    return means / width
