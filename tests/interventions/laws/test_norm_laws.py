"""Laws that rest on a norm that contracts: their premise in each run, and what they find where it holds."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from grokscope.interventions.designs.axis import VariableError
from grokscope.interventions.laws.contraction import Window, contraction
from grokscope.interventions.laws.delay import delays
from grokscope.interventions.laws.norm_laws import Rates, first_passage, norm_separation
from grokscope.interventions.outcomes.costs import costs_of
from grokscope.interventions.outcomes.target import Target

SWEEP = Path(__file__).parents[2] / "data" / "sweep.parquet"
RATES = Rates(learning_rate="lr", weight_decay="wd")
KAPPA, CRITICAL = 0.8, 200.0


def simulated(seed, *, n=24, spread=0.15, end=6000, grid=50, sign=-1):
    """Runs that memorize at 100 and generalize when V, which contracts from then on, falls to V*."""
    rng = np.random.default_rng(seed)
    rate = np.tile([3e-4, 6e-4, 1e-3, 2e-3], n // 4) * np.repeat([1, 3], n // 2)
    start = np.exp(rng.uniform(np.log(400), np.log(4000), n))
    delay = np.log(start / CRITICAL) / (2 * KAPPA * rate) * np.exp(spread * rng.normal(size=n))
    high = np.ceil((delay + 100) / grid) * grid
    reached = high <= end
    runs = pl.DataFrame({"run_id": [f"{i:02}" for i in range(n)], "lr": 1e-3, "wd": rate / 1e-3})
    generalized = runs.with_columns(
        reached=pl.Series(reached),
        low=pl.Series(np.where(reached, high - grid, end)),
        high=pl.when(pl.Series(reached)).then(pl.Series(high)),
        spent=pl.lit(float(end)),
    )
    memorized = runs.with_columns(reached=True, low=99.0, high=pl.lit(100.0), spent=pl.lit(float(end)))
    steps = np.arange(0, end + 1, grid)
    log_v = np.log(start)[:, None] + sign * 2 * KAPPA * rate[:, None] * np.maximum(steps - 100, 0)
    curves = pl.DataFrame(
        {"run_id": np.repeat(runs["run_id"].to_numpy(), len(steps)), "step": np.tile(steps, n)}
    )
    curves = curves.with_columns(metric=pl.lit("weights/norm"), value=pl.Series(np.exp(log_v / 2).ravel()))
    return delays(generalized, memorized), contraction(
        curves, Window(memorized=memorized, generalized=generalized)
    )


def one_run(values, *, until=None):
    costs = pl.DataFrame({"run_id": ["a"], "reached": [True], "high": [0.0]})
    curve = pl.DataFrame(
        {"run_id": "a", "metric": "weights/norm", "step": np.arange(len(values)), "value": values}
    )
    window = Window(memorized=costs, generalized=costs.with_columns(high=pl.lit(until, pl.Float64)))
    return contraction(curve, window).row(0, named=True)


def test_a_norm_that_falls_at_one_rate_contracts():
    found = one_run(np.exp(-0.05 * np.arange(20)))
    assert found["contracts"]
    assert (found["slope"], found["r_squared"], found["log_end"]) == pytest.approx((-0.1, 1.0, -1.9))


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.exp(0.05 * np.arange(20)), "the norm grows after memorization"),
        (np.exp(-0.0005 * np.arange(20)), "log V falls by 0.019 only"),
        (np.where(np.arange(20) < 15, 3.0, 1.0), "log V does not fall in a straight line (R² = 0.56)"),
        (np.exp(-0.5 * np.arange(4)), "4 evaluations of the norm after memorization; 5 are needed"),
    ],
)
def test_why_a_norm_does_not_contract_is_told(values, reason):
    found = one_run(values)
    assert (found["contracts"], found["missing"]) == (False, reason)


def test_only_what_lies_between_memorization_and_generalization_counts():
    values = np.exp(np.concatenate([-0.05 * np.arange(10), 0.2 * np.arange(20)]))
    assert one_run(values, until=9)["contracts"]
    assert not one_run(values)["contracts"]


def test_a_metric_that_nobody_logged_is_refused():
    with pytest.raises(VariableError, match="no run has 'weights/norm' above 0"):
        one_run(np.zeros(5))


def test_the_first_passage_law_is_found_with_unreached_runs_counted():
    told = [first_passage(*simulated(seed, end=2500), RATES) for seed in range(3)]
    assert sum(law.kappa.low <= KAPPA <= law.kappa.high for law in told) >= 2
    assert sum((law.critical.low or 0) <= CRITICAL <= (law.critical.high or np.inf) for law in told) >= 2
    assert all(law.runs > law.predicted["reached"].sum() for law in told)


def test_the_law_predicts_each_delay_as_its_formula_says():
    delayed, judged = simulated(3)
    law = first_passage(delayed, judged, RATES)
    both = law.predicted.join(judged, on="run_id").join(delayed.select("run_id", "lr", "wd"), on="run_id")
    expected = (both["log_start"] - np.log(law.critical.value)) / (
        2 * law.kappa.value * both["lr"] * both["wd"]
    )
    assert both["predicted"].to_numpy() == pytest.approx(expected.to_numpy())


def test_norm_separation_has_an_exponent_of_one_and_tells_how_fast_the_norm_contracts():
    law = norm_separation(*simulated(0), RATES)
    assert law.kappa == pytest.approx(KAPPA)
    assert law.constant.value == pytest.approx(1 / (2 * KAPPA), rel=0.03)
    assert law.exponent.low < 1 < law.exponent.high


def test_both_laws_are_refused_where_the_norm_grows():
    delayed, judged = simulated(0, sign=1)
    for law in (
        first_passage(delayed, judged, RATES).kappa,
        norm_separation(delayed, judged, RATES).constant,
    ):
        assert law.value is None
        assert law.missing.startswith(
            "the norm contracts exponentially in 0 of 24 runs that memorized; it grows in 24"
        )


def test_both_laws_are_refused_of_a_few_runs():
    delayed, judged = simulated(0)
    law = first_passage(delayed.head(4), judged.head(4), RATES)
    assert "6 runs and a factor of 2 are needed" in law.kappa.missing


def test_recorded_runs_whose_norm_grows_through_generalization_are_refused():
    curves = pl.read_parquet(SWEEP).rename({"run": "run_id"})
    names = {"lr": "intervention.protocol.lr", "wd": "intervention.regularization.weight_decay"}
    params = curves.group_by("run_id").agg(pl.first(name).alias(short) for short, name in names.items())
    end = costs_of(curves, Target.parse("test/accuracy>=0.9", sustained=True))
    begin = costs_of(curves, Target.parse("train/accuracy>=0.99", sustained=True))
    judged = contraction(curves, Window(memorized=begin, generalized=end))
    law = first_passage(delays(end, begin).join(params, on="run_id"), judged, RATES)
    assert law.kappa.missing.startswith("the norm contracts exponentially in 0 of 30 runs")
