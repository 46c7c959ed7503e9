"""What every group needed on every workload in every study, and medians of studies drawn anew."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from grokscope.schemas import GrokscopeError

FloatArray = NDArray[np.float64]

TIMES = pl.Schema({"group": pl.String(), "workload": pl.String(), "cost": pl.Float64()})
"""One row a study: ``cost`` is at least 0, and infinite where the study did not reach the target."""

DRAWS = 4000
"""Bootstrap draws: each end of a 95 % interval then cuts off 2.5 ± .25 % (one standard error), and a
probability of a rank is off by .008 at most."""


class TimesError(GrokscopeError):
    """Times of studies that cannot be compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyTimes:
    """Costs of studies as an array.

    Attributes:
        groups, workloads: Names along the first two axes, sorted.
        costs: (groups, workloads, studies), ascending along the last axis: ∞ where a study did not reach the
            target, NaN at the end where a group has fewer studies than others.
    """

    groups: tuple[str, ...]
    workloads: tuple[str, ...]
    costs: FloatArray

    @classmethod
    def of(cls, times: pl.DataFrame) -> Self:
        """Return the costs of a frame with ``TIMES``; null counts as not reached.

        Raises:
            TimesError: If a column is missing, there is no row, or a cost is negative.

        >>> times = pl.DataFrame({"group": ["a", "a", "b"], "workload": "w", "cost": [3.0, 1.0, None]})
        >>> StudyTimes.of(times).costs
        array([[[ 1.,  3.]],
        <BLANKLINE>
               [[inf, nan]]])
        """
        rows = _checked(times)
        groups = rows["group"].unique().sort()
        workloads = rows["workload"].unique().sort()
        places = rows.select(
            pl.col("group").rank("dense") - 1,
            pl.col("workload").rank("dense") - 1,
            pl.int_range(pl.len()).over("group", "workload").alias("study"),
        ).to_numpy()
        studies = int(places[:, 2].max()) + 1
        costs = np.full((groups.len(), workloads.len(), studies), np.nan)
        costs[tuple(places.T.astype(np.intp))] = rows["cost"].to_numpy()
        return cls(groups=tuple(groups), workloads=tuple(workloads), costs=costs)

    @property
    def studies(self) -> NDArray[np.intp]:
        """How many studies each group has on each workload: (groups, workloads)."""
        return np.count_nonzero(~np.isnan(self.costs), axis=-1)

    def medians(self) -> FloatArray:
        """Return the median over studies: (groups, workloads), ∞ where most failed or there is no study.

        With an even number of studies it is the mean of the two in the middle, so ∞ if half of them failed.
        """
        places = np.broadcast_to(np.arange(self.costs.shape[-1], dtype=np.intp), self.costs.shape)
        return self._middle(places)

    def resampled_medians(self, *, draws: int = DRAWS, seed: int = 0) -> FloatArray:
        """Return medians of studies drawn with replacement: (draws, groups, workloads).

        The draws are stratified: as many studies as a group has on a workload, from these, for every group
        and workload by itself. Workloads are not drawn: they are the ones that the question is about.

        Source: Agarwal et al. 2021, arXiv 2108.13264, §4 (stratified bootstrap over runs within tasks).

        >>> times = StudyTimes(groups=("a",), workloads=("w",), costs=np.array([[[1.0, 2.0, np.inf]]]))
        >>> medians = times.resampled_medians(draws=1000)
        >>> sorted(set(medians.ravel().tolist()))
        [1.0, 2.0, inf]
        """
        random = np.random.default_rng(seed).random((draws, *self.costs.shape))
        places = (random * self.studies[..., np.newaxis]).astype(np.intp)
        # Costs ascend: the median of the drawn costs is the cost at the median of the drawn places.
        absent = np.arange(self.costs.shape[-1], dtype=np.intp) >= self.studies[..., np.newaxis]
        return self._middle(np.sort(np.where(absent, self.costs.shape[-1], places), axis=-1))

    def _middle(self, places: NDArray[np.intp]) -> FloatArray:
        """Return the mean of the two costs in the middle of ascending places."""
        studies = np.broadcast_to(self.studies[..., np.newaxis], (*places.shape[:-1], 1))
        costs = np.broadcast_to(self.costs, places.shape)
        below = np.take_along_axis(places, np.maximum(studies - 1, 0) // 2, axis=-1)
        above = np.take_along_axis(places, np.minimum(studies // 2, places.shape[-1] - 1), axis=-1)
        last = places.shape[-1] - 1
        low, high = (np.take_along_axis(costs, np.minimum(at, last), axis=-1) for at in (below, above))
        return np.where(studies > 0, (low + high) / 2, np.inf)[..., 0]


def _checked(times: pl.DataFrame) -> pl.DataFrame:
    """Return the rows in order, or refuse them."""
    missing = [name for name in TIMES if name not in times.columns]
    if missing:
        raise TimesError(f"times need the columns {', '.join(TIMES)}; missing: {', '.join(missing)}")
    rows = times.select(
        pl.col("group").cast(pl.String),
        pl.col("workload").cast(pl.String),
        pl.col("cost").cast(pl.Float64).fill_null(np.inf).fill_nan(np.inf),
    ).sort("group", "workload", "cost")
    if rows.is_empty():
        raise TimesError("times of no study: give at least one row a group and workload")
    negative = rows.filter(pl.col("cost") < 0)
    if negative.height:
        group, workload, cost = negative.row(0)
        raise TimesError(
            f"a cost is 0 or more, got {cost:g} for {group!r} on {workload!r}; count from the beginning"
        )
    return rows
