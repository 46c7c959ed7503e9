"""What steps are worth in loss: between budgets and within runs, never mixed."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import stats

from grokscope.interventions.designs.axis import VariableError
from grokscope.interventions.designs.exchange_rate import Kind, RateError, between_budgets, within_runs

SPEEDRUN = Path(__file__).parents[3].parent / "shared" / "data" / "interventions" / "speedrun_track3.parquet"


def finals(rng, methods=4, seeds=5):
    planned = np.tile(np.repeat([1000.0, 1200.0], seeds), methods)
    method = np.repeat(np.arange(methods), 2 * seeds)
    value = 3.3 + 0.1 * method - 4.5e-5 * planned + 0.001 * rng.normal(size=len(planned))
    frame = pl.DataFrame({"method": method, "planned": planned, "value": value})
    return frame.with_columns(run_id=pl.int_range(pl.len()).cast(pl.String))


def curves(*runs, step=25):
    rows = [
        (str(run), method, "loss", step * place, value)
        for run, (method, values) in enumerate(runs)
        for place, value in enumerate(values)
    ]
    return pl.DataFrame(rows, schema=["run_id", "method", "metric", "step", "value"], orient="row")


def test_between_budgets_equals_least_squares_with_a_level_for_each_method():
    told = finals(np.random.default_rng(0))
    rate = between_budgets(told, by="method").rate
    design = np.column_stack([told["method"].to_numpy()[:, None] == np.arange(4), told["planned"] / 100])
    beta, rest, *_ = np.linalg.lstsq(design.astype(float), told["value"].to_numpy(), rcond=None)
    error = np.sqrt(rest[0] / 35 * np.linalg.inv(design.T.astype(float) @ design)[-1, -1])
    reach = stats.t.ppf(0.975, 35) * error
    assert (rate.value, rate.low, rate.high) == pytest.approx(
        (-beta[-1], -beta[-1] - reach, -beta[-1] + reach)
    )


def test_the_interval_between_budgets_covers_the_rate():
    rng = np.random.default_rng(1)
    rates = [between_budgets(finals(rng), by="method").rate for _ in range(200)]
    assert 182 <= sum(rate.low <= 0.0045 <= rate.high for rate in rates) <= 198


def test_methods_with_one_budget_tell_nothing_between_budgets():
    told = between_budgets(finals(np.random.default_rng(0)).filter(pl.col("planned") == 1000), by="method")
    assert (told.rate.value, told.runs, told.methods) == (None, 0, 0)
    assert "run one at another budget" in told.rate.missing


def test_within_runs_is_the_fall_over_the_window_before_the_end():
    told = within_runs(curves(("m", [9, 4, 3.5, 3]), ("m", [9, 4, 3.7, 3.4])), by="method", window=50)
    assert told.rate.value == pytest.approx(1.6)  # 1 and .6 in 50 steps, for 100
    assert "within runs, over the last 50 steps (2 runs, 1 method)" in told.sentence


def test_many_runs_of_one_method_count_as_one_witness_among_methods():
    runs = [("a", [4, 3])] * 9 + [("b", [4, 2])]
    rate = within_runs(curves(*runs, step=100), by="method").rate
    reach = stats.t.ppf(0.975, 1) * np.std([1, 2], ddof=1) / 2**0.5
    assert (rate.value, rate.low, rate.high) == pytest.approx((1.5, 1.5 - reach, 1.5 + reach))


def test_one_run_has_a_rate_without_interval_and_a_short_one_has_none():
    one = within_runs(curves(("a", [4, 3]), step=100), by="method").rate
    assert (one.value, one.low) == (1.0, None)
    assert "two are needed for an interval" in one.missing
    assert within_runs(curves(("a", [4, 3]), step=10), by="method").rate.value is None


def test_a_rate_of_one_kind_is_not_taken_for_the_other():
    within = within_runs(curves(("a", [4, 3.5]), ("b", [4, 3.5]), step=100), by="method")
    assert within.compute_for(0.25, Kind.WITHIN) == pytest.approx(50.0)
    with pytest.raises(RateError, match="a rate within runs was asked for one between planned budgets"):
        within.compute_for(0.25, Kind.BETWEEN)


def test_several_metrics_and_missing_columns_are_refused():
    two = curves(("a", [4, 3])).with_columns(metric=pl.Series(["loss", "accuracy"]))
    with pytest.raises(RateError, match="a rate is of one metric, got accuracy, loss"):
        within_runs(two, by="method")
    with pytest.raises(VariableError, match="no column 'planned' in these runs"):
        between_budgets(two, by="method")


@pytest.mark.skipif(not SPEEDRUN.exists(), reason="the speedrun's logs are not here")
def test_the_speedruns_rates_are_the_published_order_and_are_apart():
    logs = pl.read_parquet(SPEEDRUN).rename({"run": "run_id"}).filter(pl.col("value").is_finite())
    ended = logs.sort("step").group_by("run_id").agg(pl.last("step", "value"), pl.first("planned", "record"))
    ended = ended.filter(pl.col("step") == pl.col("planned"))
    within = within_runs(logs.join(ended.select("run_id"), on="run_id"), by="record", window=125).rate
    assert within.value == pytest.approx(0.0069, abs=0.0001)
    between = between_budgets(ended, by="record").rate
    assert between.high < within.low
