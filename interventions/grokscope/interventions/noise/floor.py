"""The noise floor: how far runs of one configuration lie apart, pooled over configurations."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtri, fdtr, fdtrc

from grokscope.interventions.contrasts.samples import FloatArray, SampleError, Values, finite
from grokscope.interventions.estimate import Estimate

UNEQUAL = 0.01
"""p below which spreads are said to differ."""
LEAST_FOR_LEVENE = 3
"""Runs a configuration that Levene's test counts: two always lie equally far from their median."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseFloor:
    """Standard deviation of a run's value when nothing but its seed changes.

    Attributes:
        sd: Pooled over configurations, in the unit of the values.
        df: Its degrees of freedom: runs less configurations, where a configuration has two runs or more.
        configurations: How many have two runs or more.
        alone: Configurations with one run, which say nothing of the spread.
        apart: Configurations whose spread is not that of the others, as their names, with their own sd.
        unequal_p: p of "all configurations have one spread" (Levene); ``None`` where that cannot be tested.
    """

    sd: Estimate
    df: int
    configurations: int
    alone: int
    apart: tuple[tuple[str, float], ...]
    unequal_p: float | None

    @property
    def caveat(self) -> str | None:
        """Where the pooled sd does not hold, in a sentence."""
        if self.sd.value is None:
            return self.sd.missing
        if self.apart:
            named = ", ".join(f"{name} (sd {own:.2g})" for name, own in self.apart)
            return f"the pooled sd of {self.sd.value:.2g} does not hold for {named}"
        if self.unequal_p is not None and self.unequal_p < UNEQUAL:
            return f"spreads differ between configurations (Levene's p = {self.unequal_p:.1g})"
        return None


def noise_floor(values: Values, configurations: Sequence[Hashable], *, level: float = 0.95) -> NoiseFloor:
    """Return the standard deviation within configurations.

        s² = Σ over configurations Σᵢ (xᵢ - mean)² / df,   interval: s √(df / χ²), both quantiles of χ²

    A configuration is apart where the F test of its variance against that of all others together has a p
    below ``UNEQUAL`` divided by their number; the worst is set aside before the next is looked for.

    Args:
        values: One number a run, such as its final loss; Gaussian within a configuration.
        configurations: What each run has all but the seed of.
        level: Share of such intervals that cover the sd.

    Returns:
        The floor; its sd is missing where no configuration has two runs.

    Raises:
        SampleError: If a value is not finite, or there are not as many configurations.

    Source: definition; Brown & Forsythe 1974 (Levene's test about the median, as ``scipy.stats.levene``).

    >>> floor = noise_floor([3.279, 3.281, 3.270, 3.272, 3.274], ["a", "a", "b", "b", "b"])
    >>> round(floor.sd.value, 5), floor.df
    (0.00183, 3)
    """
    array = finite(values)
    groups = _groups(array, configurations)
    several = {name: group for name, group in groups.items() if group.size > 1}
    alone = len(groups) - len(several)
    df = sum(group.size - 1 for group in several.values())
    squares = {name: float(((group - group.mean()) ** 2).sum()) for name, group in several.items()}
    return NoiseFloor(
        sd=_pooled(sum(squares.values()), df, level),
        df=df,
        configurations=len(several),
        alone=alone,
        apart=_apart({name: (squares[name], group.size - 1) for name, group in several.items()}),
        unequal_p=_levene(several),
    )


def _groups(array: FloatArray, configurations: Sequence[Hashable]) -> dict[str, FloatArray]:
    if len(configurations) != array.size:
        raise SampleError(
            f"each value needs its configuration, got {array.size} values and {len(configurations)}"
        )
    places: dict[Hashable, list[int]] = {}
    for place, configuration in enumerate(configurations):
        places.setdefault(configuration, []).append(place)
    return {str(name): array[found] for name, found in places.items()}


def _pooled(squares: float, df: int, level: float) -> Estimate:
    if df == 0:
        return Estimate(
            value=None, level=level, missing="no configuration has two runs; run one with another seed"
        )
    alpha = (1 - level) / 2
    low, high = (float(np.sqrt(squares / chdtri(df, tail))) for tail in (alpha, 1 - alpha))
    return Estimate(value=float(np.sqrt(squares / df)), low=low, high=high, level=level, method="χ²")


def _apart(spreads: dict[str, tuple[float, int]]) -> tuple[tuple[str, float], ...]:
    """Return the configurations whose variance is not that of all others together, the worst first.

    The worst is set aside before the next is looked for: beside one wild configuration, all others look calm.
    """
    left, apart = dict(spreads), list[tuple[str, float]]()
    while len(left) > 1:
        p_values = {name: _f_test(left, name) for name in left}
        worst = min(p_values, key=lambda name: p_values[name])
        if p_values[worst] * len(left) >= UNEQUAL:
            break
        squares, own = left.pop(worst)
        apart.append((worst, float(np.sqrt(squares / own))))
    return tuple(apart)


def _f_test(spreads: dict[str, tuple[float, int]], name: str) -> float:
    """Return the two-sided p of "this variance is that of the others"."""
    squares, own = spreads[name]
    rest = sum(spread for spread, _ in spreads.values()) - squares
    df = sum(df for _, df in spreads.values()) - own
    if rest <= 0:
        return 1.0
    ratio = (squares / own) / (rest / df)
    return min(1.0, 2 * float(min(fdtr(own, df, ratio), fdtrc(own, df, ratio))))


def _levene(groups: dict[str, FloatArray]) -> float | None:
    tested = [group for group in groups.values() if group.size >= LEAST_FOR_LEVENE and np.ptp(group) > 0]
    if len(tested) < 2:  # noqa: PLR2004 -- one spread differs from none
        return None
    distances = [np.abs(group - np.median(group)) for group in tested]
    between, within, mean = 0.0, 0.0, float(np.concatenate(distances).mean())
    for one in distances:
        between += one.size * float(one.mean() - mean) ** 2
        within += float(((one - one.mean()) ** 2).sum())
    df = len(tested) - 1, sum(one.size for one in tested) - len(tested)
    if within == 0:
        return 1.0 if between == 0 else 0.0
    return float(fdtrc(*df, (between / df[0]) / (within / df[1])))
