"""The comparison of groups on the page: costs of runs, groups against a baseline, and the answer in words."""

import polars as pl
import pytest

from grokscope.dashboard.state.data import RUNS_SCHEMA, Snapshot
from grokscope.dashboard.state.narrowing import grouped
from grokscope.dashboard.state.session import StoreSession
from grokscope.dashboard.tables.interventions.answer import said_of
from grokscope.dashboard.tables.interventions.goals import Goal, first_level, first_sign
from grokscope.dashboard.tables.interventions.groups import (
    FEW_MEANS,
    GROUPS,
    MOST_MEANS,
    SHOWN,
    followed,
    groups_of,
    shown_groups,
)
from grokscope.dashboard.tables.interventions.reaching import (
    REACHING,
    count_unreadable,
    metric_points,
    reaching,
)
from grokscope.dashboard.tables.x_units import STEPS
from grokscope.interventions.contrasts.speed_up import speed_up
from grokscope.interventions.outcomes.costs import CensoredCosts
from grokscope.interventions.outcomes.target import Target
from grokscope.interventions.survival.reached_by import reached_by
from grokscope.schemas import CurveOutcome, Pattern, Verdict

EVIL = "![x](http://evil.example) <img src=x> $x$"


def rows_of(*runs):
    """Rows of ``REACHING`` from (group, cost or None, end); a run that is not there was trained for 100."""
    made = [
        {
            "run_id": str(i),
            "run": f"run {i}",
            "group": group,
            "is_setting": True,
            "reached": cost is not None,
            "at": 100.0 if cost is None else cost,
            "low": 100.0 if cost is None else cost - 1,
            "high": cost,
            "spent": 100.0,
            "last": 0.0,
            "evaluations": 50,
            "end": end,
            "lost": False,
        }
        for i, (group, cost, end) in enumerate(runs)
    ]
    return pl.DataFrame(made, schema=REACHING)


def of_costs(**costs):
    return rows_of(*((g, c, "reached" if c else "finished") for g, values in costs.items() for c in values))


def answer_to(rows, *, baseline=None, goal=None):
    return said_of(rows, groups_of(rows, baseline=baseline, budget=None), goal=goal or Goal(), unit=STEPS)


FAST, SLOW = [10.0, 12.0, 14.0, 16.0, 18.0, 20.0], [30.0, 36.0, 42.0, 48.0, 54.0, 60.0]


def test_speed_ups_are_over_the_baseline_that_was_chosen_and_of_the_library():
    rows = of_costs(slow=SLOW, fast=FAST)
    found = groups_of(rows, baseline="slow", budget=None)
    assert (found.baseline, found.is_chosen, found.table["group"].to_list()) == (
        "slow",
        True,
        ["fast", "slow"],
    )
    samples = [CensoredCosts.of(rows.filter(group=name)) for name in ("fast", "slow")]
    assert found.contrasts["fast"].speed_up == speed_up(*samples)
    assert found.contrasts["fast"].speed_up.value == pytest.approx(3, abs=0.1)
    shown = shown_groups(found, factor=2.0)
    assert shown.schema == SHOWN
    assert shown.select("group", "median", "speed-up", "p").rows()[1] == ("slow", 21.0, 1.0, None)
    assert shown["p"][0] == pytest.approx(2 / 924)


def test_without_a_choice_the_cheapest_is_the_baseline_and_p_counts_all_pairs():
    rows = of_costs(slow=SLOW, fast=FAST, other=[31.0, 37.0, 43.0, 49.0, 55.0, 61.0])
    found = groups_of(rows, baseline=None, budget=None)
    assert (found.baseline, found.is_chosen) == ("fast", False)
    # Holm over three pairs, of which the third is not told: the least p counts three times.
    assert found.contrasts["slow"].adjusted_p == pytest.approx(3 * 2 / 924)
    assert found.contrasts["slow"].speed_up.value < 1


def test_a_group_that_is_not_there_counts_as_no_baseline():
    assert groups_of(of_costs(a=FAST, b=SLOW), baseline="gone", budget=None).baseline == "a"


def test_shares_and_means_are_up_to_the_budget_that_was_chosen():
    rows = of_costs(a=[10.0, 20.0, 30.0, None, None, None], b=SLOW)
    assert followed(rows) == 100.0
    found = groups_of(rows, baseline=None, budget=25.0)
    row = found.table.filter(group="a").row(0, named=True)
    library = reached_by(CensoredCosts.of(rows.filter(group="a")), 25.0)
    assert (row["share"], row["share_low"], row["share_high"]) == (library.value, library.low, library.high)
    assert row["mean"] == pytest.approx((10 + 20 + 4 * 25) / 6)
    assert found.budget == 25.0
    assert found.table.schema == GROUPS


def test_many_groups_have_means_without_intervals_but_for_the_cheapest():
    groups = {f"g{i:02}": [float(10 + i)] * 2 for i in range(MOST_MEANS + 3)}
    table = groups_of(of_costs(**groups), baseline=None, budget=None).table
    assert table["mean"].null_count() == 0
    assert table["mean_low"].is_not_null().to_list() == [True] * FEW_MEANS + [False] * MOST_MEANS


def test_the_answer_names_the_cheapest_group_with_interval_and_p():
    said = answer_to(of_costs(fast=FAST, slow=SLOW))
    assert said.is_answer
    assert said.headline == (
        "**fast** generalized in the fewest steps: 6 of 6 runs, median 14 steps [9 – 20 steps]. "
        "Next comes slow with 3.05 [2.07, 4.62] times as much (p = 0.0022)."
    )


def test_that_no_run_of_the_other_groups_is_there_is_said():
    said = answer_to(of_costs(fast=FAST, slow=[None] * 6))
    assert "None of the other 6 runs did. Next comes slow (p = " in said.headline


def test_few_runs_are_told_first_that_nothing_can_be_shown():
    said = answer_to(of_costs(fast=FAST[:3], slow=SLOW[:3]))
    assert said.headline.startswith(
        "No result of 3 v 3 runs can have a p below 0.1; 4 v 4 can reach 0.029. "
        "**fast** comes first (3 of 3 runs generalized"
    )
    assert said.caveats == ["No group has 6 runs: below that a median has no interval without a model."]


def test_below_three_finished_runs_a_group_is_in_no_headline():
    rows = rows_of(*(("a", 10.0, "reached"),) * 2, *(("b", 20.0, "reached"),) * 3)
    said = answer_to(rows)
    assert not said.is_answer
    assert said.headline.startswith(
        "No group is called the cheapest: that takes two groups of 3 finished runs, and of 2 groups only "
        "one has so many."
    )
    three = rows_of(
        *(("a", 10.0, "reached"),) * 2, *(("b", 20.0, "reached"),) * 3, *(("c", 30.0, "reached"),) * 3
    )
    said = answer_to(three)
    assert "**b** comes first" in said.headline
    assert said.caveats[0] == "1 group has fewer than 3 finished runs and cannot come first."


def test_runs_in_training_are_no_finished_runs():
    rows = rows_of(*(("a", None, "running"),) * 4, *(("b", 20.0, "reached"),) * 4)
    said = answer_to(rows)
    assert not said.is_answer
    assert "4 runs still training: counted as not there yet." in said.caveats


def test_diverged_and_collapsed_runs_are_counted_apart():
    rows = rows_of(*(("a", 10.0, "reached"),) * 3, ("a", None, "diverged"), *(("b", 20.0, "reached"),) * 4)
    rows = rows.with_columns(lost=pl.Series([False] * 7 + [True]))
    table = groups_of(rows, baseline=None, budget=None).table
    assert table.select("group", "diverged", "lost").rows() == [("a", 1, 0), ("b", 0, 1)]
    caveats = answer_to(rows).caveats
    assert "1 run diverged: counted as never getting there." in caveats
    assert "1 run ended without the level again: the first evaluation counts." in caveats


def test_where_nobody_is_there_no_group_is_named():
    said = answer_to(of_costs(a=[None] * 3, b=[None] * 3))
    assert said.headline == "None of 6 runs generalized; the longest was trained for 100 steps."
    assert not said.is_answer


def test_one_group_has_nothing_to_be_compared_with():
    assert "There is one group" in answer_to(of_costs(a=FAST)).headline


def test_names_of_groups_and_metrics_are_escaped():
    goal = Goal(target=Target(metric=EVIL, sign=">=", level=0.9))
    said = answer_to(of_costs(**{EVIL: FAST, "b": SLOW}), baseline="b", goal=goal)
    assert "<img" not in said.headline.replace("\\<", "")
    assert "](" not in said.headline


def test_a_run_at_the_target_from_its_start_has_no_ratio():
    rows = of_costs(a=[10.0, 11.0, 12.0], b=[20.0, 21.0, 22.0])
    zero = rows.with_columns(high=pl.when(pl.col("at") == 10).then(0.0).otherwise("high"), low=pl.lit(0.0))
    found = groups_of(zero, baseline="b", budget=None)
    assert found.contrasts["a"].speed_up.value is None
    assert found.contrasts["a"].p is None


@pytest.fixture(scope="module")
def collapsing(new_training, tmp_path_factory, curves):
    """Three runs that generalize, and one that generalizes and then falls back to chance."""
    training = new_training(tmp_path_factory.mktemp("collapsing") / "mlflow.db")
    experiment = training.experiment("collapsing")
    for seed in range(3):
        training.run(experiment, f"kept {seed}", curves(groks=True), params={"wd": "1", "seed": seed})
    fallen = [
        (
            key,
            (0.02 if key == "test/accuracy" else 4.0) if step > 1500 and key.startswith("test/") else value,
            step,
        )
        for key, value, step in curves(groks=True)
    ]
    training.run(experiment, "lost", fallen, params={"wd": "1", "seed": 3})
    return StoreSession(training.uri).snapshot("collapsing")


def test_a_run_that_lost_what_it_had_never_got_there_by_its_verdict(collapsing):
    rows = reaching(collapsing, Goal(), STEPS)
    assert rows.schema == REACHING
    lost = rows.filter(run="lost").row(0, named=True)
    assert (lost["reached"], lost["lost"], lost["at"], lost["high"]) == (False, True, 2000.0, None)
    assert rows["reached"].sum() == 3


def test_by_a_level_of_a_metric_its_first_evaluation_counts_and_that_it_was_lost_is_kept(collapsing):
    points = metric_points(collapsing, "test/accuracy")
    goal = Goal(target=Target.parse("test/accuracy>=0.9"))
    rows = reaching(collapsing, goal, STEPS, points)
    assert rows["reached"].all()
    assert rows.filter("lost")["run"].to_list() == ["lost"]
    first = points.filter(pl.col("value") >= 0.9)["step"].min()
    assert set(rows["high"]) == {float(first)}
    assert count_unreadable(collapsing, rows) == 0


def test_runs_without_a_setting_are_not_compared(collapsing):
    ungrouped = grouped(collapsing, [])
    rows = reaching(ungrouped, Goal(), STEPS)
    assert not rows["is_setting"].any()
    assert groups_of(rows, baseline=None, budget=None).table["runs"].to_list() == [4]


@pytest.mark.parametrize(
    ("metric", "sign", "values", "level"),
    [
        ("test/accuracy", ">=", [1.0, 0.02, 0.03], 0.95),
        ("test/accuracy", ">=", [0.4, 0.61234, 0.7], 0.612),
        ("val_loss", "<=", [3.2768, 3.3, 3.1], 3.28),
        ("test/loss", "<=", [float("nan")], 0.0),
    ],
)
def test_a_level_to_begin_with_is_one_that_half_of_the_runs_reach(metric, sign, values, level):
    assert first_sign(metric) == sign
    assert first_level(metric, values, sign=sign) == level


def test_a_run_that_has_just_begun_is_no_limit_to_what_all_groups_are_compared_up_to():
    rows = rows_of(
        ("a", 50.0, "reached"), ("a", None, "finished"), ("b", None, "finished"), ("c", None, "running")
    )
    young = pl.col("group") == "c"
    early = [pl.when(young).then(7.0).otherwise(name).alias(name) for name in ("at", "low", "spent")]
    rows = rows.with_columns(early)
    assert followed(rows) == 100.0
    assert followed(rows.filter(young)) == 7.0
    assert groups_of(rows, baseline=None, budget=None).table["group"].to_list() == ["a", "b", "c"]


def test_runs_of_which_nobody_can_tell_whether_they_generalized_are_no_failures():
    def judged(metric, pattern, **more):
        own = CurveOutcome(metric=metric, split="val", pattern=pattern)
        return Verdict(run=metric, pattern=pattern, outcomes=[own], **more)

    verdicts = [
        judged("val/perplexity", Pattern.OTHER),
        judged("val/loss", Pattern.OTHER),
        judged("val/accuracy", Pattern.OTHER),
        judged("val/f1", Pattern.MEMORIZATION),
    ]
    runs = (
        RUNS_SCHEMA.to_frame()
        .clear(len(verdicts))
        .with_columns(
            run_id=pl.Series([verdict.run for verdict in verdicts]),
            label=pl.Series([verdict.run for verdict in verdicts]),
            group=pl.lit("g"),
            status=pl.lit("FINISHED"),
            step=pl.lit(100, pl.Int64),
            silent=pl.lit(value=False),
        )
    )
    snapshot = Snapshot(runs=runs, verdicts={verdict.run: verdict for verdict in verdicts})
    assert reaching(snapshot, Goal(), STEPS)["run_id"].to_list() == ["val/accuracy", "val/f1"]
