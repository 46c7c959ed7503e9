"""Points that were read before: a curve at a time, in memory and in the mirror, joined with what is new."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from grokscope.schemas import empty_points
from grokscope.store.cache.curves import Curve, Key, curves_of, split
from grokscope.store.cache.files import Complete, MirrorError, Names
from grokscope.store.cache.mirror import Mirror

MAX_POINTS = 20_000_000
"""Points in memory (about 1.2 GB); beyond, runs that a call does not ask for are forgotten."""


_MOST_MADE = 4
_MOST_CHUNKS = 256
"""Pieces of memory that a frame may lie in: cutting costs as much as there are pieces."""

_Asked = tuple[tuple[str, ...], tuple[str, ...] | None]


@dataclass(slots=True, kw_only=True)
class _Run:
    """One run's curves: ``keys`` are complete, of those not in ``recalled`` a part is still in the mirror.

    Of a run that ``is_mirrored``, the mirror lacks the rows added since; of another one, everything.
    """

    keys: Names = frozenset()
    recalled: Names = None
    is_mirrored: bool = False
    curves: dict[str, Curve] = field(default_factory=dict[str, Curve])

    @property
    def height(self) -> int:
        return sum(curve.height for curve in self.curves.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """A frame that was given: where each run lies in it, and which runs have changed since."""

    frame: pl.DataFrame
    places: Mapping[str, tuple[int, int]]
    stale: set[str] = field(default_factory=set[str])


class PointCache:
    """What was read so far, by this process and by earlier ones.

    Reducing to the newest attempt is associative, so rows may be added in any order and more than once: the
    result is that of one full read. Not safe for several threads by itself.

    Args:
        mirror: Where points outlive the process; ``None`` keeps them in memory only.

    >>> cache = PointCache()
    >>> cache.missing("r", ["m"])
    ['m']
    >>> cache.add("r", empty_points(), keys=["m"])
    >>> cache.missing("r", ["m"]), cache.missing("r", ["m", "n"]), cache.missing("r", None)
    ([], ['n'], None)
    """

    def __init__(self, mirror: Mirror | None = None) -> None:
        self._mirror = mirror
        self._runs: dict[str, _Run] = {}
        for run_id, keys in (mirror.complete if mirror else {}).items():
            self._runs[run_id] = _Run(keys=keys, recalled=frozenset(), is_mirrored=True)
        self._unsaved: dict[Key, list[pl.DataFrame]] = {}
        self._unsaved_rows = 0
        self._made: dict[_Asked, _Made] = {}

    def missing(self, run_id: str, metrics: Sequence[str] | None) -> list[str] | None:
        """Return the metrics still to be read for a run: a list, or ``None`` for all of them."""
        if run_id in self._runs and self._runs[run_id].keys is None:
            return []
        return None if metrics is None else [key for key in metrics if key not in self.keys(run_id)]

    def keys(self, run_id: str) -> frozenset[str]:
        """Return the metrics that are complete for a run that was read by named metrics."""
        return self._runs.get(run_id, _Run()).keys or frozenset()

    def add(self, run_id: str, points: pl.DataFrame, *, keys: Iterable[str] | None) -> None:
        """Add rows of a run; with them, ``keys`` (``None``: all its metrics) are complete."""
        run = self._runs.setdefault(run_id, _Run())
        # Saved as it is in memory by then: rows kept apart would keep the whole reading they are cut from.
        run.is_mirrored = False
        for _, metric, rows in split(points):
            self._add_to_curve(run_id, metric, rows)
        if run.keys is not None:
            run.keys = None if keys is None else run.keys | frozenset(keys)

    def extend(self, points: pl.DataFrame) -> None:
        """Add rows that are new since the last reading; those of curves that are not here are left out."""
        for run_id, metric, rows in split(points):
            run = self._runs.get(run_id)
            if run is not None and (run.keys is None or metric in run.keys):
                self._add_to_curve(run_id, metric, rows)

    def runs(self) -> list[str]:
        """Return the ids of the runs that are here."""
        return list(self._runs)

    def clear(self) -> None:
        """Drop everything, what the mirror holds too."""
        self._runs.clear()
        self._made.clear()
        self._forget_unsaved()
        if self._mirror is not None:
            self._mirror.reset()

    def drop(self, run_ids: Iterable[str]) -> None:
        """Drop these runs: they have to be read again."""
        for run_id in run_ids:
            self._runs.pop(run_id, None)
        self._made.clear()

    def close(self, state: object) -> None:
        """Save what is new, and drop what is in memory."""
        try:
            self.save(state, now=True)
        except MirrorError:
            self.clear()
        self._runs.clear()
        self._made.clear()
        if self._mirror is not None:
            self._mirror.close()
            self._mirror = None

    def bound(self, asked: Iterable[str], *, rows: int = MAX_POINTS) -> list[str]:
        """Drop the runs beyond ``asked`` if more than ``rows`` points are in memory; return the dropped ones.

        >>> cache = PointCache()
        >>> cache.add("r", empty_points(), keys=None)
        >>> cache.bound([], rows=-1)
        ['r']
        """
        rows_in_memory = sum(run.height for run in self._runs.values())
        dropped = sorted(self._runs.keys() - set(asked)) if rows_in_memory > rows else []
        if dropped:
            self.drop(dropped)
            for run in self._runs.values():  # what is kept may lie in the memory of all
                for curve in run.curves.values():
                    curve.parts = [pl.concat([empty_points(), *curve.parts], rechunk=True)]
        return dropped

    def frame(self, run_ids: Iterable[str], metrics: Sequence[str] | None) -> pl.DataFrame:
        """Return the points of ``run_ids`` and ``metrics``, sorted by run, metric and step.

        The same frame again, as long as nothing has changed here.
        """
        chosen = sorted(set(run_ids) & self._runs.keys())
        self._recall(chosen, metrics)
        asked = (tuple(chosen), None if metrics is None else tuple(sorted(metrics)))
        known = self._made.get(asked)
        if known is None or known.stale:
            alike = (made for (_, names), made in reversed(self._made.items()) if names == asked[1])
            self._made[asked] = self._joined(chosen, metrics, known or next(alike, None))
            for old in list(self._made)[:-_MOST_MADE]:
                del self._made[old]
        return self._made[asked].frame

    def _joined(self, run_ids: Sequence[str], metrics: Sequence[str] | None, before: _Made | None) -> _Made:
        """Return the points of runs; those that have not changed are cut out of what was made ``before``."""
        parts: list[pl.DataFrame] = []
        places: dict[str, tuple[int, int]] = {}
        rows, begin, end = 0, 0, 0  # of this frame; of the stretch that lies in the one before
        for run_id in run_ids:
            known = None if before is None or run_id in before.stale else before.places.get(run_id)
            if before is not None and (known is None or known[0] != end):
                parts.append(before.frame.slice(begin, end - begin))
                begin = end = 0 if known is None else known[0]
            if known is None:
                own = self._of_run(run_id, metrics)
                if before is not None:  # few runs are new, each as one piece; else the whole frame will be
                    own = [pl.concat([empty_points(), *own], rechunk=True)]
                parts += own
                height = sum(part.height for part in own)
            else:
                height = known[1]
                end += height
            places[run_id] = (rows, height)
            rows += height
        if before is not None:
            parts.append(before.frame.slice(begin, end - begin))
        frame = pl.concat([part for part in parts if part.height] or [empty_points()])
        if frame.n_chunks() > _MOST_CHUNKS:
            frame = frame.rechunk()
            self._made = {key: made for key, made in self._made.items() if not made.stale}
            self._share(frame, places, metrics)
        return _Made(frame=frame, places=places)

    def _of_run(self, run_id: str, metrics: Sequence[str] | None) -> list[pl.DataFrame]:
        wanted = None if metrics is None else set(metrics)
        return [
            part
            for metric, curve in sorted(self._runs[run_id].curves.items())
            if wanted is None or metric in wanted
            for part in curve.parts
        ]

    def _share(
        self, frame: pl.DataFrame, places: Mapping[str, tuple[int, int]], metrics: Sequence[str] | None
    ) -> None:
        """Let the curves lie in the memory of a frame that was made of them, so that they are there once."""
        wanted = None if metrics is None else set(metrics)
        for run_id, (row, _) in places.items():
            for metric, curve in sorted(self._runs[run_id].curves.items()):
                if wanted is None or metric in wanted:
                    curve.parts = [frame.slice(row, curve.height)]
                    row += curve.height  # noqa: PLW2901

    def save(self, state: object, *, now: bool = False) -> None:
        """Put into the mirror what is new in memory, if it is time or ``now``.

        Args:
            state: Up to where the store was read, as JSON can hold it.
            now: Whether not to wait.
        """
        if self._mirror is not None and self._mirror.is_due(self._unsaved_rows, now=now):
            complete: Complete = {run_id: run.keys for run_id, run in self._runs.items()}
            self._mirror.save(self._unmirrored(), state=state, complete=complete)
            self._forget_unsaved()
            for run in self._runs.values():
                run.is_mirrored = True

    def _unmirrored(self) -> dict[Key, list[pl.DataFrame]]:
        """Return what the mirror lacks; whole curves as they are, so that no copy is kept of them."""
        return {
            (run_id, metric): rows if run.is_mirrored else run.curves[metric].parts
            for (run_id, metric), rows in self._unsaved.items()
            if (run := self._runs.get(run_id)) is not None
        }

    def _forget_unsaved(self) -> None:
        self._unsaved.clear()
        self._unsaved_rows = 0

    def _add_to_curve(self, run_id: str, metric: str, rows: pl.DataFrame) -> None:
        run = self._runs[run_id]
        run.curves.setdefault(metric, Curve()).add(rows)
        self._has_changed([run_id])
        if self._mirror is not None and self._mirror.is_writable:
            unsaved = self._unsaved.setdefault((run_id, metric), [])
            self._unsaved_rows += rows.height
            if run.is_mirrored:
                unsaved.append(rows)

    def _has_changed(self, run_ids: Iterable[str]) -> None:
        for made in self._made.values():
            made.stale.update(made.places.keys() & run_ids)

    def _recall(self, run_ids: Sequence[str], metrics: Sequence[str] | None) -> None:
        """Join curves of earlier processes with what was read of them since."""
        wanted = None if metrics is None else frozenset(metrics)
        due = [
            run_id
            for run_id in run_ids
            if (has := self._runs[run_id].recalled) is not None and (wanted is None or wanted - has)
        ]
        if self._mirror is None or not due:
            return
        self._has_changed(due)
        for (run_id, metric), curve in curves_of(self._mirror.read(due, metrics)).items():
            run = self._runs[run_id]
            if run.recalled is not None and metric not in run.recalled:
                for part in curve.parts:
                    run.curves.setdefault(metric, Curve()).add(part)
        for run_id in due:
            has = self._runs[run_id].recalled or frozenset()
            self._runs[run_id].recalled = None if wanted is None else has | wanted
