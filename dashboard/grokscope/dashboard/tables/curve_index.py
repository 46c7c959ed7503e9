"""Which curves an experiment has, so that those of some runs are cut out and not searched for.

A page asks for the curves of its runs many times, and a reader changes which runs these are at every tick:
searching half a million points for their runs' names was most of what a tick took.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.tables.curve_places import OncePerFrame, places_in


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveIndex:
    """Which curves there are, by run and metric.

    Attributes:
        rows: The row of each in the table of ``places_in``.
        finite: How many finite values each has.
    """

    rows: Mapping[str, Mapping[str, int]]
    finite: Mapping[str, Mapping[str, int]]


def index_of(curves: pl.DataFrame) -> CurveIndex:
    """Return which curves points have.

    >>> rows = {"run_id": ["b", "b", "a"], "metric": ["m", "n", "m"], "value": [1.0, float("nan"), 3.0]}
    >>> index = index_of(pl.DataFrame(rows))
    >>> index.rows["b"], index.finite["b"]
    ({'m': 0, 'n': 1}, {'m': 1, 'n': 0})
    """
    table = places_in(curves).table
    rows: dict[str, dict[str, int]] = {}
    finite: dict[str, dict[str, int]] = {}
    for row, (run, metric, count) in enumerate(table.select("run_id", "metric", "finite").iter_rows()):
        rows.setdefault(run, {})[metric] = row
        finite.setdefault(run, {})[metric] = count
    return CurveIndex(rows=rows, finite=finite)


def repeated(values: Sequence[str], sizes: Sequence[int]) -> pl.Series:
    """Return each value as often as it is said.

    >>> repeated(["a", "b"], [1, 2]).to_list()
    ['a', 'b', 'b']
    """
    return pl.Series(values, dtype=pl.String).gather(np.repeat(np.arange(len(sizes)), sizes))


_known = OncePerFrame(index_of)


def index_for(snapshot: Snapshot) -> CurveIndex:
    """Return the index of the curves that a snapshot was narrowed from: one for all that are."""
    return _known.of((snapshot.whole or snapshot).curves)


def cut(snapshot: Snapshot, wanted: Iterable[tuple[str, str]]) -> tuple[pl.DataFrame, list[int]]:
    """Return the curves that are there of some runs and metrics, in the order of all; and the rows of each.

    >>> rows = {"run_id": ["b", "b", "a"], "metric": ["m", "n", "m"], "value": [1.0, float("nan"), 3.0]}
    >>> found, sizes = cut(Snapshot(curves=pl.DataFrame(rows)), [("a", "m"), ("b", "m"), ("b", "unknown")])
    >>> found["value"].to_list(), sizes
    ([1.0, 3.0], [1, 1])
    """
    index = index_for(snapshot)
    known = (index.rows.get(run, {}).get(metric) for run, metric in wanted)
    places = places_in((snapshot.whole or snapshot).curves)
    chosen = places.table[sorted(row for row in known if row is not None)]
    return places.rows(chosen), chosen["size"].to_list()
