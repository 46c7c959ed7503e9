"""Forecasts of a live run: shown where they beat the params, hidden with the numbers where they do not."""

from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from grokscope.interventions.forecast.calibration import calibrate, leave_one_configuration_out
from grokscope.interventions.forecast.history import History
from grokscope.interventions.forecast.landmark_model import at_risk
from grokscope.interventions.forecast.landmarks import at_landmark, followed_metrics
from grokscope.interventions.forecast.live_forecast import forecast
from grokscope.interventions.outcomes.target import Target

SWEEP = Path(__file__).parents[2] / "data" / "sweep.parquet"
TARGET = Target.parse("test/accuracy>=0.9")
BUDGET = 4000.0
LIVE = "r31"


@cache
def simulated(seed, *, signal):
    """Runs whose delay is a matter of luck, which the loss shows early where there is a signal."""
    rng = np.random.default_rng(seed)
    steps = np.unique(np.geomspace(10, BUDGET, 40).astype(int))
    frames, params = [], []
    for run in range(32):
        decay, rate, luck = [0.1, 0.3, 1.0, 3.0][run % 4], [1, 2, 4][run // 4 % 3], rng.normal()
        rises = 2500 * decay**-0.3 * np.exp(0.8 * luck)
        loss = np.exp(1 + (-0.1 * luck * signal + 0.02 * rng.normal(size=len(steps))) * np.log(steps / 10))
        both = {"test/accuracy": (steps >= rises).astype(float), "test/loss": loss}
        frames += [
            pl.DataFrame({"metric": m, "step": steps, "value": v}).with_columns(run_id=pl.lit(f"r{run}"))
            for m, v in both.items()
        ]
        params.append((f"r{run}", decay, rate, run))
    return pl.concat(frames), pl.DataFrame(params, schema=["run_id", "decay", "rate", "seed"], orient="row")


@cache
def forecast_of(seed, *, signal, spent=500, budget=BUDGET):
    curves, params = simulated(seed, signal=signal)
    is_live = pl.col("run_id") == LIVE
    history = History(curves=curves.filter(~is_live), params=params.filter(~is_live), target=TARGET)
    live = curves.filter(is_live & (pl.col("step") <= spent))
    return forecast(history, live, params=params.filter(is_live), budget=budget)


def test_a_finished_run_that_diverged_has_missed_the_target_and_is_at_risk_until_then_only():
    curves, params = simulated(0, signal=True)
    is_late = (pl.col("run_id") == "r0") & (pl.col("step") > 300)
    last = pl.col("step") == pl.col("step").min()
    broken = pl.concat(
        (
            curves.filter(~is_late),
            curves.filter(is_late).filter(last.over("metric")).with_columns(value=float("nan")),
        )
    )
    history = History(curves=broken, params=params, target=TARGET)
    place = history.runs.index("r0")
    assert (history.at.low[place], history.at.reached[place]) == (np.inf, False)
    before, after = at_risk(history, [200.0, 1000.0])
    assert place in before.runs
    assert place not in after.runs
    scored, _ = leave_one_configuration_out(history, [before], BUDGET)
    assert scored.filter(run_id="r0")["reached"].to_list() == [False]


def reached_in_time(seed, *, signal):
    curves, _ = simulated(seed, signal=signal)
    return (
        curves.filter((pl.col("run_id") == LIVE) & (pl.col("metric") == "test/accuracy"))["value"].max()
        == 1.0
    )


def test_curves_that_show_the_delay_early_give_a_forecast_that_beats_the_params_and_is_right():
    for seed in range(2):
        found = forecast_of(seed, signal=1.0)
        assert found.hidden is None
        assert found.calibration.brier < 0.5 * found.calibration.baseline_brier
        assert (found.chance.value > 0.5) == reached_in_time(seed, signal=1.0)
        assert found.chance.low <= found.chance.value <= found.chance.high


def test_curves_that_show_nothing_give_no_forecast_and_the_numbers_say_why():
    for seed in range(2):
        found = forecast_of(seed, signal=0.0)
        assert found.chance.value is None
        assert found.hidden.startswith("On configurations left out the forecast's Brier score is 0.")
        assert 0.0 < found.baseline < 1.0
        assert found.chance.missing == found.remaining.missing == found.hidden


def test_what_is_left_to_spend_is_a_median_with_quartiles_that_stay_within_the_budget():
    found = forecast_of(1, signal=1.0)
    left = found.remaining
    assert 0 < left.low < left.value < left.high <= BUDGET - found.spent
    late = forecast_of(0, signal=1.0)
    assert (late.remaining.value, late.remaining.high) == (None, None)
    assert late.remaining.missing.endswith("so later quantiles lie behind it.")


def test_on_our_own_sweep_the_grid_of_params_tells_all_and_the_forecast_is_hidden():
    sweep = pl.read_parquet(SWEEP).rename({"run": "run_id"})
    names = ["run_id", "seed", "intervention.regularization.weight_decay", "intervention.data.fraction"]
    params = sweep.select(names).unique().sort(names)
    mine = params.filter((pl.col(names[2]) == 0.3) & (pl.col(names[3]) == 0.5))
    is_mine = pl.col("run_id").is_in(mine["run_id"].implode())
    target = Target.parse("test/accuracy>=0.95")
    history = History(curves=sweep.filter(~is_mine), params=params.filter(~is_mine), target=target)
    live = sweep.filter((pl.col("run_id") == mine["run_id"][0]) & (pl.col("step") <= 400))
    found = forecast(history, live, params=mine.head(1), budget=4000.0)
    assert len(set(history.configurations)) == 14
    assert "the curves add nothing that is sure, so no chance is shown." in found.hidden
    assert found.calibration.baseline_brier < 0.25 * found.calibration.prevalence_brier


@pytest.mark.parametrize(
    ("spent", "budget", "reason"),
    [
        (500, 400.0, "The run has spent 465 of a budget of 400: nothing is left to forecast."),
        (500, 1e6, "needs 8 runs, 4 configurations and 3 of each."),
    ],
)
def test_what_cannot_be_forecast_is_refused_with_its_numbers(spent, budget, reason):
    assert forecast_of(0, signal=1.0, spent=spent, budget=budget).hidden.endswith(reason)


def test_a_run_that_is_there_needs_no_forecast():
    found = forecast_of(1, signal=1.0, spent=BUDGET)
    assert found.hidden.startswith("The run has reached test/accuracy>=0.9 already, between ")


def test_what_comes_after_a_landmark_changes_nothing_at_it():
    curves, params = simulated(0, signal=1.0)
    runs, curves = params["run_id"].to_list(), curves.with_columns(cost=pl.col("step").cast(pl.Float64))
    metrics = followed_metrics(curves, TARGET)
    whole = at_landmark(curves, runs, metrics, 300.0)
    cut = at_landmark(curves.filter(pl.col("step") <= 300), runs, metrics, 300.0)
    np.testing.assert_array_equal(whole.features, cut.features)
    assert whole.known.all()


def test_a_configuration_is_forecast_without_its_own_ends():
    curves, params = simulated(0, signal=1.0)
    held_out = params.filter((pl.col("decay") == 1.0) & (pl.col("rate") == 2))["run_id"].to_list()
    is_end = (
        pl.col("run_id").is_in(held_out) & (pl.col("metric") == "test/accuracy") & (pl.col("step") > 1000)
    )
    other = curves.with_columns(value=pl.when(is_end).then(1 - pl.col("value")).otherwise("value"))

    def chances(frame):
        history = History(curves=frame, params=params, target=TARGET)
        scored, _ = leave_one_configuration_out(history, at_risk(history, [250.0]), BUDGET)
        return scored.filter(pl.col("run_id").is_in(held_out)).select("run_id", "chance", "baseline")

    assert len(chances(curves)) > 1
    assert chances(curves).equals(chances(other))


def test_the_gain_is_a_mean_over_configurations_however_many_runs_each_has():
    few = [("a", "one", 10.0, True, 0.8, 0.5, 0.5), ("b", "two", 10.0, True, 0.5, 0.8, 0.5)]
    schema = ["run_id", "configuration", "landmark", "reached", "chance", "baseline", "prevalence"]
    once = calibrate(pl.DataFrame(few, schema=schema, orient="row"))
    often = calibrate(pl.DataFrame([few[0]] * 9 + [few[1]], schema=schema, orient="row"))
    assert once.gain.value == pytest.approx(0.0)
    assert often.gain.value == pytest.approx(0.0)
    assert often.brier < often.baseline_brier
    assert not often.beats_baseline
