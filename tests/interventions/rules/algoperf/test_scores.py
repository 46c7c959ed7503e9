"""AlgoPerf's rule on cases small enough to score by hand."""

import math

import polars as pl
import pytest

from grokscope.interventions.rules.algoperf.scores import algoperf_scores
from grokscope.interventions.rules.algoperf.targets import AlgoPerfTargets
from grokscope.interventions.rules.algoperf.trials import AlgoPerfRunsError, study_times_of, trials_of

FIELDS = ["submission", "workload", "study", "trial", "step", "seconds", "metric", "value"]


def targets(base=("p", "q"), held_out=("p_x",), **levels):
    """Return a targets file; the level of every workload is 1, of a loss unless told otherwise."""
    metrics = {name: levels.get(name, ("loss", 1.0)) for name in (*base, *held_out, *levels)}
    return {
        "base_workloads": list(base),
        "held_out_workloads": list(held_out),
        "workloads": {
            name: {"target_metric_name": metric, "validation_target_value": level, "step_hint": 9}
            for name, (metric, level) in metrics.items()
        },
    }


def trial(submission, workload, study, *evaluations, number=1, metric="validation/loss"):
    """Return the rows of one trial from (seconds, value) of its evaluations, a hundred steps apart."""
    return [
        (submission, workload, study, number, 100 * place, float(seconds), metric, float(value))
        for place, (seconds, value) in enumerate(evaluations, start=1)
    ]


def studies(submission, workload, *seconds):
    """Return rows of one trial a study that reaches a loss of 1 after so many seconds; ∞ never does."""
    ends = [(9, 2) if math.isinf(at) else (at, 1) for at in seconds]
    return [row for study, end in enumerate(ends) for row in trial(submission, workload, study, end)]


def frame(*trials):
    """Return the rows of trials as a frame, last row first."""
    rows = [row for rows in trials for row in rows]
    return pl.DataFrame(rows[::-1], schema=FIELDS, orient="row")


def result_of(rows, data, **options):
    return algoperf_scores(rows, AlgoPerfTargets.parse(data), draws=50, **options)


def scores_of(rows, data):
    return {name: estimate.value for name, estimate in result_of(rows, data).scoreboard.scores.items()}


def time_of(*trials, data):
    times = study_times_of(trials_of(frame(*trials), AlgoPerfTargets.parse(data)))
    return dict(times.select("group", "cost").rows())


def within(tau):
    """Area of one workload whose ratio is just above a place of the grid of a hundred factors."""
    return (98.5 - math.floor((tau - 1) * 33)) / 99


THREE = (
    studies("a", "p", 10, 20, math.inf),  # median 20
    studies("b", "p", 40, 40.4, 41),
    studies("c", "p", 100, 100, 100),  # above 4 × 20
    studies("a", "q", 30.2, 30.2, 30.2),
    studies("b", "q", 10, 10, math.inf),
    studies("c", "q", 10, math.inf, math.inf),  # most failed
)


def test_a_score_is_the_area_of_the_shares_of_workloads_within_a_factor_of_the_fastest():
    held_out = (studies("a", "p_x", 7), studies("b", "p_x", 7), studies("c", "p_x", 7))
    assert scores_of(frame(*THREE, *held_out), targets()) == pytest.approx(
        {"b": (1 + within(2.02)) / 2, "a": (1 + within(3.02)) / 2, "c": 0.0}
    )


def test_a_held_out_variant_that_is_not_reached_voids_its_base_workload():
    held_out = (studies("a", "p_x", math.inf), studies("b", "p_x", 7))
    # Without a, b is the fastest of those that count on p.
    result = result_of(frame(*THREE, *held_out), targets())
    assert result.scoreboard.scores["a"].value == pytest.approx(within(3.02) / 2)
    assert result.scoreboard.scores["b"].value == pytest.approx(1.0)
    reasons = {(group, name): why for group, name, *_, why in result.times.rows()}
    assert reasons["a", "p"] == "held-out p_x: 0 of 1 studies reached the target"
    assert reasons["b", "p"] is None
    assert reasons["c", "p"] == "more than 4 times the fastest"
    assert reasons["c", "q"] == "1 of 3 studies reached the target"


def test_a_held_out_variant_above_four_times_the_fastest_voids_its_base_workload():
    held_out = (studies("a", "p_x", 29), studies("b", "p_x", 7))
    result = result_of(frame(*THREE, *held_out), targets())
    assert result.times.row(0, named=True)["missing"] == "held-out p_x: more than 4 times the fastest"
    assert result.scoreboard.scores["b"].value == pytest.approx(1.0)


def test_a_variant_does_not_count_as_the_fastest_where_its_base_workload_is_not_reached():
    rows = (
        studies("a", "p", 10),
        studies("a", "p_x", 50),
        studies("d", "p", math.inf),
        studies("d", "p_x", 1),
    )
    assert scores_of(frame(*rows), targets(base=("p",))) == pytest.approx({"a": 1.0, "d": 0.0})


def test_of_a_study_the_trial_with_the_earliest_evaluation_counts_not_the_one_with_the_least_seconds():
    data = targets(base=("p",), held_out=())
    slow = trial("a", "p", 0, (25, 2), (50, 1), number=2)
    quick = trial("a", "p", 0, (10, 2), (20, 2), (30, 1), number=1)
    assert time_of(quick, slow, data=data) == {"a": 50.0}
    # Of equal evaluations the first trial counts, and ten comes after two.
    other = trial("a", "p", 0, (1, 2), (2, 1), number=10)
    assert time_of(other, slow, data=data) == {"a": 50.0}


def test_only_the_first_evaluation_at_or_beyond_the_target_counts_and_nan_is_none():
    data = targets(base=("p", "u"), held_out=(), u=("accuracy", 0.9))
    rows = (
        trial("a", "p", 0, (5, math.nan), (6, 1.0), (7, 2.0)),
        trial("b", "u", 0, (5, math.nan), (6, 0.89), (7, 0.9), metric="validation/accuracy"),
        trial("c", "u", 0, (5, 0.95), metric="train/accuracy"),
    )
    assert time_of(*rows, data=data) == {"a": 6.0, "b": 7.0, "c": math.inf}
    found = trials_of(frame(*rows), AlgoPerfTargets.parse(data)).sort("submission")
    assert found["evaluation"].to_list() == [1, 2, None]


def test_a_workload_that_nobody_ran_counts_as_not_reached_and_a_variant_that_nobody_ran_voids_nothing():
    result = result_of(frame(studies("a", "p", 10), studies("a", "r", 1)), targets())
    assert result.scoreboard.scores["a"].value == pytest.approx(0.5)
    assert result.caveats[:3] == (
        "No run is of q: reached by nobody, so no score can be above 1/2.",
        "No run is of the held-out p_x: these variants void nothing.",
        "Passed over, because the targets do not have these workloads: r.",
    )


def test_rows_without_a_name_or_without_seconds_are_passed_over():
    named = frame(studies("a", "p", 10), studies("b", "p", 20))
    odd = named.with_columns(submission=pl.lit(None, pl.String), seconds=pl.lit(1.0))
    lost = named.with_columns(trial=pl.lit(9), seconds=pl.lit(math.nan))
    result = result_of(pl.concat([named, odd, lost], how="vertical_relaxed"), targets(base=("p",)))
    assert list(result.scoreboard.scores) == ["a", "b"]
    assert (result.trials, result.reached) == (4, 2)


def test_missing_runs_and_smaller_tuning_budgets_are_named():
    rows = (studies("a", "p", 10, 11), studies("b", "p", 10, 10), studies("c", "p", 9), studies("a", "q", 1))
    result = result_of(frame(*rows), targets(held_out=()))
    assert result.caveats[:2] == (
        "No runs, so not reached: b of q; c of q.",
        "Fewer trials than most submissions have, which is a smaller tuning budget: c of p (1 of 2).",
    )
    assert "of which a submission has at most 2" in result.caveats[-1]


def test_runs_that_the_rule_cannot_be_applied_to_are_refused():
    parsed = AlgoPerfTargets.parse(targets())
    runs = frame(studies("a", "elsewhere", 1))
    with pytest.raises(AlgoPerfRunsError, match="missing: submission, trial"):
        algoperf_scores(runs.drop("submission", "trial"), parsed)
    with pytest.raises(AlgoPerfRunsError, match="with a target; the runs are of elsewhere"):
        algoperf_scores(runs, parsed)
    with pytest.raises(AlgoPerfRunsError, match="the runs are of none"):
        algoperf_scores(runs.clear(), parsed)
