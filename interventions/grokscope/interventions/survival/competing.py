"""How runs end: reached, or one of the ends that make it impossible to reach the target any more."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from grokscope.interventions.outcomes.costs import CensoredCosts, FloatArray
from grokscope.interventions.survival.beta_product import IntArray, beta_quantile
from grokscope.schemas import GrokscopeError

REACHED = "reached"
INCIDENCE = pl.Schema(
    {
        "end": pl.String(),
        "cost": pl.Float64(),
        "at_risk": pl.Int64(),
        "happened": pl.Int64(),
        "share": pl.Float64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
    }
)
"""One row an end and a cost: 0, and each at which a run ended.

``at_risk``: runs that had not ended just before. ``happened``: runs with this end there. ``share``: of all
runs, with this end up to and with this cost; ``low``, ``high``: its band.
"""


class EndsError(GrokscopeError):
    """Ends that do not fit the costs."""


def cumulative_incidence(
    costs: CensoredCosts, ends: Sequence[str | None], *, level: float = 0.95
) -> pl.DataFrame:
    """Return which share of runs has ended how, by cost.

        F_e(c) = Σ over costs cᵢ ≤ c of S(cᵢ-) d_eᵢ / Yᵢ;  S: no end yet, d_eᵢ: runs with end e there

    One minus Kaplan–Meier, with diverged runs taken for runs that are still on their way, answers what would
    be if no run diverged; this answers what happens.

    Args:
        costs: Of one group.
        ends: One a run: what ended it without the target (``"diverged"``); ``None`` of those that are still
            running or used up their budget, which may still reach it, and of those that have reached it.
        level: Of the bands, each at its cost by itself. They are exact: Clopper–Pearson's where every run has
            ended.

    Returns:
        ``INCIDENCE``, ``"reached"`` first and the other ends by name.

    Raises:
        EndsError: If there are more or fewer ends than runs.

    Source: Aalen and Johansen 1978; the bands follow Fay, Brittain and Proschan 2013.

    >>> costs = CensoredCosts(np.array([0.0, 150.0, 300.0]), np.array([100.0, np.inf, np.inf]))
    >>> cumulative_incidence(costs, [None, "diverged", None]).select("end", "cost", "share").rows()[:2]
    [('reached', 0.0, 0.0), ('reached', 100.0, 0.3333333333333333)]
    """
    at, reached = costs.at, costs.reached
    if len(ends) != at.size:
        raise EndsError(f"each run has one end, or None; got {len(ends)} ends of {at.size} runs")
    named = [REACHED if done else end for done, end in zip(reached, ends, strict=True)]
    kinds = [REACHED, *sorted({end for end in named if end is not None} - {REACHED})]
    frames = [
        _of_one_end(at, np.array([kinds.index(e) if e else -1 for e in named]), k, level)
        for k in range(len(kinds))
    ]
    return pl.concat(
        frame.select(pl.lit(kind).alias("end"), pl.all()) for kind, frame in zip(kinds, frames, strict=True)
    ).match_to_schema(INCIDENCE)


def _of_one_end(at: FloatArray, kinds: IntArray, kind: int, level: float) -> pl.DataFrame:
    """Return the rows of one end; ``kinds`` is -1 of runs without an end."""
    order = np.lexsort((kinds < 0, at))  # at one cost, those with an end come first
    at, kinds = at[order], kinds[order]
    cost = np.unique(np.append(0.0, at[kinds >= 0])) if at.size else at
    # Runs up to and with each cost, and before it.
    upto, before = (np.searchsorted(at, cost, side=side) for side in ("right", "left"))
    ended, happened = _between(kinds >= 0, before, upto), _between(kinds == kind, before, upto)
    at_risk = at.size - before
    still = np.append(1.0, np.cumprod(1 - ended / at_risk))[:-1]
    low, high = _bands(kinds, kind, level)
    return pl.DataFrame(
        {
            "cost": cost,
            "at_risk": at_risk,
            "happened": happened,
            "share": np.cumsum(still * happened / at_risk),
            "low": low[upto],
            "high": high[upto],
        }
    )


def _between(counted: NDArray[np.bool_], before: IntArray, upto: IntArray) -> IntArray:
    total = np.append(0, np.cumsum(counted))
    return total[upto] - total[before]


def _bands(kinds: IntArray, kind: int, level: float) -> tuple[FloatArray, FloatArray]:
    """Return the band before the first run and after each, in order of their costs.

    S falls at each end by a factor B that is Beta(Y, 1); what it loses goes to the end that happened. Carried
    along are the first two moments of S and of the share F of this end, and E[F S]. At most, the next thing
    to happen is one more of this end.
    """
    runs = kinds.size
    lowest, highest = np.zeros((2, runs + 1)), np.zeros((2, runs + 1))
    s1 = s2 = 1.0
    f1 = f2 = fs = 0.0
    highest[:, 0] = _gained(f1, f2, (s1, s2, fs), runs)
    for place, each in enumerate(kinds.tolist(), start=1):
        risk = runs - place + 1
        if each >= 0:
            stay, stay2 = risk / (risk + 1), risk / (risk + 2)
            if each == kind:
                f1, f2 = _gained(f1, f2, (s1, s2, fs), risk)
                fs = fs * stay + s2 * (stay - stay2)
            else:
                fs *= stay
            s1, s2 = s1 * stay, s2 * stay2
        lowest[:, place] = f1, f2
        highest[:, place] = _gained(f1, f2, (s1, s2, fs), risk - 1)
    return (
        beta_quantile(lowest[0], lowest[1], (1 - level) / 2),
        beta_quantile(highest[0], highest[1], (1 + level) / 2),
    )


def _gained(f1: float, f2: float, carried: tuple[float, float, float], risk: int) -> tuple[float, float]:
    """Return the moments of F + S (1 - B), with B as Beta(risk, 1)."""
    s1, s2, fs = carried
    stay, stay2 = risk / (risk + 1), risk / (risk + 2)
    return f1 + s1 * (1 - stay), f2 + 2 * fs * (1 - stay) + s2 * (1 - 2 * stay + stay2)
