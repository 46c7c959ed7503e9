"""Performance profiles: on which share of the workloads is a group within a factor of the fastest."""

import numpy as np
import polars as pl

from grokscope.interventions.profiles.study_times import FloatArray, StudyTimes

PROFILE = pl.Schema({"group": pl.String(), "tau": pl.Float64(), "share": pl.Float64()})
"""``share`` of the workloads on which the group needs at most ``tau`` times what the fastest group needs."""


def ratios_to_fastest(costs: FloatArray) -> FloatArray:
    """Return each cost over the smallest of its workload: (…, groups, workloads), ∞ where not reached.

    A workload that nobody reached gives ∞ to all. Where the smallest cost is 0, it gives 1 to it and ∞ to
    others.

    >>> ratios_to_fastest(np.array([[2.0, np.inf], [6.0, np.inf]]))
    array([[ 1., inf],
           [ 3., inf]])
    """
    fastest = np.broadcast_to(costs.min(axis=-2, keepdims=True), costs.shape)
    none = np.where(np.isfinite(costs) & (costs == fastest), 1.0, np.inf)
    return np.divide(costs, fastest, out=none, where=np.isfinite(costs) & (fastest > 0))


def profile_of(ratios: FloatArray, taus: FloatArray) -> FloatArray:
    """Return the share of workloads within each factor of the fastest: (…, groups, taus).

        ρ_g(τ) = |{w : cost(g, w) ≤ τ · min_h cost(h, w)}| / |workloads|

    Source: Dolan & Moré 2002, doi 10.1007/s101070100263.

    >>> profile_of(np.array([[1.0, 3.0], [2.0, 1.0]]), np.array([1.0, 2.0, 4.0]))
    array([[0.5, 0.5, 1. ],
           [0.5, 1. , 1. ]])
    """
    return (ratios[..., np.newaxis] <= taus).mean(axis=-2)


def profile_area(ratios: FloatArray, taus: FloatArray) -> FloatArray:
    """Return the mean height of the profiles between the first and the last factor: (…, groups), in [0, 1].

        ∫ ρ_g(τ) dτ / (τ_last − τ_first), by the trapezoidal rule on the given factors

    The integral is a sum over workloads of the weights of the factors that are not below the ratio, so
    thousands of draws need no array of draws × factors.

    >>> profile_area(np.array([[1.0, 3.0], [2.0, np.inf]]), np.linspace(1, 4, 100)).round(3)
    array([0.669, 0.336])
    """
    steps = np.diff(taus) / 2
    weights = np.append(steps, 0.0) + np.append(0.0, steps)
    at_or_above = np.append(np.cumsum(weights[::-1])[::-1], 0.0)
    return at_or_above[np.searchsorted(taus, ratios)].mean(axis=-1) / (taus[-1] - taus[0])


def performance_profiles(times: StudyTimes, taus: FloatArray) -> pl.DataFrame:
    """Return the profiles of medians over studies, as ``PROFILE``, by group and factor.

    Args:
        times: Costs of the studies.
        taus: Factors ≥ 1, ascending.

    >>> times = StudyTimes(groups=("a", "b"), workloads=("w",), costs=np.array([[[2.0]], [[3.0]]]))
    >>> performance_profiles(times, np.array([1.0, 2.0])).rows()
    [('a', 1.0, 1.0), ('a', 2.0, 1.0), ('b', 1.0, 0.0), ('b', 2.0, 1.0)]
    """
    return profile_frame(times.groups, profile_of(ratios_to_fastest(times.medians()), taus), taus)


def profile_frame(groups: tuple[str, ...], shares: FloatArray, taus: FloatArray) -> pl.DataFrame:
    """Return shares of (groups, taus) as ``PROFILE``."""
    columns = {
        "group": np.repeat(np.array(groups, dtype=object), taus.size).tolist(),
        "tau": np.tile(taus, len(groups)),
        "share": shares.ravel(),
    }
    return pl.DataFrame(columns, schema=PROFILE)
