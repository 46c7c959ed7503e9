"""Exponents: recovered with unreached runs counted, refused where a premise fails."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from grokscope.interventions.designs.axis import VariableError
from grokscope.interventions.laws.delay import delays
from grokscope.interventions.laws.power_law import RESIDUALS, power_law
from grokscope.interventions.outcomes.costs import costs_of
from grokscope.interventions.outcomes.target import Target

SWEEP = Path(__file__).parents[2] / "data" / "sweep.parquet"
WD = "intervention.regularization.weight_decay"


def runs_of(log_cost, x, *, limit=np.inf, grid=20.0, **columns):
    high = np.ceil(np.exp(log_cost) / grid) * grid
    reached = high <= limit
    told = {"run_id": [str(i) for i in range(len(x))], "x": x, "reached": reached, **columns}
    return pl.DataFrame(told).with_columns(
        low=pl.Series(np.where(reached, high - grid, limit)),
        high=pl.when(pl.Series(reached)).then(pl.Series(high)),
        spent=pl.Series(np.where(reached, high, limit)),
    )


def simulated(seed, *, exponent=-0.757, seeds=5, spread=0.3, limit=np.inf):
    x = np.repeat([0.1, 0.3, 1.0, 3.0], seeds)
    noise = spread * np.random.default_rng(seed).normal(size=len(x))
    return runs_of(6.5 + exponent * np.log(x) + noise, x, limit=limit)


def test_an_exponent_without_noise_is_found():
    law = power_law(simulated(0, spread=1e-3), x="x")
    assert law.exponent.value == pytest.approx(-0.757, abs=0.02)
    assert (law.runs, law.reached, law.span) == (20, 20, (0.1, 3.0))


def test_the_interval_covers_the_exponent_where_a_quarter_of_the_runs_have_not_reached_the_target():
    laws = [power_law(simulated(seed, limit=2500), x="x") for seed in range(24)]
    covered = [law.exponent.low <= -0.757 <= law.exponent.high for law in laws]
    assert sum(covered) >= 20  # 23 expected; fewer than 20 once in 170 at 95 %
    assert np.mean([law.reached for law in laws]) < 17


def test_dropping_runs_that_have_not_reached_it_flattens_the_exponent_and_by_how_much_is_told():
    laws = [power_law(simulated(seed, limit=3000, spread=0.4), x="x") for seed in range(10)]
    kept = np.mean([law.exponent.value for law in laws])
    dropped = np.mean([law.dropping.value for law in laws])
    assert kept == pytest.approx(-0.757, abs=0.08)
    assert dropped > kept + 0.05
    assert laws[0].bias == pytest.approx(laws[0].dropping.value - laws[0].exponent.value)


def test_runs_are_compared_within_groups_where_they_are_named():
    x, group = np.tile([0.1, 0.3, 1.0, 3.0], 8), np.repeat(["a", "b"], 16)
    # The slow group has more of the large values: without groups the exponent is wrong.
    x[16:] *= 10
    told = runs_of(6 - 0.5 * np.log(x) + np.where(group == "b", 3.0, 0.0), x, arm=group)
    assert power_law(told, x="x", within=["arm"]).exponent.value == pytest.approx(-0.5, abs=0.05)
    assert power_law(told, x="x").exponent.value > -0.2


def test_residuals_are_what_the_fit_leaves_and_partial_costs_follow_the_line():
    law = power_law(simulated(1, limit=2500), x="x")
    assert law.residuals.schema == RESIDUALS
    line = law.predict(1.0).value * law.residuals["x"].to_numpy() ** law.exponent.value
    middle = law.residuals.select(pl.mean_horizontal("residual_low", "residual_high")).to_series().to_numpy()
    reached = law.residuals["reached"].to_numpy()
    assert np.log(law.residuals["partial"] / line).to_numpy()[reached] == pytest.approx(middle[reached])
    assert (law.residuals["residual_high"].is_null() == ~law.residuals["reached"]).all()


def test_a_prediction_beyond_the_values_tried_is_warned_of():
    law = power_law(simulated(2), x="x")
    inside, beyond = law.predict(1.0), law.predict(10.0)
    assert inside.low < np.exp(6.5) < inside.high
    assert inside.missing is None
    assert beyond.missing == "extrapolated: x was tried from 0.1 to 3"
    assert beyond.high / beyond.low > inside.high / inside.low
    assert law.predict(0.0).value is None


@pytest.mark.parametrize(
    ("costs", "reason"),
    [
        (
            simulated(0).filter(pl.col("x") < 0.5),
            "runs reach the target at 2 values of x above 0; 3 are needed",
        ),
        (simulated(0).with_columns(pl.col("x").log10() + 3), "x spans 0.24 decades; 0.5 are needed"),
        (
            simulated(0, seeds=2, limit=800),
            "4 of 8 runs have reached the target; half of them and 6 are needed",
        ),
        (simulated(0).clear(), "0 of 0 runs have reached the target"),
    ],
)
def test_the_law_is_refused_with_the_premise_that_fails(costs, reason):
    law = power_law(costs, x="x")
    assert law.exponent.value is None
    assert reason in law.exponent.missing
    assert law.fit is None
    assert law.predict(1.0).missing == law.exponent.missing


def test_a_cost_that_turns_has_no_exponent():
    x = np.repeat([0.1, 0.3, 1.0, 3.0, 10.0], 4)
    noise = 0.1 * np.random.default_rng(0).normal(size=20)
    law = power_law(runs_of(6 + 0.4 * np.log(x) ** 2 + noise, x), x="x")
    assert law.exponent.value is None
    assert law.exponent.missing.startswith("cost turns at x = 1")


def test_a_cost_that_bends_keeps_its_exponent_and_a_caveat():
    x = np.repeat([0.1, 0.3, 1.0, 3.0], 5)
    noise = 0.1 * np.random.default_rng(0).normal(size=20)
    law = power_law(runs_of(np.logaddexp(7 - 1.2 * np.log(x), 6.5) + noise, x), x="x")
    assert law.exponent.value < -0.4
    assert law.caveats[0].startswith("the law bends (p = ")


def test_runs_at_0_have_no_logarithm_and_are_said_to_be_left_out():
    costs = pl.concat([simulated(0), simulated(1, seeds=1).with_columns(x=0.0)])
    law = power_law(costs, x="x")
    assert law.runs == 20
    assert law.caveats[0] == "4 runs where x is 0 or missing have no logarithm and are left out"


def test_columns_that_are_not_there_are_refused():
    with pytest.raises(VariableError, match="no column 'lr'"):
        power_law(simulated(0), x="lr")
    with pytest.raises(VariableError, match="no column 'arm'"):
        power_law(simulated(0), x="x", within=["arm"])


def test_a_delay_is_counted_from_memorization_and_those_without_it_are_left_out():
    end = pl.DataFrame(
        {"run_id": ["a", "b", "c"], "reached": [True, False, True], "high": [100.0, None, 30.0]}
    )
    end = end.with_columns(low=pl.Series([90.0, 500.0, 20.0]), spent=pl.lit(500.0))
    begin = end.head(2).with_columns(reached=True, low=pl.lit(10.0), high=pl.lit(20.0))
    assert delays(end, begin).select("run_id", "low", "high", "spent").rows() == [
        ("a", 70.0, 90.0, 480.0),
        ("b", 480.0, None, 480.0),
    ]


def test_recorded_runs_have_an_exponent_at_half_of_the_data_and_none_where_few_generalize():
    curves = pl.read_parquet(SWEEP).rename({"run": "run_id"})
    params = curves.group_by("run_id").agg(pl.first(WD, "intervention.data.fraction"))
    end = costs_of(curves, Target.parse("test/accuracy>=0.9", sustained=True)).join(params, on="run_id")
    delayed = delays(end, costs_of(curves, Target.parse("train/accuracy>=0.99", sustained=True)))
    every = power_law(delayed, x=WD, within=["intervention.data.fraction"])
    assert every.exponent.missing == "10 of 24 runs have reached the target; half of them and 6 are needed"
    half = power_law(delayed.filter(pl.col("intervention.data.fraction") == 0.5), x=WD)
    assert -1.2 < half.exponent.low < half.exponent.value < half.exponent.high < -0.3
    assert any(caveat.startswith("the law bends") for caveat in half.caveats)
