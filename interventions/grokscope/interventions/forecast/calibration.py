"""Does a forecast beat one from hyperparameters alone, on configurations that it has not seen."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from grokscope.interventions.estimate import Estimate
from grokscope.interventions.forecast.hazard import FloatArray
from grokscope.interventions.forecast.history import History
from grokscope.interventions.forecast.landmark_model import AtRisk, LandmarkModel

RELIABILITY_BINS = 5
"""Equal ranges of the predicted chance."""
LEVEL = 0.95
ONE_SIDED = 0.05
"""The gain over the baseline counts below this one-sided p."""

SCORED = pl.Schema(
    {
        "run_id": pl.String(),
        "configuration": pl.String(),
        "landmark": pl.Float64(),
        "reached": pl.Boolean(),
        "chance": pl.Float64(),
        "baseline": pl.Float64(),
        "prevalence": pl.Float64(),
    }
)
"""One row a run and landmark at which its end is known.

``chance``: forecast from curves and params by a model that saw no run of its configuration; ``baseline``: the
same from params alone; ``prevalence``: the share that reached, of the other configurations at risk.
"""

RELIABILITY = pl.Schema(
    {
        "low": pl.Float64(),
        "high": pl.Float64(),
        "n": pl.Int64(),
        "chance": pl.Float64(),
        "reached": pl.Float64(),
    }
)
"""Of the forecasts between ``low`` and ``high``: how many, their mean, and the share that reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How good forecasts were on configurations left out.

    Attributes:
        scored: ``SCORED``.
        brier, baseline_brier, prevalence_brier: Mean squared error of the chance; 0 is best, .25 is a coin.
        gain: Baseline's minus ours, the mean over configurations with its interval.
        p: One-sided, that there is no gain; ``None`` of fewer than two configurations.
        reliability: ``RELIABILITY``.
    """

    scored: pl.DataFrame
    brier: float
    baseline_brier: float
    prevalence_brier: float
    gain: Estimate
    p: float | None
    reliability: pl.DataFrame

    @property
    def beats_baseline(self) -> bool:
        """Whether the gain is more than chance, and the forecast better than the plain share that reached."""
        return self.p is not None and self.p < ONE_SIDED and self.brier < self.prevalence_brier


def leave_one_configuration_out(
    history: History, groups: Sequence[AtRisk], budget: float
) -> tuple[pl.DataFrame, list[LandmarkModel]]:
    """Return the forecasts of each run by models that saw no run of its configuration, and these models.

    Runs that differ only in their seed share a configuration and are left out together: a seed's twin would
    give its answer away.
    """
    ends = _ends(history, budget)
    names = np.array(history.configurations)
    rows: list[tuple[str, str, float, bool, float, float, float]] = []
    models: list[LandmarkModel] = []
    for name in sorted(set(history.configurations)):
        out = names == name
        rest = [group.without(out) for group in groups]
        ours = LandmarkModel.fit(rest, history, budget, with_curves=True)
        base = LandmarkModel.fit(rest, history, budget, with_curves=False)
        if ours is None or base is None:
            continue
        models.append(ours)
        for group, others in zip(groups, rest, strict=True):
            share = _share(ends[others.runs])
            mine = group.without(~out)
            chances = ours.chance(mine)[:, -1], base.chance(mine)[:, -1]
            for place, run in enumerate(map(int, mine.runs)):
                if not np.isnan(ends[run]) and share is not None:
                    scored = float(chances[0][place]), float(chances[1][place]), share
                    rows.append((history.runs[run], name, group.landmark, bool(ends[run]), *scored))
    return pl.DataFrame(rows, schema=SCORED, orient="row"), models


def _ends(history: History, budget: float) -> FloatArray:
    """Return of each run 1 if it reached the target by the budget, 0 if not, NaN if it was not followed."""
    reached = history.at.reached & (history.at.high <= budget)
    followed = reached | history.at.reached | (history.at.low >= budget * (1 - 1e-9))
    return np.where(followed, reached.astype(np.float64), np.nan)


def _share(ends: FloatArray) -> float | None:
    known = ends[~np.isnan(ends)]
    return float(known.mean()) if len(known) else None


def calibrate(scored: pl.DataFrame) -> Calibration:
    """Return how good the forecasts were, and whether they beat those from params alone.

    The gain is a mean over configurations with a t interval: runs and landmarks of one are not independent.

    Raises:
        ValueError: If nothing was scored.

    >>> rows = [(str(i), str(i), 10.0, i % 2 == 0, 0.9 - i % 2 * 0.8 + i / 100, 0.5, 0.5) for i in range(8)]
    >>> found = calibrate(pl.DataFrame(rows, schema=SCORED, orient="row"))
    >>> round(found.brier, 3), found.baseline_brier, found.beats_baseline
    (0.013, 0.25, True)
    """
    if scored.is_empty():
        raise ValueError("no forecast was scored: no run has a known end at a landmark")
    reached = pl.col("reached").cast(pl.Float64)
    squared = {name: (pl.col(name) - reached) ** 2 for name in ("chance", "baseline", "prevalence")}
    briers = scored.select(**{name: one.mean() for name, one in squared.items()}).row(0, named=True)
    gains = scored.group_by("configuration").agg(gain=(squared["baseline"] - squared["chance"]).mean())
    gain, p = _mean_above_zero(gains.sort("configuration")["gain"].to_numpy())
    return Calibration(
        scored=scored,
        brier=briers["chance"],
        baseline_brier=briers["baseline"],
        prevalence_brier=briers["prevalence"],
        gain=gain,
        p=p,
        reliability=reliability_of(scored["chance"].to_numpy(), scored["reached"].to_numpy()),
    )


def _mean_above_zero(values: FloatArray) -> tuple[Estimate, float | None]:
    """Return the mean with its t interval, and the one-sided p of its being above 0."""
    mean, n = float(values.mean()), len(values)
    if n < 2 or float(values.std()) == 0.0:  # noqa: PLR2004 -- one value has no spread
        missing = f"An interval needs two configurations that differ, got {n}."
        return Estimate(value=mean, missing=missing), None
    error = float(values.std(ddof=1)) / n**0.5
    half = float(stdtrit(n - 1, 0.5 + LEVEL / 2)) * error
    gain = Estimate(
        value=mean, low=mean - half, high=mean + half, level=LEVEL, method="t over configurations"
    )
    return gain, float(stdtr(n - 1, -mean / error))


def reliability_of(chances: FloatArray, reached: NDArray[np.bool_]) -> pl.DataFrame:
    """Return how often runs reached the target among those of about the same forecast, as ``RELIABILITY``.

    >>> reliability_of(np.array([0.1, 0.15, 0.9]), np.array([False, True, True])).rows()
    [(0.0, 0.2, 2, 0.125, 0.5), (0.8, 1.0, 1, 0.9, 1.0)]
    """
    places = np.minimum((chances * RELIABILITY_BINS).astype(int), RELIABILITY_BINS - 1)
    rows: list[tuple[float, float, int, float, float]] = []
    for place in np.unique(places):
        here = places == place
        ends = float(place / RELIABILITY_BINS), float((place + 1) / RELIABILITY_BINS)
        rows.append((*ends, int(here.sum()), float(chances[here].mean()), float(reached[here].mean())))
    return pl.DataFrame(rows, schema=RELIABILITY, orient="row")
