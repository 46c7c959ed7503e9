"""The phase diagram of two variables as a grid to draw: cells, the boundary, and cells to train next."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from grokscope.dashboard.tables.interventions.trends import above_zero
from grokscope.interventions.designs.axis import VariableError, axis_of
from grokscope.interventions.designs.boundary import Boundary, boundary
from grokscope.interventions.designs.next_cells import NextCells, next_cells
from grokscope.interventions.designs.phase_diagram import PhaseDiagram, phase_diagram

MOST_VALUES = 16
"""Values of a variable of numbers beyond which they are binned."""
_BINS = 10
NEXT = 3

CELLS = pl.Schema(
    {
        "x": pl.String(),
        "y": pl.String(),
        "runs": pl.Int64(),
        "reached": pl.Int64(),
        "said": pl.String(),
        "share": pl.Float64(),
        "median": pl.Float64(),
        "next": pl.Int64(),
    }
)
"""One row a cell; ``x`` and ``y`` are what its values are called, ``said`` is ``reached/runs``, ``next`` the
place among the cells that are suggested."""

LINE = pl.Schema({"px": pl.Float64(), "py": pl.Float64(), "part": pl.String(), "order": pl.Int64()})
"""Points of the boundary and of the ends of its band, counted in cells from the middle of the first;
``part``: ``at``, ``low`` or ``high``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A phase diagram, ready to be drawn.

    Attributes:
        x, y: The variables.
        columns, rows: What their values are called, in their order.
        cells: ``CELLS``.
        line: ``LINE``; empty without a boundary.
        members: ``run_id, x, y``: which run is in which cell.
        sentence: What there is.
        caveats: What to know with it; the reason where there is no boundary among it.
        suggestions: A sentence for each cell to train next.
        budget: What each run might spend.
    """

    x: str
    y: str
    columns: Sequence[str]
    rows: Sequence[str]
    cells: pl.DataFrame
    line: pl.DataFrame
    members: pl.DataFrame
    sentence: str
    caveats: Sequence[str]
    suggestions: Sequence[str]
    budget: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Values:
    """The values of one variable in their order, as the grid has them."""

    called: Sequence[str]
    at: NDArray[np.float64] | None
    is_log: bool = False

    def position(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where numbers lie among the values, those between two of them in proportion; NaN outside."""
        if self.at is None:
            return np.full(values.shape, np.nan)
        known, wanted = (np.log(self.at), np.log(values)) if self.is_log else (self.at, values)
        return np.interp(wanted, known, np.arange(len(known)))


def phase_grid(rows: pl.DataFrame, settings: pl.DataFrame, *, x: str, y: str, budget: float) -> Grid:
    """Return the phase diagram of two variables.

    A number with many values is drawn in bins of one width on its axis; the boundary is fitted to the values.

    Args:
        rows: ``REACHING``.
        settings: ``run_id`` and a column a variable.
        x: Name of one of them.
        y: Name of another.
        budget: What each run may spend.

    Raises:
        VariableError: If the budget is not above 0.
    """
    costs = rows.join(settings.select("run_id", x, y), on="run_id", maintain_order="left")
    costs = costs.filter(pl.col(x).is_not_null() & pl.col(y).is_not_null())
    binned, columns = _binned(costs, x)
    binned, lines = _binned(binned, y)
    diagram = phase_diagram(binned, x=x, y=y, budget=budget)
    fitted = above_zero(costs, x, y)
    edge = _boundary(fitted, x=x, y=y, budget=budget)
    following = _next(fitted, x=x, y=y, budget=budget)
    names = {x: columns, y: lines}
    return Grid(
        x=x,
        y=y,
        columns=columns.called,
        rows=lines.called,
        cells=_cells(diagram, following, names),
        line=_line(edge, names),
        members=_named(binned, names).select("run_id", "x", "y"),
        sentence=diagram.sentence,
        caveats=_caveats(diagram, edge, rows.height - costs.height, costs.height - fitted.height),
        suggestions=_suggestions(following),
        budget=budget,
    )


def _binned(costs: pl.DataFrame, name: str) -> tuple[pl.DataFrame, _Values]:
    column = costs[name]
    if not column.dtype.is_numeric():
        return costs, _Values(called=column.unique().sort().to_list(), at=None)
    values = column.unique().sort().to_numpy().astype(np.float64)
    is_log = bool(len(values) and values[0] > 0)
    if len(values) <= MOST_VALUES:
        return costs, _Values(called=_called(values), at=values, is_log=is_log)
    axis = axis_of(column.to_numpy(), name)
    edges = axis.spaced(_BINS + 1)
    middles = np.sqrt(edges[:-1] * edges[1:]) if axis.is_log else (edges[:-1] + edges[1:]) / 2
    which = np.clip(np.searchsorted(edges, column.to_numpy(), side="right") - 1, 0, _BINS - 1)
    kept = np.unique(which)
    binned = costs.with_columns(pl.Series(name, middles[which]))
    return binned, _Values(called=_called(middles[kept]), at=middles[kept], is_log=axis.is_log)


def _called(values: NDArray[np.float64]) -> list[str]:
    """Return numbers in as few digits as tell them apart."""
    for digits in (3, 6, 17):
        called = [f"{value:.{digits}g}" for value in values]
        if len(set(called)) == len(called):
            return called
    return [repr(float(value)) for value in values]


def _named(frame: pl.DataFrame, names: dict[str, _Values]) -> pl.DataFrame:
    """Return a frame with ``x`` and ``y``: what the values of the two variables are called."""
    made = list[pl.Series]()
    for own, (name, values) in zip(("x", "y"), names.items(), strict=True):
        if values.at is None:
            made.append(frame[name].alias(own))
            continue
        table = dict(zip(values.at.tolist(), values.called, strict=True))
        called = [table.get(value) for value in frame[name].to_list()]
        made.append(pl.Series(own, called, dtype=pl.String()))
    return frame.with_columns(made)


def _cells(diagram: PhaseDiagram, following: NextCells | str, names: dict[str, _Values]) -> pl.DataFrame:
    said = pl.when(pl.col("runs") > 0).then(pl.format("{}/{}", "reached", "runs")).otherwise(pl.lit(""))
    cells = _named(diagram.cells, names).with_columns(said=said)
    places: dict[tuple[str, str], int] = {}
    if not isinstance(following, str):
        suggested = following.suggestions.select(diagram.x, diagram.y)
        nearest = {name: _nearest(suggested[name], values) for name, values in names.items()}
        for place, cell in enumerate(zip(*nearest.values(), strict=True), start=1):
            places.setdefault(cell, place)
    at = [places.get(cell) for cell in cells.select("x", "y").iter_rows()]
    return cells.with_columns(pl.Series("next", at, dtype=pl.Int64())).select(CELLS.names())


def _nearest(column: pl.Series, values: _Values) -> list[str]:
    position = values.position(column.to_numpy().astype(np.float64))
    return [values.called[int(place)] for place in np.rint(position).tolist()]


def _boundary(costs: pl.DataFrame, *, x: str, y: str, budget: float) -> Boundary | str:
    try:
        return boundary(costs, x=x, y=y, budget=budget)
    except VariableError as refused:
        return str(refused)


def _next(costs: pl.DataFrame, *, x: str, y: str, budget: float) -> NextCells | str:
    try:
        return next_cells(costs, x=x, y=y, budget=budget, count=NEXT)
    except VariableError as refused:
        return str(refused)


def _line(edge: Boundary | str, names: dict[str, _Values]) -> pl.DataFrame:
    if isinstance(edge, str) or edge.line.is_empty():
        return LINE.to_frame()
    x = next(iter(names))
    along = names[edge.along].position(edge.line["along"].to_numpy())
    parts = list[pl.DataFrame]()
    for part in ("at", "low", "high"):
        values = edge.line[part].to_numpy()
        lowest, highest = _span(names[edge.across])
        inside = np.isfinite(values) & (values >= lowest) & (values <= highest)
        across = names[edge.across].position(np.where(inside, values, lowest))
        px, py = (along, across) if edge.along == x else (across, along)
        frame = pl.DataFrame({"px": px, "py": py, "order": np.arange(len(px))}).filter(pl.Series(inside))
        parts.append(frame.with_columns(part=pl.lit(part)).select(LINE.names()))
    return pl.concat(parts)


def _span(values: _Values) -> tuple[float, float]:
    return (0.0, 0.0) if values.at is None else (float(values.at[0]), float(values.at[-1]))


def _caveats(diagram: PhaseDiagram, edge: Boundary | str, left_out: int, zeros: int) -> list[str]:
    missing = edge if isinstance(edge, str) else edge.missing
    said = [f"No boundary: {missing}."] if missing else []
    if not isinstance(edge, str):
        said += [f"Boundary: {one}." for one in edge.caveats]
    if zeros:
        have = "1 run has" if zeros == 1 else f"{zeros} runs have"
        said.append(f"{have} a variable at 0, which has no place on its log axis: no boundary there.")
    if left_out:
        have = "1 run has" if left_out == 1 else f"{left_out} runs have"
        said.append(f"{have} not logged both variables.")
    return [*said, *(f"{one[:1].upper()}{one[1:]}." for one in diagram.caveats)]


def _suggestions(following: NextCells | str) -> list[str]:
    if isinstance(following, str):
        return [f"No cell is suggested: {following}."]
    told: list[str] = following.suggestions["sentence"].to_list()
    return told if told or following.missing is None else [f"No cell is suggested: {following.missing}."]
