from dataclasses import replace

import polars as pl
import pytest

from grokscope.dashboard.state.session import StoreSession
from grokscope.dashboard.tables.runs.columns import FIRST, Shown, order_of, rows_of
from grokscope.dashboard.tables.runs.details import details
from grokscope.dashboard.tables.runs.groups import group_rows
from grokscope.dashboard.tables.runs.overview import runs_table
from grokscope.schemas import Date, Decision, Review, empty_points


@pytest.fixture(scope="module")
def session(sweep):
    return StoreSession(sweep.uri)


@pytest.fixture(scope="module")
def snapshot(session):
    return session.snapshot("sweep")


def rows(session, snapshot, shown):
    ids = snapshot.runs["run_id"].to_list()
    points = session.points(ids, shown.needed()) if shown.needed() else empty_points()
    return rows_of(snapshot, runs_table(snapshot), shown, points)


def test_a_column_that_applies_to_no_run_and_a_param_with_one_value_stay_away(session, snapshot):
    shown = Shown(params=("group", "setting"))
    order = order_of(rows(session, snapshot, shown), shown)
    assert order[:3] == ["run", "status", "held-out curve"]
    assert "params.group" in order
    assert not {"params.setting", "commit", "tags", "note", "parent"} & set(order)


def test_a_run_that_people_reviewed_says_what_they_decided_who_and_when(snapshot):
    run = next(run for run, verdict in snapshot.verdicts.items() if verdict.onset)
    at = Date(step=480, low=480, high=480)
    made = Review(
        subject="onset", decision=Decision.MOVED, date=at, reviewer="ann", time="2026-01-31T08:00:00Z"
    )
    by_hand = Review(subject="memorized", decision=Decision.REJECTED)
    verdict = replace(snapshot.verdicts[run], reviews=(by_hand, made))
    known = replace(snapshot, verdicts={**snapshot.verdicts, run: verdict})
    said = dict(details(known).select("run_id", "reviewed").iter_rows())
    assert said.pop(run) == "onset moved to step 480 by ann, 2026-01-31; memorized rejected"
    assert set(said.values()) == {None}


def test_rows_are_sorted_by_any_column_with_what_is_missing_last(session, snapshot):
    for descending in (False, True):
        shown = Shown(sort="onset", descending=descending)
        onsets = rows(session, snapshot, shown)["onset"].to_list()
        dated = [onset for onset in onsets if onset is not None]
        assert dated == sorted(dated, reverse=descending)
        assert onsets[: len(dated)] == dated


def test_levels_of_any_metric_and_its_picture_are_columns(session, snapshot):
    shown = Shown(
        columns=FIRST, metrics=("weights/norm",), statistics=("last", "lowest"), curve="weights/norm"
    )
    table = rows(session, snapshot, shown)
    row = table.row(by_predicate=pl.col("run") == "decay 0", named=True)
    assert (row["weights/norm · last"], row["weights/norm · lowest"]) == (40.0, 20.0)
    assert (row["held-out curve"][0], row["held-out curve"][-1]) == (0.0, 1.0)
    assert order_of(table, shown).index("weights/norm · last") < order_of(table, shown).index("seed")


def test_a_group_counts_who_generalized_and_its_median_counts_who_has_not(snapshot):
    decay, none = group_rows(snapshot, runs_table(snapshot)).iter_rows(named=True)
    onsets = sorted(v.onset.step for v in snapshot.verdicts.values() if v.generalized)
    assert (decay["group"], decay["generalized"], decay["collapsed"]) == ("decay", "3 of 5", 0)
    assert decay["median onset"] == onsets[-1]
    assert (none["generalized"], none["median onset"], none["median 95 %"]) == ("0 of 2", None, None)
