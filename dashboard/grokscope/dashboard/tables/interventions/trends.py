"""What a run spends against one variable of numbers: points to draw, and the power law where it holds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from grokscope.interventions.designs.axis import VariableError
from grokscope.interventions.designs.boundary import threshold
from grokscope.interventions.estimate import Estimate
from grokscope.interventions.laws.power_law import PowerLaw, power_law

MOST_LEVELS = 12
"""Values of another variable up to which each of its values has a level of its own."""
_STEPS = 41

DOTS = pl.Schema(
    {"run": pl.String(), "x": pl.Float64(), "reached": pl.Boolean(), "cost": pl.Float64(),
     "low": pl.Float64(), "high": pl.Float64()}
)  # fmt: skip
"""One row a run. ``cost``: where it got there, or how far it was trained; without the effects of the other
variables where these have levels of their own."""

CURVE = pl.Schema({"x": pl.Float64(), "cost": pl.Float64(), "low": pl.Float64(), "high": pl.Float64()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """Cost against a variable.

    Attributes:
        x: The variable.
        dots: ``DOTS``.
        curve: ``CURVE``; empty where no law holds.
        sentence: The exponent with its interval, or why there is none.
        premises: What was tested and what was found, one sentence each, with whether it holds.
        caveats: What to know with it.
        half_way: At which value half of the runs reach the goal within the budget.
    """

    x: str
    dots: pl.DataFrame
    curve: pl.DataFrame
    sentence: str
    premises: Sequence[tuple[bool | None, str]]
    caveats: Sequence[str]
    half_way: str


def trend_of(rows: pl.DataFrame, settings: pl.DataFrame, *, x: str, budget: float, unit: str) -> Trend:
    """Return how the cost follows a variable of numbers; the other variables are held apart.

    Args:
        rows: ``REACHING``.
        settings: ``run_id`` and a column a variable.
        x: Name of one of numbers.
        budget: Up to which it is told whether runs are there.
        unit: What costs are counted in.
    """
    costs = rows.join(settings, on="run_id", maintain_order="left").filter(pl.col(x).is_not_null())
    within = _within(costs, settings, x)
    law = power_law(costs, x=x, within=within)
    return Trend(
        x=x,
        dots=_dots(costs, law, x),
        curve=_curve(law),
        sentence=_sentence(law, x, unit),
        premises=[(one.holds, f"{one.sentence[:1].upper()}{one.sentence[1:]}.") for one in law.premises],
        caveats=[*_held(within), *(f"{one[:1].upper()}{one[1:]}." for one in law.caveats)],
        half_way=_half_way(costs, x, budget),
    )


def _within(costs: pl.DataFrame, settings: pl.DataFrame, x: str) -> list[str]:
    """Return the other variables that have few values, and do not only follow this one or each other."""
    kept = list[str]()
    for name in settings.columns:
        if name in ("run_id", x) or not 1 < costs[name].n_unique() <= MOST_LEVELS:
            continue
        told = costs.select(x, *kept).unique().height
        if costs.select(x, *kept, name).unique().height > told:
            kept.append(name)
    return kept


def _held(within: Sequence[str]) -> list[str]:
    if not within:
        return []
    return [f"Runs are compared at equal {', '.join(within)} only; dots are drawn without its effect."]


def _dots(costs: pl.DataFrame, law: PowerLaw, x: str) -> pl.DataFrame:
    plain = costs.select(
        "run_id", "run", pl.col(x).cast(pl.Float64).alias("x"), "reached", pl.col("at").alias("cost"), "low",
        pl.col("high").fill_null(pl.col("at")),
    )  # fmt: skip
    if law.residuals.is_empty():
        return plain.select(DOTS.names()).filter(pl.col("cost") > 0)
    moved = law.residuals.select("run_id", "partial")
    both = plain.join(moved, on="run_id", maintain_order="left")
    share = pl.col("partial") / pl.col("cost")
    return (
        both.with_columns(pl.col("low") * share, pl.col("high") * share, cost=pl.col("partial"))
        .select(DOTS.names())
        .filter(pl.col("cost") > 0)
    )


def _curve(law: PowerLaw) -> pl.DataFrame:
    if law.fit is None or law.exponent.value is None:
        return CURVE.to_frame()
    values = np.geomspace(*law.span, _STEPS)
    told = [(float(value), law.predict(float(value))) for value in values]
    rows = [(value, one.value, one.low, one.high) for value, one in told]
    return pl.DataFrame(rows, schema=CURVE, orient="row")


def _sentence(law: PowerLaw, x: str, unit: str) -> str:
    found = law.exponent
    if found.value is None:
        return f"No power law of {x} is read: {found.missing}."
    span = f"from {law.span[0]:.4g} to {law.span[1]:.4g}"
    less = "falls" if found.value < 0 else "grows"
    return (
        f"The cost in {unit} {less} as {x} to the power of {found.value:.2g}{_ends(found)} {span}; "
        f"{law.reached} of {law.runs} runs are there, the others counted in."
    )


def _half_way(costs: pl.DataFrame, x: str, budget: float) -> str:
    try:
        found = threshold(above_zero(costs, x), x=x, budget=budget)
    except VariableError as refused:
        return f"Where half of the runs get there within the budget cannot be told: {refused}."
    if found.value is None:
        return f"Where half of the runs get there within the budget cannot be told: {found.missing}."
    warned = f" ({found.missing})" if found.missing else ""
    return f"Half of the runs get there within the budget at {x} = {found.value:.3g}{_ends(found)}{warned}."


def above_zero(costs: pl.DataFrame, *names: str) -> pl.DataFrame:
    """Return the runs where variables of numbers that are 0 in some and above in others are above 0.

    Between no weight decay and a little lies no place on a log axis, which the others want.
    """
    for name in names:
        if costs[name].dtype.is_numeric() and costs[name].min() == 0 and costs[name].max() != 0:
            costs = costs.filter(pl.col(name) > 0)
    return costs


def _ends(found: Estimate) -> str:
    if found.low is None and found.high is None:
        return ""
    low, high = ("…" if end is None else f"{end:.3g}" for end in (found.low, found.high))
    return f" [{low}, {high}]"
