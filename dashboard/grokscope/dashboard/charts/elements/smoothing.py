"""Smoother curves, for the eye only: nothing is dated on them."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

_LINE = ("run_id", "metric")


@dataclass(frozen=True, slots=True, kw_only=True)
class Smoothing:
    """How a curve is smoothed.

    Attributes:
        kind: ``ema``: each value weighs ``strength`` times as much as the next one; what comes later plays no
            part, so the curve lags behind. ``centred``: the mean of ``strength`` values around each; no lag,
            but it begins to change before the curve does.
        strength: For ``ema`` from 0 to below 1; for ``centred`` an odd number of points.
    """

    kind: Literal["ema", "centred"]
    strength: float


def smoothed(points: pl.DataFrame, smoothing: Smoothing) -> pl.DataFrame:
    """Return points with their values smoothed along each (run, metric), by the order of steps.

    Values that are no numbers stay gaps, and the curve goes on behind them.

    >>> frame = pl.DataFrame({"run_id": "a", "metric": "m", "step": [0, 1, 2], "value": [0.0, 3.0, 0.0]})
    >>> smoothed(frame, Smoothing(kind="centred", strength=3))["value"].to_list()
    [0.0, 1.0, 0.0]
    """
    ordered = points.sort(*_LINE, "step")
    parts = ordered.partition_by(*_LINE, maintain_order=True)
    values = [_of_one(part["value"].cast(pl.Float64).to_numpy(), smoothing) for part in parts]
    return ordered.with_columns(value=pl.Series(np.concatenate([*values, np.empty(0)])).fill_nan(None))


def _of_one(values: NDArray[np.float64], smoothing: Smoothing) -> NDArray[np.float64]:
    is_usable = np.isfinite(values)
    out = np.full(len(values), np.nan)
    if smoothing.kind == "ema":
        out[is_usable] = _ema(values[is_usable], smoothing.strength)
    else:
        out[is_usable] = _centred(values[is_usable], int(smoothing.strength) // 2)
    return out


def _ema(values: NDArray[np.float64], strength: float) -> NDArray[np.float64]:
    """Return the exponential mean, without the pull towards 0 that its first values would have."""
    sums, weights = np.empty(len(values)), 0.0
    total = 0.0
    for i, value in enumerate(values):
        total, weights = total * strength + value, weights * strength + 1
        sums[i] = total / weights
    return sums


def _centred(values: NDArray[np.float64], half: int) -> NDArray[np.float64]:
    """Return the mean of ``half`` values on either side; towards the ends of as many as both sides have."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    place = np.arange(len(values))
    reach = np.minimum(half, np.minimum(place, len(values) - 1 - place))
    return (sums[place + reach + 1] - sums[place - reach]) / (2 * reach + 1)
