"""E-values against "there is no gain" that hold at every look, however often one looks.

An e-value of 20 or more decides at 5 %: where there is no gain, the chance that it is ever that large is at
most 1/20. So seeds may be added until it is, and the first time that it is may be acted on. The value to
report is the running one at the moment of stopping, not the largest that it ever had.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, log_ndtr, stdtr

from grokscope.interventions.contrasts.samples import FloatArray, SampleError, Values, finite

EFFECT = 2.0
"""Size of the gains that the bets expect, in standard deviations of a seed.

Chosen by simulation for n = 3 to 20 and gains of 1 to 3 sd. A wrong guess costs seeds, never validity.
"""


def mean_e_process(
    values: Values, target: float, *, below: bool = True, sd: float | None = None, df: float = math.inf
) -> FloatArray:
    """Return the e-value after each value, against H₀ "the mean is at least the target".

        E_n = 2 (1 + nτ²)^(-1/2) (1 - c²)^(-k/2) F_k(c √(k / (1 - c²))),   τ = EFFECT,  k = n + df
        c = Σᵢ(target - xᵢ) / √(Σᵢ(target - xᵢ)² + df · sd²) · √(τ² / (1 + nτ²))

    F_k is the distribution function of Student's t with k degrees of freedom. It is the likelihood ratio of
    all that does not depend on the unit, for δ = (target - mean) / σ with a half-normal weight of scale τ on
    δ > 0, against δ = 0. It is a martingale at δ = 0, and a supermartingale at δ < 0 (it grows with Student's
    t, whose likelihood ratio is monotone), so P(there is an n with E_n ≥ 1/α) ≤ α.

    Args:
        values: Final values of independent runs, in the order in which they were looked at; Gaussian.
        target: In the same unit.
        below: Whether a large e-value says that the mean is below the target; ``False`` mirrors it.
        sd: Standard deviation of a seed, known before these values; ``None`` where only they tell it.
        df: Degrees of freedom of ``sd``: of a sd pooled over other configurations; ∞ where it is known.

    Returns:
        (n,) one e-value a value, in order.

    Raises:
        SampleError: If a value is not finite, or ``sd`` or ``df`` is not positive.

    Source: Lai 1976; Wang & Ramdas 2025, arXiv:2310.03722; Pérez-Ortiz et al. 2024, arXiv:2208.07610.

    >>> mean_e_process([3.2788, 3.2791, 3.2785, 3.2789, 3.2790], target=3.28).round(1)
    array([  1.7,   5. ,  14.3,  60.2, 259.2])
    """
    gains = (target - finite(values)) * (1 if below else -1)
    n = np.arange(1.0, gains.size + 1)
    return _e_values(gains.cumsum() / np.sqrt(n), (gains**2).cumsum(), n, n, _prior(sd, df))


def difference_e_process(  # noqa: PLR0913 -- what the looks are of, and what is known of the sd
    a: Values,
    b: Values,
    *,
    paired: bool = False,
    b_first: bool = False,
    margin: float = 0.0,
    below: bool = True,
    sd: float | None = None,
    df: float = math.inf,
) -> FloatArray:
    """Return the e-value after each look, against H₀ "the mean of a is at least that of b plus the margin".

    Look k sees the first k of each (all of the shorter one, once it has ended), or of b all, where they were
    there before the first of a. Unpaired, it is
    ``mean_e_process`` with n = n_a n_b / (n_a + n_b), k = n_a + n_b - 1 + df and the sum of squares within
    the groups: all that depends neither on the unit nor on the common level. Paired, it is that of the
    differences.

    Args:
        a: Final values of independent runs in the order in which they were looked at; Gaussian with one sd
            for both groups, unless paired.
        b: Those of the other group.
        paired: Whether place i of both is one seed.
        b_first: Whether all of b were there before the first of a and are seen at every look; not of pairs.
        margin: What ``a`` may be above ``b``: two budgets apart by 100 steps are worth some loss.
        below: Whether a large e-value says that a is below b + margin; ``False`` mirrors it.
        sd: Standard deviation of a seed (of a difference where paired), known before; ``None`` if not.
        df: Degrees of freedom of ``sd``.

    Returns:
        One e-value a look: as many as the longer group has values, or as a has where ``b_first``.

    Raises:
        SampleError: If a value is not finite, or pairs do not match.

    Source: as ``mean_e_process``.

    >>> difference_e_process([3.277, 3.276, 3.278], [3.280, 3.281, 3.279], sd=0.0011, df=400).round(1)
    array([  3.7, 164.5,  85.3])
    """
    first, second = finite(a, "a"), finite(b, "b")
    if paired:
        if first.size != second.size:
            raise SampleError(f"pairs need as many values of a as of b, got {first.size} and {second.size}")
        return mean_e_process(first - second, margin, below=below, sd=sd, df=df)
    looks = np.arange(1, (first.size if b_first else max(first.size, second.size)) + 1)
    n_a, mean_a, within_a = _grown(first, looks)
    n_b, mean_b, within_b = _grown(second, np.full_like(looks, second.size) if b_first else looks)
    n = n_a * n_b / (n_a + n_b)
    score = (mean_b + margin - mean_a) * np.sqrt(n) * (1 if below else -1)
    return _e_values(score, score**2 + within_a + within_b, n, n_a + n_b - 1, _prior(sd, df))


def _grown(values: FloatArray, looks: NDArray[np.int64]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return how many values each look has, their mean, and the sum of squares about it."""
    count = np.minimum(looks, values.size)
    shifted = values - values[0]  # a loss of 3.28 with a sd of .001 would lose digits in its squares
    mean = shifted.cumsum()[count - 1] / count
    squares = np.maximum((shifted**2).cumsum()[count - 1] - count * mean**2, 0.0)
    return count.astype(np.float64), mean + values[0], squares


def _prior(sd: float | None, df: float) -> tuple[float, float]:
    """Return the sd and its degrees of freedom: 0 where nothing is known of it."""
    if sd is None:
        return 1.0, 0.0
    if not (sd > 0 and math.isfinite(sd) and df > 0):
        raise SampleError(f"sd and df must be positive, got sd={sd} and df={df}; leave sd out if not known")
    return sd, df


def _e_values(
    score: FloatArray, squares: FloatArray, n: FloatArray, own: FloatArray, prior: tuple[float, float]
) -> FloatArray:
    """Return the e-values.

    Args:
        score: √n times the mean gain.
        squares: Sum of squares of the gains (with those within groups).
        n: Effective number of values: the score has the variance σ² and the mean √n δσ.
        own: Degrees of freedom of ``squares``.
        prior: What was known of the sd.
    """
    sd, df = prior
    spread = n * EFFECT**2
    shrunk = spread / (1 + spread)
    level = math.log(2) - np.log1p(spread) / 2
    if math.isinf(df):
        z = score / sd * np.sqrt(shrunk)
        return np.exp(np.minimum(level + z**2 / 2 + log_ndtr(z), _LARGEST))
    total = squares + df * sd**2
    # Values that are all at the target tell nothing: their score is 0 of 0.
    part = np.divide(score**2, total, out=np.zeros_like(score), where=total > 0)
    c = np.sign(score) * np.sqrt(np.minimum(part, 1.0) * shrunk)
    log_e = level + _log_ratio(c, own + df)
    return np.exp(np.minimum(log_e, _LARGEST))


def _log_ratio(c: FloatArray, k: FloatArray) -> FloatArray:
    """Return the logarithm of (1 - c²)^(-k/2) F_k(c √(k / (1 - c²)))."""
    rest = 1 - c**2
    far = (c < 0) & (k * c**2 > _FAR)
    near = np.where(far, 0.0, c)
    rank: FloatArray = stdtr(k, near * np.sqrt(k / (1 - near**2)))
    plain = -k / 2 * np.log(1 - near**2) + np.log(rank)
    # In the far tail both factors leave the range of numbers; their product is that of the tail's first term.
    safe = np.where(far, -c, 1.0)
    tail = -np.log(safe * k) - betaln(k / 2, 0.5) - np.log1p(rest / (k * safe**2))
    return np.where(far, tail, plain)


_LARGEST = 690.0
"""Logarithm at which e-values are cut, so that they stay numbers."""
_FAR = 50.0
"""k c² from which the first term of the tail is exact to a thousandth."""
