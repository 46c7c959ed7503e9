"""Comparisons that users make: early failures, targets met at the start, medians that mislead, odd names."""

import numpy as np
import polars as pl
import pytest

from grokscope.interventions.comparing.comparison import compare
from grokscope.interventions.comparing.grouping import split_params
from grokscope.interventions.comparing.skeptic import Answer, questions_of
from grokscope.interventions.contrasts.speed_up import speed_up, speed_up_p
from grokscope.interventions.outcomes.costs import CensoredCosts
from grokscope.interventions.outcomes.observed import ObservedRuns
from grokscope.interventions.outcomes.target import Target

TARGET = Target.parse("acc>=0.9")


def observed(groups, *, budget=1000, every=10, first=10):
    """Runs that reach .9 at the given steps (None: never); a pair (None, n) is followed for n steps only."""
    runs, curves = [], []
    for group, costs in groups.items():
        for number, cost in enumerate(costs):
            run, end = f"{group}-{number}", budget
            if isinstance(cost, tuple):
                cost, end = cost  # noqa: PLW2901
            runs.append({"run_id": run, "name": run, "status": "FINISHED", "wd": group, "seed": number})
            curves += [
                (run, "acc", step, 1.0 if cost is not None and step >= cost else 0.1)
                for step in range(first, end + 1, every)
            ]
    table = pl.DataFrame(curves, schema=["run_id", "metric", "step", "value"], orient="row")
    return ObservedRuns(runs=pl.DataFrame(runs), curves=table)


def test_the_cheaper_of_two_groups_is_the_one_that_all_runs_show_to_be_whatever_their_medians():
    found = compare(
        observed({"x": [100, 100, 100, 900, 900], "y": [50, 50, 110, 110, 110]}), target=TARGET, by=["wd"]
    )
    assert [group.group for group in found.groups] == ["x", "y"]
    contrast = found.contrasts[0]
    assert (contrast.a, contrast.b) == ("y", "x")
    assert contrast.speed_up.value > 1
    assert contrast.improvement.value == pytest.approx(16 / 25)


def test_a_group_that_is_shown_to_cost_more_is_never_called_the_cheapest():
    groups = {"x": [100] * 16 + [900] * 14, "y": [20] * 14 + [110] * 16}
    unseeded = observed(groups)
    unseeded = ObservedRuns(runs=unseeded.runs.drop("seed"), curves=unseeded.curves)
    found = compare(unseeded, target=TARGET, by=["wd"])
    assert found.contrasts[0].adjusted_p < 0.05
    assert found.sentence.startswith("x has the smallest median (median 100 [90, 900] steps, 30 of 30 runs")
    assert "but over all runs y costs less. x needs" in found.sentence


def test_a_target_that_some_runs_meet_at_step_0_is_compared_by_order_alone():
    found = compare(
        observed({"0": [0] * 6, "1": [10, 20, 30, 40, 50, 60]}, first=0), target=TARGET, by=["wd"]
    )
    contrast = found.contrasts[0]
    assert (contrast.a, contrast.b, contrast.speed_up.value, contrast.is_paired) == ("0", "1", None, False)
    assert contrast.p == contrast.attainable_p == pytest.approx(2 / 924)
    assert contrast.improvement.value == 1.0
    assert "1 needs more steps than wd 0, but how many times as many cannot be told" in found.sentence


def test_one_run_that_failed_early_does_not_hide_what_the_others_of_its_group_show():
    reached = [200.0, 210.0, 220.0, 230.0, 240.0, 250.0, 260.0]
    a = CensoredCosts(np.array([*reached, 10.0]) - 5, np.array([*reached, np.inf]))
    b = CensoredCosts(3 * np.array(reached) - 5, 3 * np.array(reached))
    assert speed_up(a, b).value == pytest.approx(3, rel=0.1)
    assert speed_up_p(a, b) < 0.01


def test_a_median_is_only_denied_where_there_is_none():
    # Four of ten reached it; as the others ended early, half of those still followed are there.
    found = compare(observed({"a": [100, 200, 300, 400, *[(None, 50)] * 6]}), target=TARGET, by=["wd"])
    assert found.groups[0].median.value == 200.0
    assert not any("median" in caveat and "too few runs" in caveat for caveat in found.caveats)
    never = compare(observed({"a": [100, None, None, None]}), target=TARGET, by=["wd"])
    assert "In 1 of 1 groups too few runs reached it for a median." in never.caveats


def test_pairs_are_taken_only_where_so_many_of_them_can_be_decided():
    groups = {
        name: [start + 10 * seed for seed in range(6)] for name, start in (("a", 50), ("b", 200), ("c", 600))
    }
    found = compare(observed(groups), target=TARGET, by=["wd"])
    assert {one.is_paired for one in found.contrasts} == {False}
    assert found.sentence.startswith("a is the cheapest")
    two = compare(observed({"a": groups["a"], "b": groups["b"]}), target=TARGET, by=["wd"])
    assert two.contrasts[0].is_paired


def test_a_param_may_have_a_comma_in_its_name():
    known = ["lr", "betas (0.9, 0.95)", "wd"]
    assert split_params("lr, betas (0.9, 0.95),wd", known) == ["lr", "betas (0.9, 0.95)", "wd"]
    assert split_params("", known) == []


def test_a_skeptic_is_told_of_changed_medians_and_of_other_params_only_where_there_are_some():
    runs = observed({0.5: [100, 200, 300, 400], 1.0: [500, 600, 700, None]})
    found = compare(runs, target=TARGET, by=["wd"])
    questions = questions_of(found, runs)
    without = next(one for one in questions if "without the runs" in one.asked)
    assert without.because == "1 of 8 runs did not get there; the medians would be the same."
    differ = next(one for one in questions if "anything else" in one.asked)
    assert differ.answer is Answer.FINE


def test_rows_that_are_there_twice_are_one_evaluation():
    found = observed({"a": [100] * 3})
    tripled = ObservedRuns(
        runs=found.runs, curves=pl.concat([found.curves.filter(pl.col("step") <= 100)] * 3)
    )
    sustained = Target.parse("acc>=0.9", sustained=True)
    assert compare(tripled, target=sustained, by=["wd"]).groups[0].reached == 0
