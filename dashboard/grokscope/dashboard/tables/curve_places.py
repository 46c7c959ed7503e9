"""Where each curve lies in a frame of points, so that it is cut out and not searched for.

Ten million points name their run and their metric ten million times. Who looks for the points of some runs
by comparing names takes a second each time; where each curve begins is found once a reading.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar
from weakref import ref

import numpy as np
import polars as pl

from grokscope.store.cache.curves import starts

_MOST_SLICES = 64
"""Stretches of rows that are cut one by one; more are gathered, which costs the same for any number."""

_CURVE = ("run_id", "metric")
_TOLD = {"first": pl.Int64, "size": pl.Int64, "finite": pl.Int64, "top": pl.Float64, "last_ms": pl.Int64}


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePlaces:
    """Points, and where each curve lies in them.

    Attributes:
        points: In an order in which each curve lies together: as they were if they did so.
        table: ``run_id, metric, first, size, finite, top, last_ms``, a row a curve, in their order: its first
            row, how many it has, how many of their values are finite, the greatest of these (-inf without
            any), and the time of its latest point (0 where none is told).
    """

    points: pl.DataFrame
    table: pl.DataFrame

    def of_runs(self, run_ids: Iterable[str]) -> pl.DataFrame:
        """Return the points of some runs, in the order of all.

        >>> rows = {"run_id": ["b", "b", "a"], "metric": ["m", "n", "m"], "value": [1.0, 2.0, 3.0]}
        >>> places_in(pl.DataFrame(rows)).of_runs(["b"])["value"].to_list()
        [1.0, 2.0]
        """
        return self.rows(self.table.filter(pl.col("run_id").is_in(list(run_ids))))

    def rows(self, curves: pl.DataFrame) -> pl.DataFrame:
        """Return the points of some rows of ``table``, in the order of these."""
        first, size = curves["first"].to_numpy(), curves["size"].to_numpy()
        if not first.size:
            return self.points.clear()
        begins = np.flatnonzero(np.append(True, first[1:] != first[:-1] + size[:-1]))
        sizes = np.add.reduceat(size, begins)
        firsts = first[begins]
        if begins.size > _MOST_SLICES:
            shift = firsts - (np.cumsum(sizes) - sizes)
            return self.points[np.repeat(shift, sizes) + np.arange(sizes.sum())]
        places = zip(firsts.tolist(), sizes.tolist(), strict=True)
        return pl.concat([self.points.slice(*place) for place in places], rechunk=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What is known of a frame, without holding it; ``ordered`` where its curves did not lie together."""

    table: pl.DataFrame
    ordered: pl.DataFrame | None


Made = TypeVar("Made")


class OncePerFrame(Generic[Made]):
    """What is made of a frame, once for as long as that is there; safe to use from several threads.

    Args:
        make: What it returns must not hold the frame, which would then never go.

    >>> frame = pl.DataFrame({"a": [1]})
    >>> rows = OncePerFrame(lambda frame: frame.rows())
    >>> rows.of(frame) is rows.of(frame)
    True
    """

    def __init__(self, make: Callable[[pl.DataFrame], Made]) -> None:
        self._make = make
        self._known: list[tuple[ref[pl.DataFrame], Made]] = []
        self._lock = Lock()

    def of(self, frame: pl.DataFrame) -> Made:
        """Return what is made of it; two threads that ask at once may both make it."""
        with self._lock:
            self._known = [(of, made) for of, made in self._known if of() is not None]
            for of, made in self._known:
                if of() is frame:
                    return made
        made = self._make(frame)
        with self._lock:
            self._known.append((ref(frame), made))
        return made


def places_in(points: pl.DataFrame) -> CurvePlaces:
    """Return where the curves of points lie; found once for a frame, as long as it is there.

    >>> rows = {"run_id": ["b", "a", "b"], "metric": "m", "value": [1.0, float("nan"), 3.0]}
    >>> found = places_in(pl.DataFrame(rows))
    >>> found.table.select("run_id", "first", "size", "finite").rows(), found.points["value"].to_list()
    ([('a', 0, 1, 0), ('b', 1, 2, 2)], [nan, 1.0, 3.0])
    """
    known = _known.of(points)
    return CurvePlaces(points=points if known.ordered is None else known.ordered, table=known.table)


def _found(points: pl.DataFrame) -> _Found:
    begins = starts(points)
    if not begins.select(_CURVE).is_duplicated().any():
        return _Found(table=_table(points, begins), ordered=None)
    ordered = points.sort(_CURVE, maintain_order=True)
    return _Found(table=_table(ordered, starts(ordered)), ordered=ordered)


_known = OncePerFrame(_found)


def _table(points: pl.DataFrame, begins: pl.DataFrame) -> pl.DataFrame:
    first = begins["row"].cast(pl.Int64).to_numpy()
    values = points["value"].to_numpy()
    finite = np.isfinite(values)
    has_times = "time_ms" in points.columns
    times = points["time_ms"].fill_null(0).to_numpy() if has_times else np.zeros(len(values))
    told = {"first": first, "size": np.diff(np.append(first, points.height))}
    if first.size:
        told["finite"] = np.add.reduceat(finite, first, dtype=np.int64)
        told["top"] = np.maximum.reduceat(np.where(finite, values, -np.inf), first)
        told["last_ms"] = np.maximum.reduceat(times, first)
    columns = [pl.Series(name, told.get(name, []), dtype=kind) for name, kind in _TOLD.items()]
    return begins.select(_CURVE).with_columns(columns)
