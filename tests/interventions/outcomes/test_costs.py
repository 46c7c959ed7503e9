"""Costs of reaching a target: intervals between two evaluations, in whatever is counted."""

import math

import polars as pl
import pytest

from grokscope.interventions.outcomes.costs import UnitError, costs_of
from grokscope.interventions.outcomes.target import Target, TargetError


def curves_of(**runs):
    """Runs of the metric ``m``, evaluated every ten steps from 10 on, two seconds a step."""
    rows = [
        (run, "m", 10 * (place + 1), value, 20.0 * (place + 1))
        for run, values in runs.items()
        for place, value in enumerate(values)
    ]
    return pl.DataFrame(rows, schema=["run_id", "metric", "step", "value", "seconds"], orient="row")


def row_of(values, text, *, sustained=False, unit="steps"):
    target = Target.parse(text, sustained=sustained)
    return costs_of(curves_of(a=values), target, unit=unit).row(0, named=True)


def test_a_cost_lies_between_the_last_evaluation_without_the_target_and_the_first_with_it():
    row = row_of([0.1, 0.5, 0.9, 0.95], "m>=0.9")
    assert (row["reached"], row["low"], row["high"], row["spent"]) == (True, 20.0, 30.0, 40.0)


def test_the_first_evaluation_bounds_from_the_beginning_of_the_run():
    row = row_of([0.9], "m>=0.9")
    assert (row["low"], row["high"]) == (0.0, 10.0)


def test_a_run_that_is_not_there_costs_more_than_it_has_spent():
    row = row_of([3.0, 2.0, 2.5], "m<=1")
    assert (row["reached"], row["low"], row["high"], row["best"], row["last"]) == (
        False,
        30.0,
        None,
        2.0,
        2.5,
    )


def test_a_sustained_target_holds_three_times_or_as_often_as_is_left_but_never_once():
    assert row_of([0, 1, 0, 1, 1, 1], "m>=1", sustained=True)["high"] == 40.0
    assert row_of([0, 0, 1, 1], "m>=1", sustained=True)["high"] == 30.0
    assert not row_of([0, 0, 0, 1], "m>=1", sustained=True)["reached"]
    assert row_of([0, 0, 0, 1], "m>=1")["reached"]


def test_a_run_that_misses_the_target_again_is_told():
    assert row_of([0, 1, 0], "m>=1")["fell_back"]
    assert not row_of([0, 1, 1], "m>=1")["fell_back"]


def test_a_diverged_run_reaches_nothing_even_where_low_is_good():
    row = row_of([2.0, math.nan, -math.inf], "m<=1")
    assert row["reached"]  # -Inf is below every level, and is told as the last value
    row = row_of([2.0, math.nan, math.nan], "m<=1")
    assert not row["reached"]
    assert math.isnan(row["last"])
    assert row["best"] == 2.0


def test_costs_are_counted_in_the_unit_that_was_asked_for():
    assert row_of([0.1, 0.9], "m>=0.9", unit="seconds")["high"] == 40.0
    with pytest.raises(
        UnitError, match="nothing counts 'tokens' in these runs; they can be counted in steps, seconds"
    ):
        row_of([0.1], "m>=0.9", unit="tokens")


@pytest.mark.parametrize("text", ["m", "m>1", "m>=", "m>=x", "m>=nan", ">=1", "m>=1 2", "m>=1<=2"])
def test_a_target_that_cannot_be_read_is_refused(text):
    with pytest.raises(TargetError, match="METRIC>=VALUE or METRIC<=VALUE, got"):
        Target.parse(text)


@pytest.mark.parametrize("unit", ["run_id", "metric", "value", "step"])
def test_what_names_a_value_counts_nothing(unit):
    curves = pl.DataFrame({"run_id": ["a"], "metric": ["loss"], "step": [1], "value": [2.0]})
    with pytest.raises(UnitError, match="nothing counts"):
        costs_of(curves, Target.parse("loss<=1"), unit=unit)


@pytest.mark.parametrize("text", [" " * 100_000, "loss" + " " * 100_000 + "x", " " * 100_000 + "<=1"])
def test_a_target_of_many_spaces_is_refused_at_once(text):
    with pytest.raises(TargetError):
        Target.parse(text)


@pytest.mark.parametrize("count", [math.inf, -math.inf, math.nan, None])
def test_what_is_spent_is_a_finite_number_or_the_row_is_passed_over(count):
    values = {"run_id": "a", "metric": "loss", "step": [1, 2, 3], "value": [3.0, 1.0, 1.0]}
    curves = pl.DataFrame({**values, "seconds": [5.0, count, 7.0]}, strict=False)
    found = costs_of(curves, Target.parse("loss<=2"), unit="seconds")
    assert found.select("low", "high", "evaluations").rows() == [(5.0, 7.0, 2)]


@pytest.mark.parametrize("counts", [[-3.0, -2.0, -1.0], [30.0, 20.0, 10.0], [0.0, 9.0, 8.0]])
def test_a_run_whose_count_is_none_has_no_cost_and_takes_no_other_with_it(counts):
    curves = pl.concat([curves_of(bad=[0.1, 0.5, 0.9]), curves_of(good=[0.1, 0.5, 0.9])])
    curves = curves.with_columns(tokens=pl.Series([*counts, 10.0, 20.0, 30.0]))
    found = costs_of(curves, Target.parse("m>=0.9"), unit="tokens")
    assert found.select("run_id", "low", "high").rows() == [("good", 20.0, 30.0)]


def test_evaluations_before_the_first_step_cost_nothing():
    curves = curves_of(a=[0.1, 0.5, 0.9]).with_columns(step=pl.Series([-10, 0, 10]))
    assert costs_of(curves, Target.parse("m>=0.9")).select("low", "high").row(0) == (0.0, 10.0)
