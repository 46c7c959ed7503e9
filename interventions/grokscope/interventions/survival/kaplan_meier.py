"""The share of runs that have not reached the target yet, by cost."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import polars as pl
from scipy.special import ndtri

from grokscope.interventions.outcomes.costs import CensoredCosts, FloatArray
from grokscope.interventions.survival.beta_product import (
    IntArray,
    Passages,
    highest_share,
    lowest_share,
)

CURVE = pl.Schema(
    {
        "cost": pl.Float64(),
        "at_risk": pl.Int64(),
        "reached": pl.Int64(),
        "ended": pl.Int64(),
        "share": pl.Float64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
    }
)
"""One row a distinct cost at which a run was first seen with the target, or last seen without it.

``at_risk``: runs on their way just before. ``reached``, ``ended``: with the target, without it. ``share``: of
runs not there yet, from this cost on; ``low``, ``high``: its band.
"""
Band = Literal["beta product", "log-log"]


def kaplan_meier(costs: CensoredCosts, *, level: float = 0.95, band: Band = "beta product") -> pl.DataFrame:
    """Return the share of runs that have not reached the target yet.

        S(c) = ∏ (1 - dᵢ / Yᵢ) over costs cᵢ ≤ c; dᵢ runs reach the target there, Yᵢ were on their way

    Args:
        costs: Of one group; a cost counts where the target was first seen. ``low`` is ∞ of a run that will
            never reach it: it stays in the share to the end, here and in all that follows from it.
        level: Of the band, which holds at each cost by itself, not for the whole curve at once.
        band: ``"beta product"`` covers at any number of runs, and is Clopper–Pearson's where no run ended
            early. ``"log-log"`` is what other programs draw (Greenwood's variance on the scale of
            log(-log S)): too narrow for few runs, and null where S is 1 or 0.

    Returns:
        ``CURVE`` by increasing cost, from 0 on, where all are on their way; no rows without runs.

    Source: Kaplan and Meier 1958; Fay, Brittain and Proschan 2013; Kalbfleisch and Prentice, §1.4.

    >>> costs = CensoredCosts(np.array([0.0, 100.0, 200.0]), np.array([100.0, 200.0, np.inf]))
    >>> kaplan_meier(costs).select("cost", "at_risk", "reached", "share").rows()
    [(0.0, 3, 0, 1.0), (100.0, 3, 1, 0.6666666666666667), (200.0, 2, 1, 0.33333333333333337)]
    """
    passages = Passages.seen(costs).from_start()
    share = passages.share()
    low, high = _log_log(passages, share, level) if band == "log-log" else _beta_product(passages, level)
    return (
        pl.DataFrame(
            {
                "cost": passages.cost,
                "at_risk": passages.at_risk,
                "reached": passages.reached,
                "ended": passages.ended,
                "share": share,
                "low": low,
                "high": high,
            },
            schema=CURVE,
        )
        .filter(pl.col("cost").is_finite())
        .with_columns(pl.col("low", "high").fill_nan(None))
    )


def numbers_at_risk(costs: CensoredCosts, at: Sequence[float] | FloatArray) -> IntArray:
    """Return how many runs were still on their way just before each of these costs.

    >>> costs = CensoredCosts(np.zeros(3), np.array([100.0, 200.0, 300.0]))
    >>> numbers_at_risk(costs, [0, 100, 150, 301])
    array([3, 3, 2, 0])
    """
    return costs.at.size - np.searchsorted(np.sort(costs.at), np.asarray(at), side="left")


def _beta_product(passages: Passages, level: float) -> tuple[FloatArray, FloatArray]:
    return lowest_share(passages, level), highest_share(passages, level)


def _log_log(passages: Passages, share: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
    risk, reached = passages.at_risk, passages.reached
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(reached / (risk * (risk - reached)))
        width = ndtri((1 + level) / 2) * np.sqrt(greenwood) / np.log(share)
        low, high = share ** np.exp(-width), share ** np.exp(width)
    known = (share > 0) & (share < 1)
    return np.where(known, low, np.nan), np.where(known, high, np.nan)
