"""Runs over all variables at once: where each value lies on its variable's axis."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from grokscope.dashboard.tables.interventions.variables import Settings
from grokscope.interventions.designs.axis import DECADE

MOST_VARIABLES = 8
MOST_RUNS = 600
"""Runs that are drawn, spread evenly over their costs; beyond, lines are only ink."""
_MOST_TICKS = 6

LINES = pl.Schema(
    {"run": pl.String(), "variable": pl.String(), "position": pl.Float64(), "value": pl.String(),
     "cost": pl.Float64(), "reached": pl.Boolean()}
)  # fmt: skip
"""One row a run and variable; ``position`` goes from 0 to 1, ``cost`` is null of a run that is not there."""

TICKS = pl.Schema({"variable": pl.String(), "position": pl.Float64(), "value": pl.String()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordinates:
    """What to draw.

    Attributes:
        variables: In the order of their axes.
        lines: ``LINES``.
        ticks: ``TICKS``: values that are written at the axes.
        runs, of: How many runs are drawn, of how many.
    """

    variables: Sequence[str]
    lines: pl.DataFrame
    ticks: pl.DataFrame
    runs: int
    of: int


def coordinates_of(rows: pl.DataFrame, settings: Settings) -> Coordinates:
    """Return the lines of the runs that have a value of each variable.

    Args:
        rows: ``REACHING``.
        settings: Of these runs.
    """
    names = settings.labels[:MOST_VARIABLES]
    known = rows.join(settings.frame.select("run_id", *names), on="run_id").drop_nulls(names)
    known = known.sort("reached", "at", descending=[False, True])
    if known.height > MOST_RUNS:
        kept = np.linspace(0, known.height - 1, MOST_RUNS).astype(int)
        drawn = known[kept.tolist()]
    else:
        drawn = known
    parts, ticks = [LINES.to_frame()], [TICKS.to_frame()]
    for name in names:
        position, called = _placed(known[name], drawn[name])
        cost = pl.when("reached").then("at").alias("cost")
        parts.append(
            drawn.select(
                "run", pl.lit(name).alias("variable"), pl.Series("position", position),
                pl.Series("value", called, dtype=pl.String()), cost, "reached",
            )
        )  # fmt: skip
        ticks.append(_ticks(name, known[name]))
    return Coordinates(
        variables=names, lines=pl.concat(parts), ticks=pl.concat(ticks), runs=drawn.height, of=known.height
    )


def _placed(whole: pl.Series, mine: pl.Series) -> tuple[NDArray[np.float64], list[str]]:
    """Return where values lie from 0 to 1: numbers on their axis, or by rank among few; text by rank."""
    if not mine.dtype.is_numeric():
        order = {value: place for place, value in enumerate(whole.unique().sort().to_list())}
        ranks = np.array([order[value] for value in mine], dtype=np.float64)
        return ranks / max(1, len(order) - 1), [str(value) for value in mine]
    known, values = whole.unique().sort().to_numpy(), mine.to_numpy()
    called = [f"{value:.4g}" for value in values]
    if len(known) <= _MOST_TICKS:
        return np.searchsorted(known, values) / max(1, len(known) - 1), called
    is_log = known[0] > 0 and known[-1] / known[0] >= DECADE
    low, high, at = (np.log(each) if is_log else each for each in (known[0], known[-1], values))
    return np.asarray((at - low) / (high - low), dtype=np.float64), called


def _ticks(name: str, whole: pl.Series) -> pl.DataFrame:
    values = whole.unique().sort()
    if values.len() > _MOST_TICKS:
        places = np.linspace(0, values.len() - 1, _MOST_TICKS).round().astype(int)
        values = values[sorted({*places.tolist()})]
    position, called = _placed(whole, values)
    return pl.DataFrame({"variable": name, "position": position, "value": called}, schema=TICKS)
