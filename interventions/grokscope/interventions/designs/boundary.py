"""The boundary between settings that reach the target and those that do not: where half of the runs do."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import special

from grokscope.interventions.designs.axis import Axis, VariableError, axis_of, numbers
from grokscope.interventions.designs.band import Data, half_way
from grokscope.interventions.designs.budget import ON_ITS_WAY, REACHED, within_budget
from grokscope.interventions.designs.logistic import LogisticFit, logistic_fit
from grokscope.interventions.estimate import Estimate

FloatArray = NDArray[np.float64]

POINTS = 25
"""Points along the boundary."""
FEW_RUNS = 20
NO_EFFECT = 1e-6
"""Log odds for a standard deviation of a variable that count as none."""
LINE = pl.Schema({"along": pl.Float64(), "at": pl.Float64(), "low": pl.Float64(), "high": pl.Float64()})
"""The boundary, point by point: at the value ``along`` of one variable it is ``at`` of the other, within
``low`` and ``high``; an end is null where it is unbounded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What the fit says of any setting.

    Attributes:
        axes: Of the variables, in their order.
        fit: Of the log odds, on an intercept and the scaled variables.
        data: What it was fitted to: design, reached and tried.
    """

    axes: tuple[Axis, ...]
    fit: LogisticFit
    data: Data

    def design(self, *values: FloatArray) -> FloatArray:
        """Return the rows of the design of some settings, shape (n, 1 + variables)."""
        scaled = [axis.scaled(each) for axis, each in zip(self.axes, values, strict=True)]
        return np.column_stack([np.ones(len(values[0])), *scaled])

    def share(self, *values: FloatArray) -> FloatArray:
        """Return the share of runs with these settings that reach the target, shape (n,)."""
        return special.expit(self.design(*values) @ self.fit.coefficients)


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """Where half of the runs reach the target.

    Attributes:
        x, y: The variables.
        along: The variable that the line goes along; ``across`` is the other, which matters more.
        line: ``LINE``, within the span of both variables.
        model: ``None`` where there is no boundary.
        level: Of the band, point by point.
        missing: Why there is none.
        caveats: What to know before reading it.
    """

    x: str
    y: str
    along: str = ""
    across: str = ""
    line: pl.DataFrame
    model: Model | None = None
    level: float = 0.95
    missing: str | None = None
    caveats: tuple[str, ...] = ()


def boundary(
    costs: pl.DataFrame, *, x: str, y: str, budget: float | str | None = None, level: float = 0.95
) -> Boundary:
    """Return the line on which half of the runs reach the target, with a band.

        log odds of reaching = β₀ + β₁ x + β₂ y,  each on a log axis where positive and spanning a decade

    Fitted with Firth's penalty, so that a sharp boundary does not break it. The band holds the settings at
    which a test of the penalized likelihood ratio does not reject log odds of 0, see ``half_way``: it may
    have no end. Runs on their way below their budget are left out.

    Args:
        costs: ``COSTS`` with a column of each variable.
        x: Name of a variable.
        y: Name of the other.
        budget: What each run may spend; see ``within_budget``. ``None``: the most that any run has spent.
        level: Of the band.

    Returns:
        The boundary; without a line, and with the reason, where all or none reach the target or a variable
        is constant.

    Raises:
        VariableError: If a column is missing or holds no numbers.

    >>> costs = pl.DataFrame({"lr": [1, 2, 3, 4] * 2, "wd": [0.1] * 4 + [1.0] * 4})
    >>> costs = costs.with_columns(reached=pl.col("lr") > 2, low=1.0, high=2.0, spent=9.0)
    >>> boundary(costs, x="lr", y="wd").line["at"].round(2).unique().to_list()
    [2.5]
    """
    nothing = Boundary(x=x, y=y, line=pl.DataFrame(schema=LINE), level=level)
    counted = outcomes(costs, (x, y), budget=budget)
    fitted = model_of(counted, (x, y))
    if isinstance(fitted, str):
        return replace(nothing, missing=fitted)
    effects = np.abs(fitted.fit.coefficients[1:])
    if float(np.max(effects)) < NO_EFFECT:
        return replace(nothing, missing=f"as many runs reach the target whatever {x} and {y} are")
    across = int(np.argmax(effects))
    line = _line(fitted, across=across, level=level)
    names = (x, y)
    found = replace(
        nothing, along=names[1 - across], across=names[across], line=line, model=fitted,
        caveats=_caveats(counted, fitted, level),
    )  # fmt: skip
    if line.is_empty():
        return replace(found, missing=f"no setting between the values tried of {x} and {y} is at one half")
    return found


def threshold(
    costs: pl.DataFrame, *, x: str, budget: float | str | None = None, level: float = 0.95
) -> Estimate:
    """Return the value of one variable at which half of the runs reach the target: a critical data fraction.

    As ``boundary``, of one variable.

    >>> costs = pl.DataFrame({"r": [0.2, 0.3, 0.4, 0.5] * 3})
    >>> costs = costs.with_columns(reached=pl.col("r") > 0.35, low=1.0, high=2.0, spent=9.0)
    >>> round(threshold(costs, x="r").value, 3)
    0.35
    """
    method = "penalized likelihood ratio, Firth's logistic regression"
    fitted = model_of(outcomes(costs, (x,), budget=budget), (x,))
    if isinstance(fitted, str):
        return Estimate(value=None, level=level, method=method, missing=fitted)
    if abs(float(fitted.fit.coefficients[1])) < NO_EFFECT:
        reason = f"as many runs reach the target whatever {x} is"
        return Estimate(value=None, level=level, method=method, missing=reason)
    axis, unit = fitted.axes[0], np.eye(2)
    found = half_way(fitted.fit, fitted.data, unit[:1], unit[1], level=level)
    value, *ends = (float(axis.unscaled(each)[0]) for each in found)
    finite = [end if np.isfinite(end) else None for end in ends]
    unbounded = "an end is unbounded: the outcome does not clearly hang on the variable"
    missing = unbounded if None in finite else None
    if not axis.low <= value <= axis.high:
        missing = f"it lies outside of the values tried, {axis.low:g} to {axis.high:g}"
    low, high = finite
    at = value if np.isfinite(value) else None
    return Estimate(value=at, low=low, high=high, level=level, method=method, missing=missing)


def outcomes(costs: pl.DataFrame, names: tuple[str, ...], *, budget: float | str | None) -> pl.DataFrame:
    """Return how many runs of each setting reached the target and how many were decided, by setting.

    Raises:
        VariableError: If a column is missing or holds no numbers.
    """
    values = costs.with_columns(pl.Series(name, numbers(costs, name)) for name in names)
    known = values.filter(pl.all_horizontal(pl.col(name).is_finite() for name in names))
    decided = within_budget(known, budget=budget).filter(pl.col("result") != ON_ITS_WAY)
    reached = (pl.col("result") == REACHED).sum().cast(pl.Float64)
    return (
        decided.group_by(names)
        .agg(reached.alias("reached"), pl.len().cast(pl.Float64).alias("tried"))
        .sort(names)
    )


def model_of(counted: pl.DataFrame, names: tuple[str, ...]) -> Model | str:
    """Return the fit to ``outcomes``, or the reason why there is none."""
    reached, tried = counted["reached"].to_numpy(), counted["tried"].to_numpy()
    if not len(counted):
        return "no run is decided yet"
    if reached.sum() in (0, tried.sum()):
        which = "all" if reached.sum() else "none"
        return f"{which} of the {int(tried.sum())} runs reach the target: no boundary"
    columns = [counted[name].to_numpy() for name in names]
    try:
        axes = tuple(axis_of(values, name) for values, name in zip(columns, names, strict=True))
    except VariableError as refused:
        return str(refused)
    scaled = [axis.scaled(values) for axis, values in zip(axes, columns, strict=True)]
    design = np.column_stack([np.ones(len(counted)), *scaled])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        return f"{' and '.join(names)} vary together, so that one cannot be told from the other"
    return Model(axes=axes, fit=logistic_fit(design, reached, tried), data=(design, reached, tried))


def _line(model: Model, *, across: int, level: float) -> pl.DataFrame:
    along, other = model.axes[1 - across], model.axes[across]
    values = along.spaced(POINTS)
    at = np.zeros((POINTS, 3))
    at[:, 0], at[:, 2 - across] = 1.0, along.scaled(values)
    ends = [
        other.unscaled(each)
        for each in half_way(model.fit, model.data, at, np.eye(3)[1 + across], level=level)
    ]
    line = pl.DataFrame(dict(zip(LINE, (values, *ends), strict=True)), schema=LINE)
    inside = pl.col("at").is_between(other.low, other.high)
    finite = [pl.when(pl.col(end).is_finite()).then(end).alias(end) for end in ("low", "high")]
    return line.filter(inside).with_columns(finite)


def _caveats(counted: pl.DataFrame, model: Model, level: float) -> tuple[str, ...]:
    reached, runs = float(counted["reached"].sum()), float(counted["tried"].sum())
    alone = special.xlogy(reached, reached / runs) + special.xlogy(runs - reached, 1 - reached / runs)
    p = float(special.chdtrc(len(model.axes), max(2 * (model.fit.likelihood - alone), 0.0)))
    wide = [axis.name for axis in model.axes if axis.low == 0 and not axis.is_log]
    told = (
        (
            wide,
            f"{' and '.join(wide)} is 0 in some runs: no log axis; leave those out for one",
        ),
        (p > 1 - level, f"nothing shows that the outcome hangs on these variables (p = {p:.2g})"),
        (runs < FEW_RUNS, f"{int(runs)} runs tell little about two variables; the band says how little"),
    )
    return tuple(sentence for holds, sentence in told if holds)
