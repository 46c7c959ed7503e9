"""Corrections for many tests: Holm for planned ones, Benjamini-Hochberg and e-BH for screens."""

import numpy as np

from grokscope.interventions.contrasts.samples import FloatArray, SampleError, Values, finite
from grokscope.schemas.e_values import adjusted_e_values


def holm(p_values: Values, *, of: int | None = None) -> FloatArray:
    """Return Holm's adjusted p: at most alpha where the chance of one false finding is at most alpha.

        adjusted p₍ᵢ₎ = max over j ≤ i of min(1, (m - j + 1) p₍ⱼ₎),   p₍₁₎ ≤ … ≤ p₍ₘ₎

    For a few planned contrasts, whatever depends on whatever.

    Args:
        p_values: Of the tests that are told.
        of: How many tests there were, m; the others count as having found nothing. All are told by default.

    Returns:
        In the order given.

    Raises:
        SampleError: If one is not in 0..1, or there were fewer tests than are told.

    Source: Holm 1979. Equals ``statsmodels.stats.multitest.multipletests(method="holm")``.

    >>> holm([0.01, 0.04, 0.03]).round(3)
    array([0.03, 0.06, 0.06])
    >>> holm([0.01], of=10)
    array([0.1])
    """
    p = _shares(p_values)
    tests = p.size if of is None else of
    if tests < p.size:
        raise SampleError(f"{p.size} tests are told, and there were to be {tests}; count all that were made")
    order = np.argsort(p, kind="stable")
    steps = np.minimum(1.0, p[order] * (tests - np.arange(p.size)))
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(steps)
    return adjusted


def benjamini_hochberg(p_values: Values) -> FloatArray:
    """Return the adjusted p of a screen: at most alpha where at most the share alpha of findings is false.

    On average, and where the tests are independent or depend positively. Tests that share a control group do.

    Returns:
        In the order given.

    Raises:
        SampleError: If one is not in 0..1.

    Source: Benjamini & Hochberg 1995. Equals ``scipy.stats.false_discovery_control``.

    >>> benjamini_hochberg([0.01, 0.04, 0.03]).round(3)
    array([0.03, 0.04, 0.04])
    """
    p = _shares(p_values)
    order = np.argsort(-p, kind="stable")
    steps = np.minimum(1.0, p[order] * p.size / np.arange(p.size, 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum.accumulate(steps)
    return adjusted


def e_benjamini_hochberg(e_values: Values) -> FloatArray:
    """Return adjusted e-values: at least 1/alpha where at most the share alpha of findings is false.

    ``adjusted_e_values`` of checked numbers.

    Returns:
        In the order given.

    Raises:
        SampleError: If one is negative.

    Source: Wang & Ramdas 2022, arXiv:2009.02824.

    >>> e_benjamini_hochberg([90.0, 3.0, 31.0]).round(1)
    array([30. ,  3. , 20.7])
    """
    e = finite(e_values, "e-values")
    if e.min() < 0:
        raise SampleError(f"an e-value is at least 0, got {e.min()}")
    return np.asarray(adjusted_e_values(e.tolist()), np.float64)


def _shares(p_values: Values) -> FloatArray:
    p = finite(p_values, "p-values")
    if p.min() < 0 or p.max() > 1:
        raise SampleError(f"a p is between 0 and 1, got {p.min()} to {p.max()}")
    return p
