"""The speedrun's rule on runs small enough to compute by hand."""

import math

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

from grokscope.interventions.noise.e_process import mean_e_process
from grokscope.interventions.outcomes.target import Target
from grokscope.interventions.rules.speedrun.ladder import SpeedrunError
from grokscope.interventions.rules.speedrun.records import speedrun_records

TARGET = Target.parse("val_loss<=3.28")


def curves(*runs):
    """Return runs of (record, name, planned, {step: loss})."""
    rows = [(*run[:3], step, value) for run in runs for step, value in run[3].items()]
    schema = {"record": pl.String, "run_id": pl.String, "planned": pl.Int64}
    frame = pl.DataFrame(rows, schema=schema | {"step": pl.Int64, "value": pl.Float64}, orient="row")
    return frame.with_columns(metric=pl.lit("val_loss"))


def record_of(*runs, target=TARGET, **options):
    return speedrun_records(curves(*runs), target, by="record", **options).records.row(0, named=True)


FOUR = [
    ("r", f"seed{k}", 300, {100: 3.30 + k / 1000, 200: 3.2785 + k / 1000, 300: 3.277 + k / 1000})
    for k in range(-1, 3)
]  # means 3.3005, 3.2790, 3.2775; times √4 below 3.28: -.041, .002, .005


def test_the_result_is_the_first_step_at_which_the_rule_holds():
    found = record_of(*FOUR)
    assert found == {
        "group": "r",
        "planned": 300,
        "steps": 300,
        "mean": pytest.approx(3.2775),
        "sd": pytest.approx(math.sqrt(5 / 3) / 1000),
        "n": 4,
        "logs": 4,
        "rule_value": pytest.approx(0.005),
        "passes": True,
        "e_value": pytest.approx(mean_e_process([3.276, 3.277, 3.278, 3.279], 3.28)[-1]),
        "survives": False,
        "inflation": found["inflation"],
        "missing": None,
    }
    assert record_of(*FOUR, margin=0.002 - 1e-9)["steps"] == 200


def test_where_the_rule_never_holds_the_last_step_is_told():
    found = record_of(*FOUR, margin=0.006)
    assert (found["steps"], found["passes"]) == (300, False)
    assert found["missing"] == "the rule holds at no step; the last one is shown"


def test_a_step_counts_only_where_all_runs_were_evaluated():
    ended = ("r", "seed9", 300, {100: 3.3, 200: 3.279})
    found = record_of(*FOUR, ended)
    assert (found["steps"], found["n"], found["passes"]) == (200, 5, False)


def test_each_planned_number_is_read_by_itself_and_the_fewest_steps_win():
    longer = [
        ("r", f"long{k}", 400, {100: 3.31, 250: 3.279 + k / 1e4, 400: 3.27 + k / 1e4}) for k in range(9)
    ]
    shorter = [("r", "short", 260, {100: 3.3, 260: 3.276})]
    found = record_of(*longer, *shorter)
    assert (found["planned"], found["steps"], found["n"], found["logs"]) == (260, 260, 1, 10)
    # Where none holds, the one with the most runs is told.
    found = record_of(*longer, *shorter, margin=1.0)
    assert (found["planned"], found["steps"], found["n"]) == (400, 400, 9)


def test_a_log_that_repeats_another_one_counts_once_and_is_named():
    again = ("r", "again", 300, FOUR[0][3])
    result = speedrun_records(curves(*FOUR, again), TARGET, by="record")
    assert result.records.select("n", "logs", "mean").rows() == [(4, 5, pytest.approx(3.2775))]
    assert result.copies.rows() == [("seed-1", "again", 3)]
    assert result.caveats[0] == (
        "Logs that are copies of another, equal wherever both were evaluated, count once in a group: seed-1."
    )


def test_a_repeated_log_in_another_group_counts_there_and_is_named():
    result = speedrun_records(curves(*FOUR, ("s", "seed-1 again", 300, FOUR[0][3])), TARGET, by="record")
    assert result.records["n"].to_list() == [4, 1]
    assert result.copies.rows() == [("seed-1 again", "seed-1", 3)]


def test_groups_are_called_as_in_every_comparison_and_runs_without_one_are_left_out():
    frame = curves(*FOUR).with_columns(record=pl.Series([3200.0] * 9 + [None] * 3))
    result = speedrun_records(frame, TARGET, by="record")
    assert result.records.select("group", "n").rows() == [("3200", 3)]


def test_runs_without_a_planned_number_are_one_rung():
    result = speedrun_records(curves(*FOUR).drop("planned"), TARGET, by="record")
    assert result.records.select("planned", "steps", "n").rows() == [(None, 300, 4)]


def test_a_run_that_diverged_fails_the_rule_and_has_no_e_value():
    found = record_of(*FOUR, ("r", "seed9", 300, {100: 3.3, 200: 3.28, 300: math.nan}))
    assert (found["steps"], found["passes"], found["e_value"]) == (300, False, None)


def test_runs_without_a_common_step_have_no_result():
    found = record_of(("r", "a", 300, {100: 3.2}), ("r", "b", 300, {200: 3.2}))
    assert (found["steps"], found["n"], found["logs"]) == (None, 0, 2)
    assert found["missing"] == "its runs share no step at which all were evaluated"


def test_a_target_to_be_above_is_read_from_the_gain():
    upward = [("r", f"s{k}", 9, {5: 0.50, 9: 0.61}) for k in range(2)]
    upward[1] = ("r", "s1", 9, {5: 0.49, 9: 0.63})
    found = record_of(*upward, target=Target.parse("val_loss>=0.6"))
    assert (found["steps"], found["rule_value"]) == (9, pytest.approx(0.02 * math.sqrt(2)))
    assert found["e_value"] == pytest.approx(mean_e_process([0.61, 0.63], 0.6, below=False)[-1])


def test_groups_are_named_where_the_rule_holds_but_looking_often_could_be_why():
    strong = [("s", f"strong{k}", 300, {300: 3.27 + k / 1000}) for k in range(8)]
    result = speedrun_records(curves(*FOUR, *strong, ("t", "u", 9, {9: 3.3})), TARGET, by="record")
    assert result.records["survives"].to_list() == [False, True, False]
    assert result.caveats[0] == "The rule holds at no step of t: the last step is shown."
    assert result.caveats[2].endswith("that looking again and again could be why: r.")


def test_the_rule_is_told_how_often_it_passes_by_chance_by_the_sd_of_all_groups():
    losses = np.random.default_rng(0).normal(3.28, 0.002, (30, 20))
    rows = [(f"g{k // 10}", f"run{k}", 9, dict(enumerate(run))) for k, run in enumerate(losses)]
    result = speedrun_records(curves(*rows), TARGET, by="record")
    ends = result.records["sd"].to_numpy()
    assert (result.sd, result.df) == (pytest.approx(np.sqrt((ends**2).mean())), 27)
    # One run alone passes where it is 2 sd below; at any of ten looks more often, by less than ten times.
    once = norm.sf(0.004 / result.sd)
    assert once < result.records["inflation"][0] < 10 * once
    alone = speedrun_records(curves(rows[0]), TARGET, by="record")
    assert (alone.sd, alone.df, alone.records["inflation"].item()) == (None, 0, None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.drop("run_id"), "the rule needs the columns run_id, .*; missing: run_id"),
        (lambda frame: frame.rename({"record": "other"}), "missing: record"),
        (
            lambda frame: frame.with_columns(metric=pl.lit("loss")),
            "no run has the metric 'val_loss'; .* loss",
        ),
        (lambda frame: frame.clear(), "no run has the metric 'val_loss'; the runs have no metric"),
    ],
)
def test_runs_that_the_rule_cannot_be_applied_to_are_refused(change, message):
    with pytest.raises(SpeedrunError, match=message):
        speedrun_records(change(curves(*FOUR)), TARGET, by="record")
