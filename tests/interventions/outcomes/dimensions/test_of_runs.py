"""The five dimensions of each run: whole values by hand, and a reason where there is none."""

import math

import polars as pl
import pytest

from grokscope.interventions.outcomes.dimensions.of_runs import dimensions_of
from grokscope.interventions.outcomes.dimensions.record import DIMENSIONS
from grokscope.interventions.outcomes.target import Target
from grokscope.interventions.outcomes.units import with_units
from grokscope.schemas import Date, Delay, Kind, Pattern, Status, Transition, Verdict

TARGET = Target.parse("test/accuracy>=0.9")


def curves(**runs):
    """Return curves of runs of {metric: values}, evaluated every ten steps from 10 on."""
    rows = [
        (run, metric, 10 * place, float(value))
        for run, metrics in runs.items()
        for metric, values in metrics.items()
        for place, value in enumerate(values, start=1)
    ]
    return pl.DataFrame(rows, schema=["run_id", "metric", "step", "value"], orient="row")


def told(frame, run="a"):
    """Return (value, low, high) or the reason, by outcome and curve."""
    return {
        (row["outcome"], row["curve"]): row["missing"] or (row["value"], row["low"], row["high"])
        for row in frame.filter(run_id=run).iter_rows(named=True)
    }


RISING = [0.1, 0.5, 0.95, 0.85, 0.92, 0.97]
SHIFTED = [0.1, 0.1, 0.2, 0.6, 0.93, 0.7]


def test_quality_is_the_level_that_was_held_the_last_one_and_the_log_probability():
    found = told(
        dimensions_of(curves(a={"test/accuracy": RISING, "test/log_probability_q50": [-3, -1]}), TARGET)
    )
    assert found["sustained level", "test/accuracy"] == (0.85, None, None)
    assert found["last level", "test/accuracy"] == (0.97, None, None)
    assert found["median log-probability", "test/log_probability_q50"] == (-1.0, None, None)
    found = told(dimensions_of(curves(a={"test/accuracy": [0.5, math.nan]}), TARGET))
    assert found["sustained level", "test/accuracy"] == "fewer than three evaluations"
    assert found["last level", "test/accuracy"] == (0.5, None, None)
    assert found["median log-probability", "test/log_probability_q50"] == (
        "test/log_probability_q50 was not logged"
    )


def test_a_loss_that_was_held_is_the_smallest_that_three_evaluations_stay_below():
    losses = curves(a={"test/loss": [3.0, 1.0, 2.0, 1.5, 1.2, math.inf]})
    found = told(dimensions_of(losses, Target.parse("test/loss<=1")))
    assert found["sustained level", "test/loss"] == (2.0, None, None)
    assert found["last level", "test/loss"] == (1.2, None, None)


def test_costs_are_bounded_by_the_evaluations_in_every_unit_that_was_counted():
    counted = {
        "progress/tokens": [640 * k for k in range(1, 7)],
        "progress/seconds": [2.0 * k for k in range(1, 7)],
    }
    frame = dimensions_of(with_units(curves(a={"test/accuracy": RISING} | counted)), TARGET)
    found = told(frame)
    assert found["steps to target", "test/accuracy"] == (30.0, 20.0, 30.0)
    assert found["tokens to target", "test/accuracy"] == (1920.0, 1280.0, 1920.0)
    assert found["seconds to target", "test/accuracy"] == (6.0, 4.0, 6.0)
    assert found["flops to target", "test/accuracy"] == "no flops were counted"
    assert found["stability", "test/accuracy"] == (0.75, None, None)
    dimension = dict(frame.select("outcome", "dimension").unique().rows())
    assert (dimension["tokens to target"], dimension["seconds to target"]) == (
        "data efficiency",
        "compute efficiency",
    )


def test_a_run_that_has_not_reached_the_target_says_what_it_spent():
    frame = dimensions_of(curves(a={"test/accuracy": [0.1, 0.2]}), TARGET)
    row = frame.row(by_predicate=pl.col("outcome") == "steps to target", named=True)
    assert (row["value"], row["low"], row["high"]) == (None, 20.0, None)
    assert row["missing"] == "test/accuracy>=0.9 not reached after 20.0 steps"
    assert told(frame)["stability", "test/accuracy"] == "the target was not reached"


def test_a_shifted_set_has_a_level_a_gap_a_delay_and_a_calibration():
    far = {"shift:far/accuracy": SHIFTED, "shift:far/calibration_error": [0.3, 0.2]}
    found = told(
        dimensions_of(curves(a={"test/accuracy": RISING, "groups/worst_accuracy": [0.4]} | far), TARGET)
    )
    assert found["level", "shift:far/accuracy"] == (0.6, None, None)
    assert found["gap", "shift:far/accuracy"] == (pytest.approx(0.25), None, None)
    # The usual set reached it in (20, 30], the shifted one in (40, 50].
    assert found["delay", "shift:far/accuracy"] == (20.0, 10.0, 30.0)
    assert found["calibration error", "shift:far/calibration_error"] == (0.2, None, None)
    assert found["worst group accuracy", "groups/worst_accuracy"] == (0.4, None, None)


def test_a_gap_is_positive_where_the_shifted_set_is_worse_also_of_losses():
    losses = curves(a={"test/loss": [1.0, 1.0, 1.0], "shift:far/loss": [3.0, 3.0, 3.0]})
    assert told(dimensions_of(losses, Target.parse("test/loss<=1")))["gap", "shift:far/loss"] == (
        2.0,
        None,
        None,
    )


def test_what_was_not_logged_under_shift_says_so():
    found = told(dimensions_of(curves(a={"test/accuracy": RISING}), TARGET))
    assert found["level", "shift:*"] == "no shifted set was logged: a curve shift:NAME/accuracy"
    assert found["worst group accuracy", "groups/worst_accuracy"] == "groups/worst_accuracy was not logged"
    both = curves(
        a={"test/accuracy": RISING, "shift:far/accuracy": [0.1, 0.1, 0.2]},
        b={"test/accuracy": [0.1], "shift:far/accuracy": SHIFTED},
        c={"test/accuracy": RISING},
    )
    frame = dimensions_of(both, TARGET)
    delays = [told(frame, run)["delay", "shift:far/accuracy"] for run in "abc"]
    assert delays == [
        "shift:far/accuracy has not reached the target",
        "test/accuracy has not reached the target",
        "shift:far/accuracy was not logged",
    ]
    assert told(frame)["calibration error", "shift:far/calibration_error"] == (
        "shift:far/calibration_error was not logged"
    )


def event(kind, status=Status.CONFIRMED):
    return Transition(run_id="a", metric="test/accuracy", kind=kind, step=5, low=5, high=5, status=status)


def test_dynamics_are_those_of_the_verdict():
    verdict = Verdict(
        run="a",
        pattern=Pattern.GROKKING,
        memorized=Date(step=100, low=90, high=100),
        onset=Date(step=1000, low=500, high=1000),
        generalized=Date(step=10_000, low=8000, high=20_000),
        delay=Delay(steps=5000, ratio=51.0),
        transitions=(
            event(Kind.GENERALIZATION),
            event(Kind.PHASE_CHANGE),
            event(Kind.GENERALIZATION, Status.REJECTED),
            event(Kind.COLLAPSE),
        ),
    )
    found = told(dimensions_of(curves(a={"test/accuracy": RISING}), TARGET, verdicts=[verdict]))
    assert found["memorized", "verdict"] == (100.0, 90.0, 100.0)
    assert found["onset", "verdict"] == (1000.0, 500.0, 1000.0)
    assert found["generalized", "verdict"] == (10_000.0, 8000.0, 20_000.0)
    assert found["delay", "verdict"] == (5000.0, None, None)
    assert found["delay ratio", "verdict"] == (51.0, None, None)
    assert found["width", "verdict"] == (1.0, pytest.approx(math.log10(8)), pytest.approx(math.log10(40)))
    assert found["stages", "verdict"] == (2.0, None, None)
    assert found["losses", "verdict"] == (1.0, None, None)


def test_dynamics_that_are_not_known_give_the_reason_of_the_verdict_or_that_there_is_none():
    verdict = Verdict(run="a", pattern=Pattern.CONFUSION, missing=("no onset: the curve never rises",))
    bare = Verdict(run="b", pattern=Pattern.CONFUSION)
    logged = curves(**{run: {"test/accuracy": RISING} for run in "abc"})
    frame = dimensions_of(logged, TARGET, verdicts=[verdict, bare])
    assert told(frame)["onset", "verdict"] == "no onset: the curve never rises"
    assert told(frame, "b")["onset", "verdict"] == "the verdict has no onset"
    assert told(frame, "c")["onset", "verdict"] == "there is no verdict of it"
    assert told(frame, "c")["stages", "verdict"] == "there is no verdict of it"


def test_every_run_has_every_outcome_with_a_value_or_a_reason():
    frame = dimensions_of(curves(b={"test/accuracy": RISING}, a={"test/accuracy": [math.nan]}), TARGET)
    assert frame.schema == DIMENSIONS
    assert frame.group_by("run_id", maintain_order=True).len()["run_id"].to_list() == ["a", "b"]
    assert frame.group_by("run_id").len()["len"].n_unique() == 1
    assert frame.filter(pl.col("value").is_null() == pl.col("missing").is_null()).is_empty()
    assert dimensions_of(curves(a={"other": [1]}), TARGET).is_empty()
