"""Where each curve of an experiment lies, so that those of some runs are cut out and not searched for.

A page asks for the curves of its runs many times, and a reader changes which runs these are at every tick:
searching half a million points for their runs' names was most of what a tick took.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from weakref import ref

import numpy as np
import polars as pl

from grokscope.dashboard.state.data import Snapshot

Place = tuple[int, int]
"""First row and number of rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveIndex:
    """Where each curve lies; the rows of one are beside each other.

    Attributes:
        places: By run and metric.
        finite: How many finite values each curve has, likewise.
        ordered: The points in the order in which the places are, where they did not lie so.
    """

    places: Mapping[str, Mapping[str, Place]]
    finite: Mapping[str, Mapping[str, int]]
    ordered: pl.DataFrame | None = None


def index_of(curves: pl.DataFrame) -> CurveIndex:
    """Return where the curves of points lie, as they are if each lies together, else in order of the runs.

    >>> rows = {"run_id": ["b", "b", "a"], "metric": ["m", "n", "m"], "value": [1.0, float("nan"), 3.0]}
    >>> index = index_of(pl.DataFrame(rows))
    >>> index.places["b"], index.finite["b"]
    ({'m': (0, 1), 'n': (1, 1)}, {'m': 1, 'n': 0})
    """
    by = ("run_id", "metric")
    found = _located(curves)
    ordered = None
    if not (found["last"] - found["first"] + 1 == found["size"]).all():
        ordered = curves.sort(by, maintain_order=True)
        found = _located(ordered)
    places: dict[str, dict[str, Place]] = {}
    finite: dict[str, dict[str, int]] = {}
    for run, metric, first, size, count in found.select(*by, "first", "size", "finite").iter_rows():
        places.setdefault(run, {})[metric] = (first, size)
        finite.setdefault(run, {})[metric] = count
    return CurveIndex(places=places, finite=finite, ordered=ordered)


def _located(curves: pl.DataFrame) -> pl.DataFrame:
    row = pl.int_range(pl.len())
    return (
        curves.lazy()
        .with_columns(row=row)
        .group_by("run_id", "metric", maintain_order=True)
        .agg(
            pl.col("row").first().alias("first"),
            pl.col("row").last().alias("last"),
            pl.len().cast(pl.Int64).alias("size"),
            pl.col("value").is_finite().sum().cast(pl.Int64).alias("finite"),
        )
        .collect()
    )


def repeated(values: Sequence[str], sizes: Sequence[int]) -> pl.Series:
    """Return each value as often as it is said.

    >>> repeated(["a", "b"], [1, 2]).to_list()
    ['a', 'b', 'b']
    """
    return pl.Series(values, dtype=pl.String).gather(np.repeat(np.arange(len(sizes)), sizes))


_known: list[tuple[ref[pl.DataFrame], CurveIndex]] = []
_lock = Lock()


def index_for(snapshot: Snapshot) -> CurveIndex:
    """Return the index of the curves that a snapshot was narrowed from: one for all that are."""
    curves = (snapshot.whole or snapshot).curves
    with _lock:
        _known[:] = [(of, index) for of, index in _known if of() is not None]
        known = next((index for of, index in _known if of() is curves), None)
    if known is None:
        known = index_of(curves)
        with _lock:
            _known.append((ref(curves), known))
    return known


def cut(snapshot: Snapshot, wanted: Iterable[tuple[str, str]]) -> tuple[pl.DataFrame, list[int]]:
    """Return the curves that are there of some runs and metrics, in the order of all; and the rows of each.

    >>> rows = {"run_id": ["b", "b", "a"], "metric": ["m", "n", "m"], "value": [1.0, float("nan"), 3.0]}
    >>> found, sizes = cut(Snapshot(curves=pl.DataFrame(rows)), [("a", "m"), ("b", "m"), ("b", "unknown")])
    >>> found["value"].to_list(), sizes
    ([1.0, 3.0], [1, 1])
    """
    index = index_for(snapshot)
    known = (index.places.get(run, {}).get(metric) for run, metric in wanted)
    places = sorted(place for place in known if place is not None)
    curves = (snapshot.whole or snapshot).curves if index.ordered is None else index.ordered
    parts = [curves.slice(first, size) for first, size in places]
    return pl.concat(parts, rechunk=True) if parts else curves.clear(), [size for _, size in places]
