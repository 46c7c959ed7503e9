"""Which measure moved first, in units of the delay, and how far to trust it over runs."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from grokscope.transitions import detect, lead_lag, pooled_leads
from grokscope.transitions.curves.noise import jitter
from grokscope.transitions.evaluation.synthetic import CurveRecipe, synthetic_run

RECIPE = CurveRecipe(evaluations=500, width=0.2)


def with_measure(run: str, name: str, factor: float, sign: float = 1.0) -> pl.DataFrame:
    """A run and a measure that does what accuracy does, at ``factor`` times the step."""
    shifted = CurveRecipe(
        evaluations=500, width=0.2, midpoint=3000.0 * factor, memorized_at=None, plateau=0.01
    )
    measure = synthetic_run(shifted, run_id=run).filter(pl.col("metric") == "test/accuracy")
    measure = measure.with_columns(metric=pl.lit(name), value=5 + sign * pl.col("value"))
    return pl.concat([synthetic_run(RECIPE, run_id=run), measure])


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("factor", [0.5, 1.0, 1.5])
def test_the_lead_is_the_distance_of_the_halves_in_units_of_the_delay(factor: float, sign: float):
    points = with_measure("a", "weights/norm", factor, sign)
    verdicts = detect(points)
    assert verdicts[0].delay is not None
    (row,) = lead_lag(points, verdicts).rows(named=True)
    assert (row["run_id"], row["metric"]) == ("a", "weights/norm")
    assert row["lead_midpoint"] == pytest.approx(3000 * (1 - factor) / verdicts[0].delay.steps, abs=0.03)


def test_measures_that_do_not_change_and_runs_without_a_delay_are_left_out():
    noise = np.random.default_rng(0).normal(0, 1, 500)
    points = with_measure("a", "weights/norm", 0.5)
    still = points.filter(pl.col("metric") == "weights/norm")
    flat = still.with_columns(metric=pl.lit("gradients/norm"), value=pl.Series(noise[: still.height]))
    never = synthetic_run(CurveRecipe(midpoint=None), run_id="b")
    frame = pl.concat([points, flat, never])
    assert lead_lag(frame, detect(frame))["metric"].to_list() == ["weights/norm"]


def test_a_verdict_needs_an_onset_and_a_delay_for_leads():
    points = with_measure("a", "weights/norm", 0.5)
    (verdict,) = detect(points)
    assert verdict.delay is not None
    for lacking in (
        replace(verdict, onset=None),
        replace(verdict, delay=None),
        replace(verdict, delay=replace(verdict.delay, steps=0)),
    ):
        assert lead_lag(points, [lacking]).is_empty()


@pytest.mark.parametrize(("noises", "rows"), [(4.9, 0), (5.1, 1)])
def test_a_measure_has_changed_by_five_standard_deviations_of_its_noise(noises: float, rows: int):
    points = synthetic_run(RECIPE, run_id="a")
    (verdict,) = detect(points)
    assert verdict.memorized is not None
    steps = points.filter(metric="test/accuracy")["step"].to_numpy()
    values = np.where(np.arange(len(steps)) % 2, 1.0, -1.0)
    first = int(np.searchsorted(steps, verdict.memorized.step))
    values[first : first + 4] = 0.0
    values[-4:] = noises * jitter(values[first:])
    measure = pl.DataFrame({"run_id": "a", "metric": "weights/norm", "step": steps, "value": values})
    assert lead_lag(pl.concat([points, measure], how="diagonal_relaxed"), [verdict]).height == rows


def leads(values: dict[str, float]) -> pl.DataFrame:
    rows = [(run, "m", lead, lead) for run, lead in values.items()]
    return pl.DataFrame(rows, schema=["run_id", "metric", "lead_onset", "lead_midpoint"], orient="row")


def test_five_runs_that_lead_have_the_smallest_p_value_that_five_can_have():
    pooled = pooled_leads(leads({run: 0.2 + 0.01 * i for i, run in enumerate("abcde")}))
    (row,) = pooled.rows(named=True)
    assert (row["runs"], row["configurations"], row["p_value"]) == (5, 5, 2 / 2**5)
    assert row["worst_p_value"] == 2 / 2**4
    assert row["lowest"] <= row["median"] <= row["highest"]


def test_seeds_of_one_configuration_count_once():
    pooled = pooled_leads(leads(dict.fromkeys("abcd", 0.3)), {"a": "x", "b": "x", "c": "y", "d": "y"})
    assert pooled.select("configurations", "p_value").row(0) == (2, 0.5)


def test_a_lead_that_rests_on_one_configuration_is_shown_by_leaving_it_out():
    pooled = pooled_leads(leads({"a": 0.9, "b": 0.8, "c": -0.1, "d": -0.1, "e": -0.1}), {"a": "x", "b": "x"})
    assert pooled["lowest"][0] < 0 < pooled["highest"][0]


def test_leads_of_either_sign_have_a_large_p_value():
    rng = np.random.default_rng(1)
    values = {f"{i}": float(v) for i, v in enumerate(rng.normal(0, 0.2, 20))}
    assert pooled_leads(leads(values))["p_value"][0] > 0.05


def test_of_ninety_measures_that_lead_by_chance_none_is_marked():
    rng = np.random.default_rng(2)
    rows = [(f"run {i}", f"m{j}", v, v) for j in range(90) for i, v in enumerate(rng.normal(0, 0.2, 8))]
    chance = pl.DataFrame(rows, schema=["run_id", "metric", "lead_onset", "lead_midpoint"], orient="row")
    pooled = pooled_leads(chance)
    assert (pooled["p_value"] <= 0.05).sum() > 0
    assert (pooled["q_value"] <= 0.05).sum() == 0


def test_measures_that_all_lead_stay_marked_beside_each_other():
    rows = [(f"run {i}", f"m{j}", 0.3, 0.3) for j in range(20) for i in range(8)]
    leading = pl.DataFrame(rows, schema=["run_id", "metric", "lead_onset", "lead_midpoint"], orient="row")
    assert (pooled_leads(leading)["q_value"] <= 0.05).all()
