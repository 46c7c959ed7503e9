from dataclasses import replace

import polars as pl
import pytest

from grokscope.dashboard.state.session import StoreSession
from grokscope.dashboard.tables.runs.overview import SPARK_POINTS, groups_table, lost_at, runs_table
from grokscope.schemas import Kind, Pattern, Transition, Verdict


@pytest.fixture(scope="module")
def snapshot(sweep):
    return StoreSession(sweep.uri).snapshot("sweep")


def test_a_run_that_grokked_is_one_row_of_dates_and_numbers(snapshot):
    row = runs_table(snapshot).row(by_predicate=named("decay 0"), named=True)
    verdict = snapshot.verdicts[row["run_id"]]
    assert row["status"] == "finished"
    assert row["pattern"] == "Grokking"
    assert row["memorized"] == verdict.memorized.step
    assert row["onset"] == verdict.onset.step
    assert row["onset 95 %"] == f"[{verdict.onset.low}, {verdict.onset.high}]"
    assert row["delay"] == verdict.delay.steps
    assert row["delay ratio"] == verdict.delay.ratio
    assert row["final"] == pytest.approx(1.0, abs=0.01)
    assert (row["group"], row["seed"]) == ("decay", 0)


def test_a_run_that_did_not_grok_has_no_dates_of_generalization(snapshot):
    row = runs_table(snapshot).row(by_predicate=named("none 0"), named=True)
    assert row["pattern"] == "Fit only"
    dates = ("onset", "onset 95 %", "midpoint", "completion", "delay", "delay ratio")
    assert [row[name] for name in dates] == [None] * 6


def test_the_collapse_of_a_run_is_dated_where_it_lost_for_good_what_it_had_reached():
    fell = Transition(run_id="a", metric="val/accuracy", kind=Kind.COLLAPSE, step=70, low=69, high=71)
    lost = Verdict(run="a", pattern=Pattern.COLLAPSE, transitions=[fell])
    assert [lost_at(one) for one in (lost, replace(lost, pattern=Pattern.GROKKING), None)] == [70, None, None]


def test_status_tells_training_from_silent_from_finished(snapshot):
    table = runs_table(snapshot)
    assert dict(table.group_by("status").len().iter_rows()) == {"finished": 5, "training": 1, "silent": 1}


def test_a_sparkline_ends_where_its_run_has_arrived(snapshot):
    table = runs_table(snapshot)
    lengths = dict(zip(table["run"], table["held-out curve"].list.len(), strict=True))
    assert lengths["decay 0"] == SPARK_POINTS
    assert 0 < lengths["was killed"] < lengths["in training"] < SPARK_POINTS


def test_a_groups_result_counts_all_its_runs_and_dates_those_that_grokked(snapshot):
    decay, none = groups_table(runs_table(snapshot), snapshot.groups()).iter_rows(named=True)
    onsets = sorted(v.onset.step for v in snapshot.verdicts.values() if v.generalized)
    assert (decay["group"], decay["runs"], decay["grokked"]) == ("decay", 5, 3)
    assert decay["median onset"] == onsets[1]
    assert decay["onset range"] == f"{onsets[0]} – {onsets[-1]}"
    assert (none["group"], none["runs"], none["grokked"], none["median onset"]) == ("none", 2, 0, None)


def named(name):
    return pl.col("run") == name
