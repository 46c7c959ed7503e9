"""What steps are worth in loss: between planned budgets, and within runs, two rates that are never mixed.

Within an annealed run the loss falls fast towards the end, whatever the length: a step less of the same run
costs more loss than planning a step less. Which rate is meant must be said with the number.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import stdtrit

from grokscope.interventions.designs.axis import VariableError
from grokscope.interventions.estimate import Estimate
from grokscope.schemas import GrokscopeError

FloatArray = NDArray[np.float64]

FINALS = pl.Schema({"run_id": pl.String(), "planned": pl.Float64(), "value": pl.Float64()})
"""Columns that ``between_budgets`` needs beside the method's: what each run planned and where it ended."""


_TO_THE_END = 0.99
"""Share of its planned steps from which on a run has gone to its end: the last evaluation may lie before."""


class Kind(StrEnum):
    """What a rate compares."""

    BETWEEN = "between planned budgets"
    WITHIN = "within runs"


class RateError(GrokscopeError):
    """Rates of different kinds that were to be mixed, or a rate that cannot be read off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRate:
    """How much the metric falls as more is spent.

    Attributes:
        kind: What is compared.
        rate: Fall of the metric for each ``per`` of compute.
        per: In the unit of the costs.
        runs, methods: How many it rests on.
        sentence: The rate in words, with its kind.
    """

    kind: Kind
    rate: Estimate
    per: float
    runs: int
    methods: int
    sentence: str

    def to_json(self) -> dict[str, str | float | None]:
        """Return what JSON takes."""
        rate = self.rate
        return {
            "kind": self.kind.value,
            "rate": rate.value,
            "low": rate.low,
            "high": rate.high,
            "per": self.per,
            "runs": self.runs,
            "methods": self.methods,
            "missing": rate.missing,
        }

    def compute_for(self, gain: float, kind: Kind) -> float | None:
        """Return what a fall of the metric by ``gain`` costs in compute; ``None`` if that cannot be told.

        Raises:
            RateError: If ``kind`` is not the kind of this rate.
        """
        if kind != self.kind:
            raise RateError(
                f"a rate {self.kind} was asked for one {kind}; these are two numbers, never mixed"
            )
        return None if not self.rate.value or self.rate.value <= 0 else gain / self.rate.value * self.per


def between_budgets(
    finals: pl.DataFrame, *, by: str, per: float = 100.0, level: float = 0.95
) -> ExchangeRate:
    """Return how much lower runs end that planned more, the method being the same.

        value = α_method - rate · planned + ε,  least squares with a level of its own for each method

    Only methods that were run at two or more budgets count. The interval is Student's, with n - methods - 1
    degrees of freedom.

    Args:
        finals: ``FINALS`` and the column of the method: one row a run that went to its planned end.
        by: Name of the method's column.
        per: Compute that the rate is told for.
        level: Of the interval.

    Raises:
        VariableError: If a column is missing.

    >>> finals = pl.DataFrame({"run_id": ["a", "b", "c", "d"], "planned": [100.0, 100.0, 200.0, 200.0]})
    >>> finals = finals.with_columns(method=pl.lit("m"), value=pl.Series([3.0, 3.2, 2.8, 3.0]))
    >>> round(between_budgets(finals, by="method").rate.value, 3)
    0.2
    """
    _check(finals, (*FINALS, by))
    known = finals.filter(pl.col("value").is_finite() & pl.col("planned").is_not_null())
    known = known.filter(pl.col("planned").n_unique().over(by) > 1)
    methods = known[by].n_unique()
    of_method = known.select(
        x=(pl.col("planned") - pl.col("planned").mean().over(by)) / per,
        y=pl.col("value") - pl.col("value").mean().over(by),
    )
    x, y = of_method["x"].to_numpy(), of_method["y"].to_numpy()
    freedom = len(x) - methods - 1
    if not methods or freedom < 1:
        reason = "no method was run at two budgets often enough; run one at another budget, with its seeds"
        rate = Estimate(value=None, level=level, missing=reason)
    else:
        slope = float(x @ y / (x @ x))
        error = float(np.sqrt(np.sum((y - slope * x) ** 2) / freedom / (x @ x)))
        rate = _student(-slope, error, freedom, level)
    return _told(Kind.BETWEEN, rate, per, runs=len(x), methods=methods)


def within_runs(
    curves: pl.DataFrame, *, by: str, window: float = 100.0, per: float = 100.0, level: float = 0.95
) -> ExchangeRate:
    """Return how fast the metric falls at the end of runs.

    Of each run: from its latest evaluation at least ``window`` before its last to that last one, for each
    ``per``. Runs of a method are no independent witnesses of it: the rate is the mean of the methods' means,
    its interval Student's over methods (over runs where there is one method).

    Args:
        curves: ``CURVES`` of one metric, and the column of the method.
        by: Name of the method's column.
        window: How far back the fall is measured, in steps: the rate hangs on it, so it is told.
        per: Compute that the rate is told for, in steps.
        level: Of the interval.

    Raises:
        VariableError: If a column is missing.
        RateError: If the curves hold several metrics.

    >>> curves = pl.DataFrame({"run_id": ["a"] * 3 + ["b"] * 3, "step": [0, 100, 200] * 2, "metric": "loss"})
    >>> curves = curves.with_columns(method=pl.lit("m"), value=pl.Series([5.0, 3.0, 2.0, 5.0, 3.0, 2.2]))
    >>> round(within_runs(curves, by="method").rate.value, 3)
    0.9
    """
    _check(curves, ("run_id", "step", "value", "metric", by))
    if curves["metric"].n_unique() > 1:
        raise RateError(f"a rate is of one metric, got {', '.join(curves['metric'].unique().sort())}")
    known = curves.filter(pl.col("value").is_finite()).sort("run_id", "step")
    last = pl.col("step").last()
    earlier = pl.col("step") <= last - window
    falls = (
        known.group_by("run_id")
        .agg(
            pl.col(by).first().alias("method"),
            (last - pl.col("step").filter(earlier).last()).alias("steps"),
            (pl.col("value").filter(earlier).last() - pl.col("value").last()).alias("fall"),
        )
        .drop_nulls()
        .select("method", rate=pl.col("fall") / pl.col("steps") * per)
    )
    methods = falls.group_by("method", maintain_order=True).agg(pl.col("rate").mean())
    rates = (methods if len(methods) > 1 else falls)["rate"].to_numpy()
    if len(rates) < 2:  # noqa: PLR2004
        reason = f"{len(falls)} of the runs reach back {window:g} steps; two are needed for an interval"
        rate = Estimate(value=float(rates[0]) if len(rates) else None, level=level, missing=reason)
    else:
        rate = _student(
            float(np.mean(rates)), float(np.std(rates, ddof=1)) / len(rates) ** 0.5, len(rates) - 1, level
        )
    return _told(Kind.WITHIN, rate, per, runs=len(falls), methods=len(methods), window=window)


def exchange_rates(
    curves: pl.DataFrame, runs: pl.DataFrame, *, is_upward: bool
) -> tuple[ExchangeRate, ExchangeRate]:
    """Return both rates of groups of runs, a group being a method: between planned budgets, and within runs.

    Args:
        curves: ``CURVES`` of one metric.
        runs: ``run_id``, ``group``, and ``planned`` in steps where it is known.
        is_upward: High values are good: then a rate is of the rise.
    """
    value = -pl.col("value") if is_upward else pl.col("value")
    planned = pl.col("planned") if "planned" in runs.columns else pl.lit(None)
    known = runs.select("run_id", "group", planned.cast(pl.Float64, strict=False).alias("planned"))
    mine = curves.with_columns(value.alias("value")).join(known, on="run_id").sort("run_id", "step")
    ends = mine.group_by("run_id", maintain_order=True).last()
    whole = ends.filter(pl.col("step") >= _TO_THE_END * pl.col("planned"))
    return between_budgets(whole, by="group"), within_runs(mine, by="group")


def _check(frame: pl.DataFrame, names: tuple[str, ...]) -> None:
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise VariableError(f"no column {missing[0]!r} in these runs; they have {', '.join(frame.columns)}")


def _student(value: float, error: float, freedom: int, level: float) -> Estimate:
    reach = float(stdtrit(freedom, (1 + level) / 2)) * error
    method = f"Student, {freedom} degrees of freedom"
    return Estimate(value=value, low=value - reach, high=value + reach, level=level, method=method)


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _told(  # noqa: PLR0913 - what a record is made of, by keyword
    kind: Kind, rate: Estimate, per: float, *, runs: int, methods: int, window: float | None = None
) -> ExchangeRate:
    if rate.value is None:
        sentence = f"No rate {kind}: {rate.missing}."
    else:
        ends = "" if rate.low is None else f" [{rate.low:.2g}, {rate.high:.2g}]"
        where = "" if window is None else f", over the last {window:g} steps"
        sentence = f"{rate.value:.2g}{ends} for {per:g} steps {kind}{where} ({_counted(runs, 'run')}, "
        sentence += f"{_counted(methods, 'method')})."
    return ExchangeRate(kind=kind, rate=rate, per=per, runs=runs, methods=methods, sentence=sentence)
