"""What cannot be told is said: one sentence for each."""

import math

import polars as pl
import pytest

from grokscope.schemas import Kind, Pattern, empty_points
from grokscope.transitions import detect
from grokscope.transitions.evaluation.synthetic import CurveRecipe, synthetic_run

NAN = math.nan
NEITHER = (
    "Neither curve ever changes: train/accuracy is 0.50 and test/accuracy 0.50 throughout, so there is "
    "nothing to date."
)
NO_TRAIN = "No training curve was logged beside test/accuracy, so no learning phase can be told."
LOSSES = (
    "Only losses tell of this run, and how low they could go is not known: train/loss went from 3.00 to 1.00 "
    "and val/loss went from 3.00 to 2.00. A held-out score beside them would tell the phase."
)
NO_TEST = (
    "No held-out score or loss of a known name was logged, so no learning phase can be told. "
    "Say which metric is one: with --alias NAME=KEY, or on the page Runs."
)
SINGLE = "test/accuracy has one evaluation, at step 0; a curve needs at least two."
ALL_NAN = (
    "None of the 2 values of test/accuracy can be read (NaN, infinite or too large), so there is no curve to "
    "judge."
)
LATE = (
    "The log begins at step 0 with test/accuracy already at 0.97: what came before was not recorded, so no "
    "onset is given."
)
CASES = {
    "no train accuracy": ({"test/accuracy": [0.1, 0.9]}, NO_TRAIN),
    "losses only": ({"train/loss": [3.0, 1.0], "val/loss": [3.0, 2.0]}, LOSSES),
    "no held-out curve": ({"train/loss": [3.0, 1.0], "train/accuracy": [0.1, 0.9]}, NO_TEST),
    "constant curves": ({"train/accuracy": [0.5] * 9, "test/accuracy": [0.5] * 9}, NEITHER),
    "a single evaluation": ({"train/accuracy": [0.5], "test/accuracy": [0.5]}, SINGLE),
    "only NaN": ({"train/accuracy": [0.5, 0.6], "test/accuracy": [NAN, NAN]}, ALL_NAN),
    "everything learned before the log": (
        {"train/accuracy": [1.0] * 9, "test/accuracy": [0.97, 0.98, 0.99, 1.0, 1.0, 0.99, 1.0, 1.0, 1.0]},
        LATE,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_run_that_cannot_be_judged_is_other_with_the_reason(name: str):
    values, reason = CASES[name]
    verdict = detect(points(values))[0]
    assert verdict.pattern is Pattern.OTHER
    assert verdict.missing[-1] == reason
    assert (verdict.onset, verdict.generalized, verdict.in_progress) == (None, None, False)


def test_an_empty_frame_has_no_runs():
    assert detect(empty_points()) == []


def test_a_log_that_begins_half_way_up_gets_no_onset():
    cut = synthetic_run(CurveRecipe(evaluations=600)).filter(pl.col("step") > 3200)
    verdict = detect(cut)[0]
    assert (verdict.pattern, verdict.onset, verdict.midpoint) == (Pattern.OTHER, None, None)
    assert "what came before was not recorded" in verdict.missing[-1]


def test_a_log_that_begins_on_the_plateau_keeps_its_onset():
    whole = synthetic_run(CurveRecipe(evaluations=600, noise=0.01))
    cut = whole.filter(pl.col("step") > 600)
    first, second = detect(whole)[0], detect(cut)[0]
    assert second.pattern is Pattern.GROKKING
    assert first.onset is not None
    assert second.onset is not None
    assert second.onset.step == pytest.approx(first.onset.step, rel=0.02)


def test_values_that_are_not_finite_are_left_out_of_the_fits_and_counted():
    frame = synthetic_run(CurveRecipe())
    holes = frame.with_columns(
        value=pl.when(pl.int_range(pl.len()) % 7 == 3).then(NAN).otherwise(pl.col("value"))
    )
    verdict = detect(holes)[0]
    assert verdict.pattern is Pattern.GROKKING
    assert any(" values of test/accuracy are not finite" in reason for reason in verdict.missing)


def points(values: dict[str, list[float]]) -> pl.DataFrame:
    return pl.concat(
        pl.DataFrame({"metric": name, "step": list(range(len(v))), "value": v}) for name, v in values.items()
    )


def test_accuracies_logged_as_per_cent_are_read_as_shares():
    frame = synthetic_run(CurveRecipe())
    percent, share = detect(frame.with_columns(pl.col("value") * 100))[0], detect(frame)[0]
    assert (percent.pattern, percent.onset) == (share.pattern, share.onset)
    assert "test/accuracy was logged as per cent and is read as a share." in percent.missing


def test_a_loss_that_stops_being_a_number_is_a_divergence():
    loss = {"train/loss": [2.0, 1.5, 1.2, 1.1, 1.0, NAN, math.inf, NAN]}
    (event,) = detect(points(loss))[0].transitions
    assert (event.kind, event.metric) == (Kind.DIVERGENCE, "train/loss")
    assert (event.low, event.step, event.high, event.before) == (4, 5, 5, 1.0)


def test_a_hole_in_a_loss_is_no_divergence():
    assert detect(points({"train/loss": [2.0, NAN, NAN, NAN, 1.0, 0.9]}))[0].transitions == ()


@pytest.mark.parametrize(("first", "bounded"), [(0, False), (1, True), (2, True)])
def test_a_fit_at_a_first_evaluation_behind_step_0_bounds_the_delay_only(first: int, bounded: bool):  # noqa: FBT001
    train, test = [1.0] * 40, [0.01] * 20 + [1.0] * 20
    steps = [first + 10 * i for i in range(40)]
    frames = [
        pl.DataFrame({"run_id": "r", "metric": metric, "step": steps, "value": values})
        for metric, values in (("train/accuracy", train), ("test/accuracy", test))
    ]
    missing = detect(pl.concat(frames))[0].missing
    assert any("fit at the first evaluation" in reason for reason in missing) is bounded
