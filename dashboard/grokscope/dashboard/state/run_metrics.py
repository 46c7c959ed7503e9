"""The unit of each run's levels, as its verdict reads them, and what is shown of it."""

from collections.abc import Mapping

import polars as pl

from grokscope.dashboard.tables.curve_places import places_in
from grokscope.schemas import Scale, score_of
from grokscope.transitions.curves.series import COUNT, curves_by_run
from grokscope.transitions.curves.units import Unit

Units = Mapping[str, Mapping[str, Unit]]
"""Run -> metric -> the unit that it was logged in, of what was not logged as shares."""

_Mark = tuple[int, int, float]
_TOP = 1.0
"""No share lies above: a run without a higher value logged no other unit."""


class RunUnits:
    """Remembers in which units runs log; not safe for several threads by itself."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[_Mark, Mapping[str, Unit]]] = {}

    def of(self, curves: pl.DataFrame) -> dict[str, Mapping[str, Unit]]:
        """Return the units of runs that log scores otherwise than as shares.

        Args:
            curves: All curves that the engine reads, by the names that they go by.

        >>> rows = [("r", m, s, None, 9.0 * s) for m in ("train/accuracy", "test/accuracy") for s in range(9)]
        >>> schema = ["run_id", "metric", "step", "time_ms", "value"]
        >>> frame = pl.DataFrame(rows, schema=schema, orient="row", schema_overrides={"time_ms": pl.Int64})
        >>> RunUnits().of(frame)["r"]["test/accuracy"].value
        'per cent'
        """
        places = places_in(curves)
        shares = [name for name in places.table["metric"].unique() if _is_share(name)]
        tops = (
            places.table.filter(pl.col("metric").is_in(shares) & (pl.col("finite") > 0))
            .group_by("run_id")
            .agg(pl.col("finite").sum(), pl.col("last_ms").max(), pl.col("top").max())
        )
        marks: dict[str, _Mark] = {
            run: (count, last, top) for run, count, last, top in tops.iter_rows() if top > _TOP
        }
        changed = [run for run, mark in marks.items() if self._known.get(run, (None,))[0] != mark]
        if changed:
            for run, units in _units(places.of_runs(changed)).items():
                self._known[run] = (marks[run], units)
        return {run: self._known[run][1] for run in marks if self._known[run][1]}


def _is_share(name: str) -> bool:
    score = score_of(name)
    return score is not None and score.scale is Scale.SHARE


def _units(curves: pl.DataFrame) -> dict[str, dict[str, Unit]]:
    found: dict[str, dict[str, Unit]] = {}
    for run, of_run in curves_by_run(curves).items():
        per_cent = {name: Unit.PER_CENT for name, curve in of_run.items() if curve.is_per_cent}
        counts = {name.removesuffix(COUNT): Unit.COUNT for name in of_run if name.endswith(COUNT)}
        found[run] = per_cent | counts
    return found


def shown_name(name: str, unit: Unit | None) -> str:
    """Return what a metric is shown as: numbers of answers are no score, and go by a name of their own."""
    return f"{name}{COUNT}" if unit is Unit.COUNT else name


def as_shown(points: pl.DataFrame, units: Units) -> pl.DataFrame:
    """Return points with what was logged in per cent as shares, and counts by a name of their own.

    >>> frame = pl.DataFrame({"run_id": ["a", "b"], "metric": "test/accuracy", "value": [95.0, 0.5]})
    >>> as_shown(frame, {"a": {"test/accuracy": Unit.PER_CENT}})["value"].to_list()
    [0.95, 0.5]
    """
    rows = [
        (run, name, shown_name(name, unit), 100.0 if unit is Unit.PER_CENT else 1.0)
        for run, of_run in units.items()
        for name, unit in of_run.items()
    ]
    if not rows:
        return points
    schema = {"run_id": pl.String(), "metric": pl.String(), "name": pl.String(), "of": pl.Float64()}
    table = pl.DataFrame(rows, schema=schema, orient="row")
    found = points.join(table, on=["run_id", "metric"], how="left", maintain_order="left")
    return found.with_columns(
        metric=pl.coalesce("name", "metric"), value=pl.col("value") / pl.col("of").fill_null(1.0)
    ).select(points.columns)
