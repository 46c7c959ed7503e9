"""Runs so far beyond all others that these would lie flat on an axis that holds both."""

import math

import polars as pl

_FAR = 1000
"""So many times the room of the others: they would be less than a pixel high, or three decades lower."""
_LOG_STRETCH = 2
"""On a logarithmic axis the others have to be left with less than a third, too."""
_MOST = 3
"""At most one run of so many: a wide spread of runs is no outlier."""


def outlying(points: pl.DataFrame, *, log: bool) -> list[str]:
    """Return the runs that an axis leaves out of its range, so that the others can be read.

    Args:
        points: ``run_id, value``.
        log: Whether the axis is logarithmic; runs below all others then stay: a loss may fall by decades.

    >>> runs = {"run_id": list("abcde"), "value": [0.1, 2.0, 3.0, 4.0, 1e30]}
    >>> outlying(pl.DataFrame(runs), log=True), outlying(pl.DataFrame(runs).tail(2), log=True)
    (['e'], [])
    """
    value = pl.col("value").cast(pl.Float64)
    known = points.select("run_id", value).filter(pl.col("value").is_finite())
    known = known.filter(pl.col("value") > 0) if log else known
    ends = known.group_by("run_id").agg(low=pl.col("value").min(), high=pl.col("value").max())
    above = _beyond(ends, log=log)
    if log:
        return above
    below = _beyond(ends.select("run_id", low=-pl.col("high"), high=-pl.col("low")), log=False)
    return [*above, *(run for run in below if run not in above)]


def _beyond(ends: pl.DataFrame, *, log: bool) -> list[str]:
    """Return the most runs, highest first, that lie far above all the others."""
    rows: list[tuple[str, float, float]] = ends.sort("high", "run_id", descending=True).rows()
    for count in range(len(rows) // _MOST, 0, -1):
        others = rows[count:]
        low, high = min(row[1] for row in others), others[0][2]
        if _is_far(rows[count - 1][2], low, high, log=log):
            return [row[0] for row in rows[:count]]
    return []


def _is_far(top: float, low: float, high: float, *, log: bool) -> bool:
    if log:
        stretch = math.log(top / high)
        return stretch > max(math.log(_FAR), _LOG_STRETCH * math.log(high / low))
    room = high - low or abs(high)
    return room > 0 and top - high > _FAR * room
