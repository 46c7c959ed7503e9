"""Points that were read before: kept a curve at a time, joined with what is new."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import polars as pl

from grokscope.schemas import empty_points
from grokscope.store.frames import newest_attempts

MAX_HELD = 20_000_000
"""Points kept in memory (about 1.5 GB); beyond, runs that the present call does not ask for are forgotten."""

_MAX_CHUNKS = 16


@dataclass(slots=True, kw_only=True)
class _Run:
    """One run's curves, newest attempts only, by step; ``keys`` are complete (``None``: all are)."""

    keys: frozenset[str] | None = frozenset()
    curves: dict[str, pl.DataFrame] = field(default_factory=dict[str, pl.DataFrame])


class HeldPoints:
    """What was read so far.

    Reducing to the newest attempt is associative, so rows may be taken in any order and more than once: the
    result is that of one full read. Not safe for several threads by itself.

    >>> held = HeldPoints()
    >>> held.missing("r", ["m"])
    ['m']
    >>> held.add("r", empty_points(), keys=["m"])
    >>> held.missing("r", ["m"]), held.missing("r", ["m", "n"]), held.missing("r", None)
    ([], ['n'], None)
    """

    def __init__(self) -> None:
        self._runs: dict[str, _Run] = {}

    def missing(self, run_id: str, metrics: Sequence[str] | None) -> list[str] | None:
        """Return the metrics still to be read for a run: a list, or ``None`` for all of them."""
        if run_id in self._runs and self._runs[run_id].keys is None:
            return []
        return None if metrics is None else [key for key in metrics if key not in self.keys(run_id)]

    def keys(self, run_id: str) -> frozenset[str]:
        """Return the metrics that are complete for a run that was read by named metrics."""
        return self._runs.get(run_id, _Run()).keys or frozenset()

    def add(self, run_id: str, points: pl.DataFrame, *, keys: Iterable[str] | None) -> None:
        """Take rows of a run; with them, ``keys`` (``None``: all its metrics) are complete."""
        run = self._runs.setdefault(run_id, _Run())
        for rows in newest_attempts(points).partition_by("metric"):
            metric = rows.item(0, "metric")
            run.curves[metric] = _joined(run.curves.get(metric), rows)
        if run.keys is not None:
            run.keys = None if keys is None else run.keys | frozenset(keys)

    def extend(self, points: pl.DataFrame) -> None:
        """Take rows that are new since the last reading; those of curves that are not held are left out."""
        # Not as_dict, whose keys cost polars more than all the rest of a refresh.
        for rows in newest_attempts(points).partition_by("run_id", "metric"):
            run, metric = self._runs.get(rows.item(0, "run_id")), rows.item(0, "metric")
            if run is not None and (run.keys is None or metric in run.keys):
                run.curves[metric] = _joined(run.curves.get(metric), rows)

    def runs(self) -> list[str]:
        """Return the ids of the runs that are held."""
        return list(self._runs)

    def clear(self) -> None:
        """Drop everything."""
        self._runs.clear()

    def bound(self, asked: Iterable[str], *, rows: int = MAX_HELD) -> list[str]:
        """Drop the runs beyond ``asked`` if more than ``rows`` points are held; return the dropped ones.

        >>> held = HeldPoints()
        >>> held.add("r", empty_points(), keys=None)
        >>> held.bound([], rows=-1)
        ['r']
        """
        held = sum(curve.height for run in self._runs.values() for curve in run.curves.values())
        dropped = sorted(self._runs.keys() - set(asked)) if held > rows else []
        for run_id in dropped:
            del self._runs[run_id]
        return dropped

    def frame(self, run_ids: Iterable[str], metrics: Sequence[str] | None) -> pl.DataFrame:
        """Return the points of ``run_ids`` and ``metrics``, sorted by run, metric and step."""
        curves = [
            self._runs[run_id].curves[metric]
            for run_id in sorted(set(run_ids) & self._runs.keys())
            for metric in sorted(self._runs[run_id].curves)
            if metrics is None or metric in metrics
        ]
        return pl.concat([empty_points(), *curves])


def _joined(curve: pl.DataFrame | None, rows: pl.DataFrame) -> pl.DataFrame:
    if curve is None:
        return rows
    if rows["step"][0] <= curve["step"][-1]:
        return newest_attempts(pl.concat([curve, rows]))
    # The common case of a live run: the curve goes on, and nothing before it has to be moved.
    joined = curve.vstack(rows)
    return joined.rechunk() if joined.n_chunks() > _MAX_CHUNKS else joined
