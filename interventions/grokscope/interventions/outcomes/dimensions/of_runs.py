"""The five dimensions of the outcome of each run, from what was logged; what cannot be computed says why."""

from collections.abc import Iterable, Iterator

import polars as pl

from grokscope.interventions.outcomes.costs import STEPS, costs_of
from grokscope.interventions.outcomes.dimensions.dynamics import dynamics_rows
from grokscope.interventions.outcomes.dimensions.levels import held_shares, last_values
from grokscope.interventions.outcomes.dimensions.record import Dimension, Outcome
from grokscope.interventions.outcomes.dimensions.shift import UsualSet, shift_rows
from grokscope.interventions.outcomes.target import Target
from grokscope.schemas import Verdict

COUNTED = {
    "examples": Dimension.DATA,
    "tokens": Dimension.DATA,
    "flops": Dimension.COMPUTE,
    STEPS: Dimension.COMPUTE,
    "seconds": Dimension.COMPUTE,
}
"""What a target is counted in, and of which dimension that is."""

LOG_PROBABILITY = "log_probability_q50"


def dimensions_of(curves: pl.DataFrame, target: Target, *, verdicts: Iterable[Verdict] = ()) -> pl.DataFrame:
    """Return the outcomes of each run, as ``DIMENSIONS``.

    Args:
        curves: ``CURVES`` under the names of ``grokscope.schemas``, with a column for each unit that was
            counted (``outcomes.units.with_units`` makes them).
        target: The level to reach, on the held-out curve that a run is judged by.
        verdicts: Of these runs; of a run without one, nothing is told of its dynamics.

    Returns:
        Rows for every run that has the target's metric, sorted by run; every run has every outcome.

    >>> curves = pl.DataFrame({"step": [1, 2, 3, 4], "value": [0.1, 0.9, 0.9, 0.9]})
    >>> curves = curves.with_columns(run_id=pl.lit("a"), metric=pl.lit("test/accuracy"))
    >>> found = dimensions_of(curves, Target.parse("test/accuracy>=0.9"))
    >>> found.filter(outcome="steps to target").select("dimension", "value", "low", "high").row(0)
    ('compute efficiency', 2.0, 1.0, 2.0)
    >>> found.filter(outcome="tokens to target")["missing"].item()
    'no tokens were counted'
    """
    runs = curves.filter(pl.col("metric") == target.metric).select("run_id").unique().sort("run_id")
    usual = UsualSet.of(curves, target)
    parts = [
        *_quality(curves, runs, usual),
        *(_cost(curves, runs, usual, unit) for unit in COUNTED),
        *shift_rows(curves, runs, usual),
        *dynamics_rows(runs, verdicts),
        _stability(curves, runs, usual),
    ]
    return pl.concat(parts).sort("run_id", maintain_order=True)


def _quality(curves: pl.DataFrame, runs: pl.DataFrame, usual: UsualSet) -> Iterator[pl.DataFrame]:
    """Yield the level that was held, the last one, and the median log-probability of the right answer."""
    metric = usual.target.metric
    split = metric.rpartition("/")[0]
    log_probability = f"{split}/{LOG_PROBABILITY}" if split else LOG_PROBABILITY
    found = {
        ("sustained level", metric, "fewer than three evaluations"): usual.levels,
        ("last level", metric, "no finite evaluation"): last_values(curves, metric),
        ("median log-probability", log_probability, f"{log_probability} was not logged"): last_values(
            curves, log_probability
        ),
    }
    for (name, curve, why), values in found.items():
        unit = "nats" if curve == log_probability else "1"
        outcome = Outcome(dimension=Dimension.QUALITY, name=name, curve=curve, unit=unit, why=why)
        yield outcome.rows(runs, values)


def _cost(curves: pl.DataFrame, runs: pl.DataFrame, usual: UsualSet, unit: str) -> pl.DataFrame:
    """Return what each run spent until it reached the target; of one that has not, what it has spent."""
    target = usual.target
    outcome = Outcome(
        dimension=COUNTED[unit],
        name=f"{unit} to target",
        curve=target.metric,
        unit=unit,
        why=f"no {unit} were counted",
    )
    if unit != STEPS and unit not in curves.columns:
        return outcome.rows(runs, pl.DataFrame(schema={"run_id": pl.String, "value": pl.Float64}))
    costs = usual.costs if unit == STEPS else costs_of(curves, target, unit=unit)
    reason = pl.format(
        "{} not reached after {} " + unit, pl.lit(str(target)), pl.col("spent").round_sig_figs(4)
    )
    return outcome.rows(
        runs,
        costs.select("run_id", "low", "high", value="high", missing=pl.when(~pl.col("reached")).then(reason)),
    )


def _stability(curves: pl.DataFrame, runs: pl.DataFrame, usual: UsualSet) -> pl.DataFrame:
    """Return the share of evaluations that hold the target since it was reached."""
    outcome = Outcome(
        dimension=Dimension.DYNAMICS,
        name="stability",
        curve=usual.target.metric,
        unit="1",
        why="the target was not reached",
    )
    return outcome.rows(runs, held_shares(curves, usual.target, usual.costs))
