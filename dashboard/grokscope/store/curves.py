"""One curve as it grows: parts in the order of steps, merged only when an old step arrives late."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from grokscope.store.frames import newest_attempts

_MAX_PARTS = 16
_CURVE = (pl.col("run_id"), pl.col("metric"))


@dataclass(slots=True)
class Curve:
    """The newest attempt at each step of one metric of one run; ``parts`` ascend and do not overlap."""

    parts: list[pl.DataFrame]

    def add(self, rows: pl.DataFrame) -> None:
        """Take further rows, themselves newest attempts by step; the order of the calls does not matter."""
        if not self.parts or self.parts[-1].item(-1, "step") < rows.item(0, "step"):
            # The common case of a live run: the curve goes on, and nothing before it has to be moved.
            self.parts.append(rows)
            if len(self.parts) > _MAX_PARTS:
                self.parts = [pl.concat(self.parts, rechunk=True)]
        elif rows.item(-1, "step") < self.parts[0].item(0, "step"):
            self.parts.insert(0, rows)
        else:
            self.parts = [newest_attempts(pl.concat([*self.parts, rows]))]

    @property
    def height(self) -> int:
        """Number of points."""
        return sum(part.height for part in self.parts)


def split(points: pl.DataFrame) -> Iterator[tuple[str, str, pl.DataFrame]]:
    """Yield ``(run, metric, rows)`` for each curve in ``points``: newest attempts only, by step.

    The latest time wins, then the greatest value, as in ``newest_attempts``. Points that are in order already
    are only cut; a curve that lies in several places is then given once a place.

    >>> from grokscope.store.frames import points_from_rows
    >>> rows = [("r", "m", 2, 6, 1.0, 0), ("r", "m", 1, 5, 2.0, 0), ("r", "m", 1, 4, 3.0, 0)]
    >>> [(run, metric, rows["value"].to_list()) for run, metric, rows in split(points_from_rows(rows))]
    [('r', 'm', [2.0, 1.0])]
    """
    if points.is_empty():
        return
    goes_back = pl.col("step") <= pl.col("step").shift(1)
    if points.select((goes_back & ~_begins()).any()).item():
        points = _ordered(points)
    starts: list[int] = points.select(_begins().arg_true()).to_series().to_list()
    runs, metrics = (points[name].gather(starts).to_list() for name in ("run_id", "metric"))
    ends = [*starts[1:], points.height]
    for run, metric, start, end in zip(runs, metrics, starts, ends, strict=True):
        yield run, metric, points.slice(start, end - start)


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
