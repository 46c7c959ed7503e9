"""Annealed ladders: budgets that are enough, and groups compared at budgets that both have tried."""

import polars as pl
import pytest
from scipy import stats

from grokscope.interventions.comparing.comparison import compare
from grokscope.interventions.outcomes.estimand import Estimand
from grokscope.interventions.outcomes.observed import ObservedRuns
from grokscope.interventions.outcomes.target import Target

TARGET = Target.parse("acc>=0.9")


def ladder(ends, **curve):
    """Runs that end at a value: (group, budget) -> the last value of each run."""
    rows = [(group, budget, end) for (group, budget), values in ends.items() for end in values]
    runs = [
        {"run_id": f"r{i}", "status": "FINISHED", "wd": group, "planned": budget, "lr_schedule": "cosine"}
        for i, (group, budget, _) in enumerate(rows)
    ]
    curves = [
        (f"r{i}", "acc", step, value)
        for i, (_, budget, end) in enumerate(rows)
        for step, value in ((50, 0.92), (curve.get("until", budget), end))
    ]
    table = pl.DataFrame(curves, schema=["run_id", "metric", "step", "value"], orient="row")
    return ObservedRuns(runs=pl.DataFrame(runs), curves=table)


def test_a_ladder_takes_the_least_planned_budget_whose_runs_end_at_the_target():
    # All cross early; but only those planned for 200 steps or more end there.
    runs = ladder({("a", 100): [0.5, 0.6], ("a", 200): [0.95, 0.9], ("a", 300): [0.97, 0.99]})
    found = compare(runs, target=TARGET)
    assert found.estimand is Estimand.LADDER
    assert found.groups[0].reached == 4
    assert 100 <= found.groups[0].median.value <= 200
    anytime = compare(runs, target=TARGET, estimand=Estimand.ANYTIME)
    assert anytime.groups[0].median.value == 50.0


def test_groups_are_tested_within_the_budgets_that_both_have_tried():
    mine, theirs = [0.95] * 5 + [0.5], [0.95] + [0.5] * 5
    both = {("a", 200): mine, ("b", 200): theirs}
    alone = {("a", 300): [0.95] * 6, ("b", 100): [0.5] * 6}
    p = 2 * stats.hypergeom(12, 6, 6).sf(4)
    for ends in (both, both | alone):
        contrast = compare(ladder(ends), target=TARGET, by=["wd"], estimand=Estimand.LADDER).contrasts[0]
        assert contrast.p == pytest.approx(p)
        assert contrast.attainable_p == pytest.approx(2 / 924)


def test_groups_that_tried_other_budgets_are_compared_by_a_model_and_not_tested():
    half = [0.95] * 4 + [0.5] * 4
    ends = {("a", 100): [0.5] * 7 + [0.95], ("a", 200): half, ("a", 400): [0.95] * 7 + [0.5]}
    later = {("b", 2.5 * budget): values for (_, budget), values in ends.items()}
    found = compare(ladder(ends | later), target=TARGET, by=["wd"])
    contrast = found.contrasts[0]
    assert (contrast.p, contrast.attainable_p) == (None, 1.0)
    assert contrast.speed_up.value == pytest.approx(2.5)
    assert contrast.speed_up.low < 2.5 < contrast.speed_up.high
    assert "no budget was tried by both, so nothing is tested" in found.sentence


def test_a_run_that_diverged_on_its_way_says_that_its_budget_was_not_enough():
    runs = ladder({("a", 200): [0.95, float("nan")]}, until=120)
    found = compare(runs, target=TARGET, estimand=Estimand.LADDER)
    assert found.costs.select("reached", "low", "high").rows() == [(False, 200.0, None)]
