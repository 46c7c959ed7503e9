"""Groups of runs compared: unfinished runs count, pairs are found, and nothing is said that is not known."""

import itertools
from dataclasses import replace

import polars as pl
import pytest

from grokscope.interventions.comparing.comparison import ComparisonError, compare
from grokscope.interventions.comparing.records import Contrast
from grokscope.interventions.comparing.sentences import answer
from grokscope.interventions.estimate import Estimate
from grokscope.interventions.outcomes.estimand import Estimand, EstimandError
from grokscope.interventions.outcomes.observed import ObservedRuns
from grokscope.interventions.outcomes.target import Target
from grokscope.schemas.runs.query import QueryError

TARGET = Target.parse("acc>=0.9")


def observed(groups, *, budget=1000, every=10, **params):
    """Runs that reach .9 at the given steps (None: never), evaluated every ten steps up to a budget."""
    runs, curves = [], []
    for group, steps in groups.items():
        for seed, reached in enumerate(steps):
            run = f"{group}{seed}"
            runs.append({"run_id": run, "name": run, "status": "FINISHED", "wd": group, "seed": seed})
            curves += [
                (run, "acc", step, 1.0 if reached is not None and step >= reached else 0.1, 2.0 * step)
                for step in range(every, budget + 1, every)
            ]
    table = pl.DataFrame(curves, schema=["run_id", "metric", "step", "value", "seconds"], orient="row")
    extra = [pl.lit(value).alias(name) for name, value in params.items()]
    return ObservedRuns(runs=pl.DataFrame(runs).with_columns(extra), curves=table)


def test_a_group_whose_runs_are_not_there_has_a_larger_median_than_those_that_are():
    found = compare(
        observed({"a": [100, 200, None, None, 300], "b": [150, 250, 350, 450, 550]}), target=TARGET, by=["wd"]
    )
    rows = {group.group: (group.n, group.reached, group.median.value) for group in found.groups}
    assert rows == {"a": (5, 3, 300.0), "b": (5, 5, 350.0)}
    assert [group.group for group in found.groups] == ["a", "b"]


def test_what_steps_are_worth_is_told_by_runs_that_train_no_more():
    found = observed({"a": [100, 200, 300], "b": [150, 250, 350]})
    status = pl.when(pl.col("run_id") == "a2").then(pl.lit("RUNNING")).otherwise("status").alias("status")
    young = replace(found, runs=found.runs.with_columns(status))
    rates = [compare(one, target=TARGET, by=["wd"]).exchange_rates for one in (found, young)]
    assert [[(rate.kind, rate.runs) for rate in both] for both in rates] == [
        [("between planned budgets", 0), ("within runs", 6)],
        [("between planned budgets", 0), ("within runs", 5)],
    ]


def test_below_six_runs_a_median_has_no_interval_and_it_is_said():
    found = compare(observed({"a": [100, 200, 300, 400, 500]}), target=TARGET, by=["wd"])
    assert (found.groups[0].median.low, found.groups[0].median.high) == (None, None)
    assert any("No group has 6 runs" in caveat for caveat in found.caveats)


def test_three_against_three_are_undecided_whatever_they_say():
    found = compare(observed({"a": [100, 110, 120], "b": [400, 410, 420]}), target=TARGET, by=["wd"])
    contrast = found.contrasts[0]
    assert (contrast.a, contrast.b) == ("a", "b")
    assert (contrast.p, contrast.attainable_p) == (pytest.approx(0.1), pytest.approx(0.1))
    assert (contrast.speed_up.low, contrast.speed_up.high) == (None, None)
    assert contrast.speed_up.value == pytest.approx(410 / 110, rel=0.1)
    assert "no result can be below p = 0.1" in found.sentence


def test_equal_seeds_are_compared_with_each_other_from_six_pairs_on():
    steps = [100, 200, 300, 400, 500, 600]
    twice = compare(observed({"a": steps, "b": [s + 100 for s in steps]}), target=TARGET, by=["wd"])
    assert twice.contrasts[0].is_paired
    assert twice.contrasts[0].attainable_p == 2 / 2**6
    assert twice.contrasts[0].p == 2 / 2**6
    fewer = compare(observed({"a": steps[:5], "b": steps[:5]}), target=TARGET, by=["wd"])
    assert not fewer.contrasts[0].is_paired


def test_the_p_of_many_pairs_are_adjusted_together():
    groups = {name: [100 * i + 10 * j for j in range(1, 6)] for i, name in enumerate("abc", 1)}
    found = compare(observed(groups), target=TARGET, by=["wd"])
    assert len(found.contrasts) == 3
    assert all(one.adjusted_p == pytest.approx(3 * one.p) for one in found.contrasts)


def test_of_more_than_ten_groups_the_cheapest_is_compared_with_each_other_one():
    groups = {f"g{i:02}": [100 + 10 * i] for i in range(11)}
    found = compare(observed(groups), target=TARGET, by=["wd"])
    assert {one.a for one in found.contrasts} == {"g00"}
    assert len(found.contrasts) == 10


def test_costs_are_counted_in_what_is_asked_for():
    found = compare(observed({"a": [100] * 3}), target=TARGET, by=["wd"], count_in="seconds")
    assert found.groups[0].median.value == 200.0


def test_runs_of_bridge_and_pretraining_are_never_pooled_nor_compared():
    both = observed({"a": [100] * 3 + [900] * 3, "b": [200] * 3 + [950] * 3})
    settings = pl.Series(
        "setting", ["bridge"] * 3 + ["pretraining"] * 3 + ["bridge"] * 3 + ["pretraining"] * 3
    )
    found = compare(
        ObservedRuns(runs=both.runs.with_columns(settings), curves=both.curves), target=TARGET, by=["wd"]
    )
    assert {group.group for group in found.groups} == {
        f"wd={wd}, setting={setting}" for wd, setting in itertools.product("ab", ("bridge", "pretraining"))
    }
    assert all(one.a.split(", ")[1] == one.b.split(", ")[1] for one in found.contrasts)


def test_annealed_and_constant_runs_are_not_mixed_silently():
    mixed = observed({"a": [100, 200]})
    runs = mixed.runs.with_columns(
        pl.Series("scheduler", ["cosine", "constant"]), planned=pl.Series([100, 200])
    )
    with pytest.raises(EstimandError, match="1 runs are annealed and 1 are not"):
        compare(ObservedRuns(runs=runs, curves=mixed.curves), target=TARGET)


def test_a_run_that_diverged_never_gets_there():
    runs = observed({"a": [100, None], "b": [100, 200]}, budget=200)
    last = (pl.col("run_id") == "a1") & (pl.col("step") == 200)
    curves = runs.curves.with_columns(value=pl.when(last).then(float("nan")).otherwise("value"))
    found = compare(ObservedRuns(runs=runs.runs, curves=curves), target=TARGET, by=["wd"])
    assert dict(found.groups[1].ends) == {"diverged": 1}
    assert "1 run diverged, and counted as never reaching the target." in found.caveats


def test_a_param_that_is_a_number_has_a_trend_or_the_reason_why_not():
    halved = {wd: [round(900 * spread / wd) for spread in (0.9, 1.0, 1.1)] for wd in (1, 2, 4, 8)}
    found = compare(observed(halved), target=TARGET, by=["weight_decay"])
    assert found.trend.exponent.value == pytest.approx(-1, abs=0.1)
    assert found.trend.exponent.low <= -1 <= found.trend.exponent.high
    assert found.trend.sentence("steps").startswith("The steps go as weight_decay to the power of -")
    short = compare(observed({1: [100, 110], 2: [90, 95]}), target=TARGET, by=["wd"])
    assert short.trend.exponent.value is None
    assert short.trend.sentence("steps").startswith("No power law is read over wd 1 to 2: ")
    assert compare(observed({"a": [100], "b": [90]}), target=TARGET, by=["wd"]).trend is None


def test_a_param_that_is_called_group_makes_groups_like_any_other():
    runs = observed({"a": [100, 200], "b": [300, 400]}, group="mine")
    assert [one.group for one in compare(runs, target=TARGET, by=["group"]).groups] == ["mine"]
    assert [one.group for one in compare(runs, target=TARGET, by=["wd"]).groups] == ["a", "b"]


def test_what_cannot_be_compared_is_refused_with_what_is_there():
    runs = observed({"a": [100]})
    with pytest.raises(ComparisonError, match="no run has the metric 'loss'; they have acc"):
        compare(runs, target=Target.parse("loss<=1"))
    with pytest.raises(QueryError, match="the runs have no param 'lr'; they have"):
        compare(runs, target=TARGET, by=["lr"])
    with pytest.raises(EstimandError, match="a ladder needs how long each run was planned"):
        compare(runs, target=TARGET, estimand=Estimand.LADDER)


def test_a_run_that_diverged_was_watched_as_long_as_the_others_of_its_group():
    short = observed({"a": [100, 150, None, None]}, budget=200)
    long = observed({"b": [100, 300, 500, None]}, budget=1000)
    last = (pl.col("run_id") == "a3") & (pl.col("step") > 100)
    curves = pl.concat((short.curves, long.curves)).with_columns(
        value=pl.when(last).then(float("nan")).otherwise("value")
    )
    runs = ObservedRuns(runs=pl.concat((short.runs, long.runs)), curves=curves)
    found = compare(runs, target=TARGET, by=["wd"])
    assert found.budget == 200.0
    assert found.costs.filter(run_id="a3")["low"].item() == 200.0


def test_a_group_that_is_shown_to_be_dearer_than_its_median_says_is_not_called_the_cheapest():
    dearer = Contrast(
        a="a",
        b="b",
        speed_up=Estimate(value=0.5),
        p=0.001,
        adjusted_p=0.001,
        attainable_p=0.001,
        improvement=Estimate(value=0.2),
        is_paired=False,
    )
    found = compare(observed({"a": [100] * 6, "b": [110] * 6}), target=TARGET, by=["wd"])
    said = answer(found.groups, [dearer], target=TARGET, unit="steps")
    assert "a comes first" in said
    assert "which is the cheapest is undecided" in said
