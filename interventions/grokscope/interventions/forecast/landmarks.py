"""What the curves of a run show up to a landmark, and nothing of what came later."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import polars as pl
from numpy.typing import NDArray

from grokscope.interventions.forecast.hazard import FloatArray
from grokscope.interventions.outcomes.target import Target
from grokscope.schemas import canonical

OCTAVE = 2.0
"""A slope is the change since the landmark divided by this."""
LAST = 3
"""A level is the median of so many evaluations."""
LEAST_LOG = 1e-8
"""Smaller losses and norms count as this."""
SOFT = 0.01
"""Added to a share and its rest before the logit, so that 0 and 1 are finite."""


class Straightened(StrEnum):
    """The scale on which a curve changes evenly."""

    LOGIT = "logit"
    LOG = "log"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Landmark:
    """What the curves of each run show up to a cost.

    Attributes:
        features: Shape (runs, 2 · metrics): of each metric its level, and what it won over the last octave.
        known: Which runs have each metric by then, shape (runs,).
    """

    features: FloatArray
    known: NDArray[np.bool_]


def followed_metrics(curves: pl.DataFrame, target: Target) -> dict[str, Straightened]:
    """Return the curves that a forecast looks at, and their scale, of those that every run has.

    They are the target's, held-out and training losses and accuracies, and the weight norm.

    >>> rows = {"run_id": ["a"] * 3, "metric": ["val_acc", "val_loss", "lr"], "value": [0.5, 2.0, 0.1]}
    >>> followed_metrics(pl.DataFrame(rows), Target.parse("val_acc>=0.9"))
    {'val_acc': <Straightened.LOGIT: 'logit'>, 'val_loss': <Straightened.LOG: 'log'>}
    """
    runs = curves["run_id"].n_unique()
    finite = pl.col("value").filter(pl.col("value").is_finite())
    ranges = curves.group_by("metric").agg(pl.col("run_id").n_unique(), low=finite.min(), high=finite.max())
    found: dict[str, Straightened] = {}
    for metric, count, low, high in ranges.sort("metric").rows():
        key = canonical(metric) or ""
        is_followed = key == "weights/norm" or key.endswith(("/loss", "/accuracy"))
        if low is None or (metric != target.metric and (not is_followed or count < runs)):
            continue
        if key.endswith("/accuracy") and 0 <= low <= high <= 1:
            found[metric] = Straightened.LOGIT
        else:
            is_log = low >= 0 and not key.endswith("/accuracy")
            found[metric] = Straightened.LOG if is_log else Straightened.PLAIN
    return found


def at_landmark(
    curves: pl.DataFrame, runs: Sequence[str], metrics: Mapping[str, Straightened], cost: float
) -> Landmark:
    """Return what the curves show up to a cost.

    Args:
        curves: ``run_id, metric, cost, value``.
        runs: In the order of the rows.
        metrics: Two features each.
        cost: The landmark.
    """
    early = curves.filter((pl.col("cost") <= cost) & pl.col("value").is_finite()).sort("cost")
    ends = early.group_by("run_id", "metric").agg(
        level=pl.col("value").tail(LAST).median(),
        before=pl.col("value").filter(pl.col("cost") <= cost / OCTAVE).tail(LAST).median(),
    )
    table = {(run, metric): (level, before) for run, metric, level, before in ends.rows()}
    features = np.full((len(runs), 2 * len(metrics)), np.nan)
    for row, run in enumerate(runs):
        for place, (metric, scale) in enumerate(metrics.items()):
            level, before = table.get((run, metric), (None, None))
            if level is not None:
                now = _straight(level, scale)
                then = now if before is None else _straight(before, scale)
                features[row, 2 * place : 2 * place + 2] = now, now - then
    return Landmark(features=features, known=np.isfinite(features).all(axis=1))


def _straight(value: float, scale: Straightened) -> float:
    if scale is Straightened.LOGIT:
        return float(np.log((value + SOFT) / (1.0 - value + SOFT)))
    return float(np.log(max(value, LEAST_LOG))) if scale is Straightened.LOG else value
