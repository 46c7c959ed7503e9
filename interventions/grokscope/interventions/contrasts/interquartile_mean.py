"""Interquartile mean: the mean of the middle half, with a bootstrap interval."""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

from grokscope.interventions.contrasts.samples import FloatArray, SampleError, Values, finite
from grokscope.interventions.estimate import Estimate

LEAST = 6
"""Values below which no interval is given: the bootstrap covers too rarely there."""
LEAST_STRATIFIED = 18
LEAST_OF_A_STRATUM = 3
"""The same where there are strata: in all, and in each."""
DRAWS = 4000

Places = NDArray[np.int64]


def interquartile_mean(
    values: Values, *, strata: Sequence[Hashable] | None = None, level: float = 0.95, seed: int = 0
) -> Estimate:
    """Return the mean of the values without the lowest and the highest quarter of them.

    The interval goes between two percentiles of the means of ``DRAWS`` samples that are drawn with
    replacement, within each of S strata. Draws vary less than the values that they are drawn from, so the
    percentiles lie further out than the level says: at Φ(±t √(n / (n - S))), t the quantile of Student's t
    with n - S degrees of freedom (half of them where S > 1).

    Args:
        values: One number a run (or a task and run): a score, a level, a normalized cost.
        strata: What each value belongs to, such as its task; runs are drawn within it.
        level: Share of such intervals that cover the interquartile mean of the population.
        seed: Of the draws.

    Returns:
        In the unit of the values; no interval where values are too few for it (``LEAST`` and the others), and
        ``missing`` says so.

    Raises:
        SampleError: If a value is not finite, or strata do not match.

    Source: Agarwal et al. 2021, arXiv:2108.13264; percentiles: Hesterberg 2015, arXiv:1411.5279. The value
    equals ``scipy.stats.trim_mean(values, 0.25)``.

    >>> interquartile_mean([1, 2, 3, 4, 5, 6, 7, 100]).value
    4.5
    """
    array = finite(values)
    value = float(_means(array[None, :])[0])
    members = _members(array.size, strata)
    few = _too_few(array.size, [group.size for group in members])
    if few:
        return Estimate(value=value, level=level, missing=few)
    rng = np.random.default_rng(seed)
    picked: list[Places] = [group[rng.integers(group.size, size=(DRAWS, group.size))] for group in members]
    means = _means(array[np.concatenate(picked, axis=1)])
    low, high = np.quantile(means, _percentiles(array.size, members, level))
    drawn = "bootstrap within strata" if strata is not None else "bootstrap"
    return Estimate(value=value, low=float(low), high=float(high), level=level, method=f"{drawn}, percentile")


def _means(samples: FloatArray) -> FloatArray:
    """Return the interquartile mean of each row."""
    ordered = np.sort(samples, axis=1)
    cut = int(0.25 * ordered.shape[1])
    return ordered[:, cut : ordered.shape[1] - cut].mean(axis=1)


def _too_few(size: int, sizes: list[int]) -> str | None:
    """Return why there is no interval."""
    least = LEAST if len(sizes) == 1 else LEAST_STRATIFIED
    if size < least:
        return f"no interval below {least} values, got {size}: a bootstrap covers too rarely there"
    if len(sizes) > 1 and min(sizes) < LEAST_OF_A_STRATUM:
        return f"no interval below {LEAST_OF_A_STRATUM} values a stratum, got {min(sizes)}"
    return None


def _members(size: int, strata: Sequence[Hashable] | None) -> list[Places]:
    """Return the places of the values of each stratum."""
    if strata is None:
        return [np.arange(size)]
    if len(strata) != size:
        raise SampleError(f"strata need one entry a value, got {len(strata)} for {size} values")
    places: dict[Hashable, list[int]] = {}
    for place, stratum in enumerate(strata):
        places.setdefault(stratum, []).append(place)
    return [np.array(group) for group in places.values()]


def _percentiles(size: int, members: list[Places], level: float) -> tuple[float, float]:
    """Return the two shares at which the draws are cut."""
    freedom = size - len(members)
    if len(members) > 1:  # strata that are trimmed away tell nothing of the spread: half of the values do
        freedom /= 2
    narrow = 1 - len(members) / size  # variance of draws against that of values, over all strata
    outer = float(ndtr(stdtrit(freedom, (1 - level) / 2) / np.sqrt(narrow)))
    return outer, 1 - outer
