"""One curve as it grows: parts in the order of steps, merged only when an old step arrives late."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import polars as pl

from grokscope.store.frames import newest_attempts

_MAX_PARTS = 8
"""Parts of a curve in memory: each costs 2 µs whenever a frame is made of the curves."""

_CURVE = (pl.col("run_id"), pl.col("metric"))

Key = tuple[str, str]
"""Run and metric."""


@dataclass(slots=True)
class Curve:
    """The newest attempt at each step of one metric of one run; ``parts`` ascend and do not overlap."""

    parts: list[pl.DataFrame] = field(default_factory=list[pl.DataFrame])
    height: int = 0

    def add(self, rows: pl.DataFrame) -> None:
        """Add further rows, themselves newest attempts by step; the order of the calls does not matter."""
        self.height += rows.height
        if not self.parts or self.parts[-1].item(-1, "step") < rows.item(0, "step"):
            # The common case of a live run: the curve goes on, and nothing before it has to be moved.
            self.parts.append(rows)
            if len(self.parts) > _MAX_PARTS:
                self._merge_tail()
        elif rows.item(-1, "step") < self.parts[0].item(0, "step"):
            self.parts.insert(0, rows)
        else:
            self.parts = [newest_attempts(pl.concat([*self.parts, rows]))]
            self.height = self.parts[0].height

    def _merge_tail(self) -> None:
        """Join the parts at the end, up to one that is much longer: what is old is seldom copied."""
        first, rows = len(self.parts) - 1, self.parts[-1].height
        while first and self.parts[first - 1].height <= 2 * rows:
            first -= 1
            rows += self.parts[first].height
        first = min(first, _MAX_PARTS - 1)
        self.parts[first:] = [pl.concat(self.parts[first:], rechunk=True)]


def curves_of(frames: Iterable[pl.DataFrame]) -> dict[Key, Curve]:
    """Return the curves of several frames of points, each joined from all of them."""
    curves: dict[Key, Curve] = {}
    for frame in frames:
        for run, metric, rows in split(frame):
            curves.setdefault((run, metric), Curve()).add(rows)
    return curves


def split(points: pl.DataFrame) -> Iterator[tuple[str, str, pl.DataFrame]]:
    """Yield ``(run, metric, rows)`` once for each curve in ``points``: newest attempts only, by step.

    The latest time wins, then the greatest value, as in ``newest_attempts``. Points that are in order already
    are only cut.

    >>> from grokscope.store.frames import points_from_rows
    >>> rows = [("r", "m", 2, 6, 1.0, 0), ("r", "m", 1, 5, 2.0, 0), ("r", "m", 1, 4, 3.0, 0)]
    >>> [(run, metric, rows["value"].to_list()) for run, metric, rows in split(points_from_rows(rows))]
    [('r', 'm', [2.0, 1.0])]
    """
    if points.is_empty():
        return
    goes_back = pl.col("step") <= pl.col("step").shift(1)
    begins = starts(points)
    # A trainer logs all its metrics step by step: cut as they lie, that would be a piece a point.
    is_mixed = begins.select(_CURVE).is_duplicated().any()
    if is_mixed or points.select((goes_back & ~_begins()).any()).item():
        points = _ordered(points)
        begins = starts(points)
    places = begins["row"].to_list()
    for run, metric, start, end in zip(
        begins["run_id"].to_list(),
        begins["metric"].to_list(),
        places,
        [*places[1:], points.height],
        strict=True,
    ):
        yield run, metric, points.slice(start, end - start)


def starts(points: pl.DataFrame) -> pl.DataFrame:
    """Return the rows at which another curve begins: ``row``, ``run_id``, ``metric``.

    >>> starts(pl.DataFrame({"run_id": ["a", "a", "b"], "metric": ["m", "m", "m"]})).rows()
    [(0, 'a', 'm'), (2, 'b', 'm')]
    """
    return points.select(pl.int_range(pl.len()).alias("row"), *_CURVE).filter(_begins())


def _begins() -> pl.Expr:
    return pl.any_horizontal((name != name.shift(1)).fill_null(value=True) for name in _CURVE)


def _ordered(points: pl.DataFrame) -> pl.DataFrame:
    """Return newest attempts by curve and step; the names are coded as numbers, which sort faster."""
    coded = points.with_columns(name.cast(pl.Categorical()) for name in _CURVE)
    places = [*(name.to_physical() for name in _CURVE), "step", "time_ms", "value"]
    ordered = coded.sort(places, nulls_last=False)
    is_outdone = pl.all_horizontal(
        (pl.col(name) == pl.col(name).shift(-1)).fill_null(value=False)
        for name in ("run_id", "metric", "step")
    )
    return ordered.filter(~is_outdone).with_columns(name.cast(pl.String()) for name in _CURVE)
