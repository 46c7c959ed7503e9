"""From what runs show at a landmark to their chance of reaching the target by a budget."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from grokscope.interventions.forecast.hazard import FloatArray, Hazard
from grokscope.interventions.forecast.history import History
from grokscope.interventions.forecast.landmarks import at_landmark, followed_metrics

BINS = 6
"""Bins between a landmark and the budget, even in the logarithm of the cost."""


@dataclass(frozen=True, slots=True)
class AtRisk:
    """Runs that had not reached the target at a landmark.

    Attributes:
        landmark: The cost.
        runs: Indices of the runs in the history.
        shown: What their curves show by then, shape (runs, features).
        chosen: Their params as numbers, shape (runs, features).
    """

    landmark: float
    runs: NDArray[np.int64]
    shown: FloatArray
    chosen: FloatArray

    def features(self, *, with_curves: bool) -> FloatArray:
        """Return one row a run: the params, and with the curves also what they show."""
        return np.column_stack((self.chosen, self.shown)) if with_curves else self.chosen

    def without(self, left_out: NDArray[np.bool_]) -> Self:
        """Return the same without some runs of the history."""
        kept = ~left_out[self.runs]
        return type(self)(self.landmark, self.runs[kept], self.shown[kept], self.chosen[kept])


def at_risk(history: History, landmarks: Sequence[float]) -> list[AtRisk]:
    """Return the finished runs that had not reached the target at each landmark, with what they showed."""
    curves = with_cost(history.curves, history.unit)
    metrics = followed_metrics(history.curves, history.target)
    chosen = history.param_features()
    # A run that diverged is like none that is live after that.
    low, high = history.costs["low"].to_numpy(), history.at.high
    found: list[AtRisk] = []
    for landmark in landmarks:
        shown = at_landmark(curves, history.runs, metrics, landmark)
        is_there = (high > landmark) & ((low >= landmark) | history.at.reached) & shown.known
        runs = np.flatnonzero(is_there)
        found.append(AtRisk(landmark, runs, shown.features[runs], chosen[runs]))
    return found


def with_cost(curves: pl.DataFrame, unit: str) -> pl.DataFrame:
    """Return the curves with the column ``cost``, in the unit."""
    return curves.with_columns(pl.col("step" if unit == "steps" else unit).cast(pl.Float64).alias("cost"))


def edges_of(landmark: float, budget: float) -> FloatArray:
    """Return the edges of the bins from a landmark to the budget.

    >>> edges_of(100.0, 6400.0)
    array([ 100.,  200.,  400.,  800., 1600., 3200., 6400.])
    """
    return np.geomspace(landmark, budget, BINS + 1)


@dataclass(frozen=True, slots=True)
class LandmarkModel:
    """A hazard over the bins after a landmark.

    Attributes:
        hazard: Fitted to one row a run, landmark and bin.
        budget: Where the last bin ends.
        with_curves: Whether it looks at curves, or at params alone.
        closest: Chances stay so far from 0 and 1.
    """

    hazard: Hazard
    budget: float
    with_curves: bool
    closest: float

    @classmethod
    def fit(
        cls, groups: Sequence[AtRisk], history: History, budget: float, *, with_curves: bool
    ) -> Self | None:
        """Return the model of some runs at risk; ``None`` where none or all bins end with the target reached.

        Rows of one run at several landmarks are pooled (van Houwelingen 2007): time since the landmark and
        the cost itself are features.
        """
        rows: list[FloatArray] = []
        outcomes: list[bool] = []
        for group in groups:
            edges = edges_of(group.landmark, budget)
            features = group.features(with_curves=with_curves)
            for run, row in zip(group.runs, features, strict=True):
                ends = _outcomes(history, int(run), edges)
                rows.append(_in_time(row, edges, len(ends)))
                outcomes += ends
        if len(set(outcomes)) < 2:  # noqa: PLR2004 -- reached or not
            return None
        hazard = Hazard.fit(np.vstack(rows), np.array(outcomes))
        return cls(hazard, budget, with_curves, 0.5 / len(history.runs))

    def chance(self, group: AtRisk) -> FloatArray:
        """Return each run's chance to have reached the target by the end of each bin, shape (runs, bins).

        It stays 1/(2n) away from 0 and 1, where n is the number of finished runs: n runs show no more.
        """
        edges = edges_of(group.landmark, self.budget)
        features = group.features(with_curves=self.with_curves)
        by_bin = [self.hazard.reached_by(_in_time(row, edges, BINS)) for row in features]
        return np.clip(np.array(by_bin).reshape(-1, BINS), self.closest, 1 - self.closest)


def _outcomes(history: History, run: int, edges: FloatArray) -> list[bool]:
    """Return of each bin that a run entered and was followed through whether it ended it."""
    low, high = history.at.low[run], history.at.high[run]
    found: list[bool] = []
    for end in edges[1:]:
        if high <= end:
            return [*found, True]
        if not np.isfinite(high) and low < end:  # it was not followed to the bin's end
            return found
        found.append(False)
    return found


def _in_time(row: FloatArray, edges: FloatArray, bins: int) -> FloatArray:
    """Return the features of a run in each of its first bins: its own, the cost, and the time since."""
    ends = np.log(edges[1 : bins + 1])
    since = ends - np.log(edges[0])
    return np.column_stack((np.tile(row, (bins, 1)), ends, since, since**2))
