"""Where another run tells most about the boundary: uncertain cells again, and cells nobody has trained."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import special

from grokscope.interventions.designs.axis import VariableError, axis_of, numbers
from grokscope.interventions.designs.boundary import Model, model_of, outcomes
from grokscope.interventions.designs.logistic import posterior
from grokscope.schemas import GrokscopeError

FloatArray = NDArray[np.float64]

MOST_CANDIDATES = 900
SIDE = 20
"""Places on each variable at which the side of the boundary is looked at."""
_LEAST = 1e-12

SUGGESTIONS = pl.Schema(
    {
        "probability": pl.Float64(),
        "runs": pl.Int64(),
        "reached": pl.Int64(),
        "reduction": pl.Float64(),
        "sentence": pl.String(),
    }
)
"""Columns of a suggestion beside the two variables.

``probability``: that a run there reaches the target. ``runs``, ``reached``: what was done there.
``reduction``: the share of the uncertainty about the boundary that one run there is expected to take away,
after those before it; null where there is no boundary yet.
"""


class SuggestionError(GrokscopeError):
    """A suggestion that cannot be made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextCells:
    """Cells to train next.

    Attributes:
        x, y: The variables.
        suggestions: The two variables and ``SUGGESTIONS``, the most telling first.
        missing: Why they are guesses, or why there is none.
    """

    x: str
    y: str
    suggestions: pl.DataFrame
    missing: str | None = None

    def settings(self) -> list[dict[str, float]]:
        """Return the suggested settings, as a sweep's ``cells`` reads them."""
        return self.suggestions.select(self.x, self.y).to_dicts()


def next_cells(  # noqa: PLR0913 - keyword-only options of one public face
    costs: pl.DataFrame, *, x: str, y: str, budget: float | str | None = None, count: int = 3, beyond: int = 0
) -> NextCells:
    """Return the cells of the grid where another run is expected to tell most about the boundary.

    The boundary is uncertain as far as it is unknown on which side of it the places lie that are spread
    evenly over the span: the sum of s (1 - s), s being the probability that more than half of the runs reach
    the target there. A run with outcome o is expected to take Σ Cov(o, side)² / Var(o) of it, by the law of
    total variance, over what the coefficients may be under Jeffreys' prior. Suggestions are made one after
    the other, each told what those before it will have shown as far as a straight line tells.

    Where all or none reach the target there is no boundary: cells that nobody has trained are suggested,
    those farthest from what was trained first.

    Args:
        costs: ``COSTS`` with a column of each variable.
        x: Name of a variable.
        y: Name of the other.
        budget: What each run may spend; see ``boundary``.
        count: How many cells.
        beyond: By how many steps of the grid a suggestion may lie outside of the values tried.

    Raises:
        SuggestionError: If ``count`` is below 1 or ``beyond`` below 0.
        VariableError: If a column is missing or holds no numbers.

    >>> costs = pl.DataFrame({"lr": [1, 2, 3, 4] * 2, "wd": [1, 1, 1, 1, 2, 2, 2, 2]})
    >>> costs = costs.with_columns(reached=pl.col("lr") > 2, low=1.0, high=2.0, spent=9.0)
    >>> {setting["lr"] for setting in next_cells(costs, x="lr", y="wd", count=2).settings()} <= {2.0, 3.0}
    True
    """
    if count < 1 or beyond < 0:
        raise SuggestionError(
            f"suggestions are 1 or more, 0 or more beyond the grid; got {count} and {beyond}"
        )
    counted = outcomes(costs, (x, y), budget=budget)
    visited = costs.select(pl.Series(name, numbers(costs, name)) for name in (x, y)).filter(
        pl.all_horizontal(pl.all().is_finite())
    )
    runs = visited.group_by(x, y).len("runs").cast({"runs": pl.Int64})
    candidates = _candidates(visited, x, y, beyond).join(runs, on=[x, y], how="left", maintain_order="left")
    candidates = candidates.join(counted.drop("tried"), on=[x, y], how="left", maintain_order="left")
    candidates = candidates.with_columns(
        pl.col("runs").fill_null(0), pl.col("reached").fill_null(0).cast(pl.Int64)
    )
    model = model_of(counted, (x, y))
    if isinstance(model, str):
        return _unvisited(candidates, x, y, count=count, reason=model)
    # Runs on their way may lie at 0, where an axis that is fitted by its logarithm does not go.
    candidates = candidates.filter(
        pl.col(axis.name) > (0.0 if axis.is_log else float("-inf")) for axis in model.axes
    )
    chosen, reductions, share = _greedy(model, candidates, count)
    suggested = candidates[chosen].with_columns(
        probability=pl.Series(share[chosen]), reduction=pl.Series(reductions, dtype=pl.Float64)
    )
    return NextCells(x=x, y=y, suggestions=_told(suggested, x, y))


def _candidates(visited: pl.DataFrame, x: str, y: str, beyond: int) -> pl.DataFrame:
    values = [_extended(visited[name].unique().sort().to_numpy(), name, beyond) for name in (x, y)]
    if len(values[0]) * len(values[1]) > MOST_CANDIDATES:
        # Drawn settings form no grid: a plain one over the same span does.
        side = int(MOST_CANDIDATES**0.5)
        values = [axis_of(each, name).spaced(side) for each, name in zip(values, (x, y), strict=True)]
    return pl.DataFrame({x: values[0]}).join(pl.DataFrame({y: values[1]}), how="cross")


def _extended(values: FloatArray, name: str, beyond: int) -> FloatArray:
    """Return the values of an axis and ``beyond`` further ones on each side, as far apart as its last two."""
    if not beyond or len(values) < 2:  # noqa: PLR2004
        return values
    axis = axis_of(values, name)
    scaled = axis.scaled(values)
    steps = np.arange(1, beyond + 1)
    below, above = (
        scaled[0] - steps[::-1] * (scaled[1] - scaled[0]),
        scaled[-1] + steps * (scaled[-1] - scaled[-2]),
    )
    further = np.concatenate([axis.unscaled(below), values, axis.unscaled(above)])
    further = further[np.isfinite(further)]
    # A share or a rate that has only been above 0 stays there.
    return further[further > 0] if axis.low > 0 else further


def _greedy(model: Model, candidates: pl.DataFrame, count: int) -> tuple[list[int], list[float], FloatArray]:
    """Return the places of the cells to train, what each takes from the variance, and all cells' shares."""
    names = [axis.name for axis in model.axes]
    where = model.design(*(candidates[name].to_numpy() for name in names))
    beta, weights = posterior(model.fit, *model.data)
    shares, sides = special.expit(where @ beta.T), (_map(model) @ beta.T > 0).astype(np.float64)
    mean, side = shares @ weights, sides @ weights
    weighted = (shares - mean[:, None]) * weights
    to_sides = weighted @ (sides - side[:, None]).T
    among = weighted @ (shares - mean[:, None]).T
    variance, whole = mean * (1 - mean), float(np.sum(side * (1 - side)))
    chosen: list[int] = []
    reductions: list[float] = []
    for _ in range(min(count, len(candidates))):
        gain = np.sum(to_sides**2, axis=1) / np.maximum(variance, _LEAST)
        gain[chosen] = -np.inf
        best = int(np.argmax(gain))
        chosen.append(best)
        reductions.append(float(gain[best]) / max(whole, _LEAST))
        # What this run will show of the other outcomes and of the sides, as far as a straight line tells.
        told = among[:, best] / max(float(variance[best]), _LEAST)
        variance = variance - told * among[:, best]
        to_sides = to_sides - told[:, None] * to_sides[best]
        among = among - told[:, None] * among[best]
    return chosen, reductions, mean


def _map(model: Model) -> FloatArray:
    """Return the design of places spread evenly over the span of both variables."""
    x, y = np.meshgrid(*(axis.spaced(SIDE) for axis in model.axes), indexing="ij")
    return model.design(x.ravel(), y.ravel())


def _unvisited(candidates: pl.DataFrame, x: str, y: str, *, count: int, reason: str) -> NextCells:
    """Return the cells nobody has trained that are farthest from those that were."""
    empty = NextCells(x=x, y=y, suggestions=candidates.head(0).select(x, y).with_columns(_nulls()))
    try:
        axes = [axis_of(candidates[name].to_numpy(), name) for name in (x, y)]
    except VariableError as refused:
        return NextCells(x=x, y=y, suggestions=empty.suggestions, missing=str(refused))
    points = np.column_stack([axis.scaled(candidates[axis.name].to_numpy()) for axis in axes])
    near = np.full(len(points), np.inf)
    for place in np.flatnonzero(candidates["runs"].to_numpy() > 0):
        near = np.minimum(near, np.sum((points - points[place]) ** 2, axis=1))
    chosen: list[int] = []
    while len(chosen) < count and np.max(near) > 0:
        chosen.append(int(np.argmax(near)))
        near = np.minimum(near, np.sum((points - points[chosen[-1]]) ** 2, axis=1))
    if not chosen:
        return NextCells(
            x=x, y=y, suggestions=empty.suggestions,
            missing=f"{reason}, and every cell of the grid was trained; let it look beyond the values tried",
        )  # fmt: skip
    suggested = candidates[chosen].with_columns(
        probability=pl.lit(None, pl.Float64), reduction=pl.lit(None, pl.Float64)
    )
    return NextCells(
        x=x, y=y, suggestions=_told(suggested, x, y), missing=f"{reason}; unvisited cells instead"
    )


def _nulls() -> list[pl.Expr]:
    return [pl.lit(None, kind).alias(name) for name, kind in SUGGESTIONS.items()]


def _told(suggested: pl.DataFrame, x: str, y: str) -> pl.DataFrame:
    """Return suggestions with a sentence each."""
    sentences: list[str] = []
    for row in suggested.iter_rows(named=True):
        where = f"{x} = {row[x]:.4g}, {y} = {row[y]:.4g}"
        done = f"{row['reached']} of {row['runs']} reached" if row["runs"] else "nobody has trained it"
        if row["reduction"] is None:
            sentences.append(f"{where}: {done}, and it is far from all that was trained.")
        else:
            told = f"a run reaches the target with probability {row['probability']:.2f}"
            sentences.append(
                f"{where}: {done}; {told}, and takes {row['reduction']:.0%} of what is uncertain."
            )
    return suggested.with_columns(sentence=pl.Series(sentences, dtype=pl.String)).select(x, y, *SUGGESTIONS)
