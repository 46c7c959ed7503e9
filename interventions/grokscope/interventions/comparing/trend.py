"""How the cost follows a param that is a number: the exponent of a power law, unfinished runs counted in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from grokscope.interventions.designs.axis import VariableError
from grokscope.interventions.estimate import Estimate
from grokscope.interventions.laws.power_law import power_law


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """Cost against a param.

    Attributes:
        param: Its name.
        exponent: b where the cost goes as the param to the power of b; without a number, and with the
            reason, where that is no law here.
        low, high: The smallest and the largest value that was tried.
        caveats: What to know before reading it.
    """

    param: str
    exponent: Estimate
    low: float
    high: float
    caveats: tuple[str, ...] = ()

    def sentence(self, unit: str) -> str:
        """Return the trend in words."""
        found, span = self.exponent, f"over {self.param} {self.low:,.6g} to {self.high:,.6g}"
        if found.value is None:
            return f"No power law is read {span}: {found.missing}."
        known = found.low is not None and found.high is not None
        ends = f" [{found.low:.2g}, {found.high:.2g}]" if known else ""
        told = f"The {unit} go as {self.param} to the power of {found.value:.2g}{ends} {span}"
        return f"{told} ({'; '.join(self.caveats)})." if self.caveats else f"{told}."

    def to_json(self) -> dict[str, Any]:
        """Return what JSON takes."""
        return {
            "param": self.param,
            "exponent": self.exponent.value,
            "low": self.exponent.low,
            "high": self.exponent.high,
            "missing": self.exponent.missing,
            "caveats": list(self.caveats),
        }


def trend_of(
    costs: pl.DataFrame, runs: pl.DataFrame, *, param: str, within: Sequence[str], called: str
) -> Trend | None:
    """Return how costs follow a param; ``None`` where it is no number above 0 of two values or more.

    Args:
        costs: ``COSTS``.
        runs: ``run_id`` and a column a param.
        param: Which one.
        called: What to call it.
        within: Params that differ within groups and whose combinations are compared each by itself.
    """
    if not runs[param].dtype.is_numeric():
        return None
    told = runs.select("run_id", pl.col(param).cast(pl.Float64).alias(called), *within)
    known = costs.join(told, on="run_id", maintain_order="left")
    positive = known[called].filter(known[called] > 0)
    if positive.n_unique() < 2:  # noqa: PLR2004 - one value has no trend
        return None
    try:
        law = power_law(known, x=called, within=within)
    except VariableError:
        return None
    return Trend(param=called, exponent=law.exponent, low=law.span[0], high=law.span[1], caveats=law.caveats)
