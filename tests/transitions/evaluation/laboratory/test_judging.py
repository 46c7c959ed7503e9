"""Judging counts what oracles whose mistakes are known got right and wrong."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from grokscope.schemas import Date, Kind, Pattern, Transition, Verdict
from grokscope.transitions.evaluation.laboratory.family import Family, LabRun, Truth
from grokscope.transitions.evaluation.laboratory.judging import judge, judged
from grokscope.transitions.evaluation.laboratory.tables import (
    by_family,
    by_kind,
    macro_f1,
    summary,
    wrong_runs,
)

STEPS = np.arange(0, 1001, 100)
POINTS = pl.DataFrame({"metric": ["test/accuracy"] * 11, "step": STEPS, "value": np.linspace(0, 1, 11)})
GROKKED = Truth(
    pattern=Pattern.GROKKING, onset=450.0, midpoint=520.0, events=(("generalization", (430.0, 700.0)),)
)
QUIET = Truth(pattern=Pattern.MEMORIZATION, accept=frozenset({Pattern.OTHER}), is_negative=True)


def event(kind: Kind, step: int, low: int | None = None) -> Transition:
    return Transition(run_id="run", metric="m", kind=kind, step=step, low=low or step, high=step)


RIGHT = Verdict(
    run="run",
    pattern=Pattern.GROKKING,
    onset=Date(step=460, low=400, high=500),
    midpoint=Date(step=520, low=500, high=600),
    transitions=(event(Kind.GENERALIZATION, 520),),
)


def judgement(truth: Truth, verdict: Verdict | None):
    return judge(LabRun(points=POINTS, truth=truth), verdict)


def test_a_perfect_verdict_is_right_in_everything():
    found = judgement(GROKKED, RIGHT)
    assert found.is_right
    assert (found.onset, found.covers_onset, found.covers_midpoint) == (True, True, True)
    assert (found.onset_width, found.midpoint_width) == (1, 1)
    assert (found.events, found.false_events, found.false_alarm) == ((True,), (), None)
    assert list(wrong_runs([found])) == []


def test_a_wrong_verdict_is_wrong_in_everything():
    wrong = Verdict(
        run="run",
        pattern=Pattern.COLLAPSE,
        onset=Date(step=800, low=700, high=900),
        midpoint=Date(step=900, low=850, high=1000),
        transitions=(event(Kind.COLLAPSE, 900),),
    )
    found = judgement(GROKKED, wrong)
    assert not found.is_right
    assert (found.onset, found.covers_onset, found.covers_midpoint) == (False, False, False)
    assert (found.events, found.false_events) == ((False,), ("collapse",))
    assert len(list(wrong_runs([found]))) == 1


def test_a_run_that_is_refused_is_wrong_and_its_dates_are_missed():
    found = judgement(GROKKED, None)
    assert (found.is_right, found.pattern, found.onset, found.covers_onset) == (False, None, False, None)


def test_an_accepted_pattern_is_right_and_counts_as_the_true_one():
    found = judgement(QUIET, Verdict(run="run", pattern=Pattern.OTHER))
    assert (found.is_right, found.pattern) == (True, Pattern.MEMORIZATION)


@pytest.mark.parametrize(("step", "is_hit"), [(379, False), (381, True), (524, True), (526, False)])
def test_an_onset_may_lie_an_evaluation_and_a_little_beside_the_true_one(step, is_hit):
    onset = replace(RIGHT, onset=Date(step=step, low=step, high=step))
    assert judgement(GROKKED, onset).onset is is_hit


@pytest.mark.parametrize("kind", [Kind.GENERALIZATION, Kind.PHASE_CHANGE])
def test_one_change_has_two_names(kind):
    found = judgement(GROKKED, replace(RIGHT, transitions=(event(kind, 600),)))
    assert (found.events, found.false_events) == ((True,), ())


def test_grokking_and_generalization_after_the_fit_are_alarms_where_nothing_comes_late():
    memorized, late = Date(step=200, low=100, high=200), event(Kind.GENERALIZATION, 600, low=500)
    together = event(Kind.GENERALIZATION, 200, low=100)
    told = {
        "grokking": Verdict(run="run", pattern=Pattern.GROKKING),
        "late": Verdict(run="run", pattern=Pattern.OTHER, memorized=memorized, transitions=(late,)),
        "together": Verdict(run="run", pattern=Pattern.OTHER, memorized=memorized, transitions=(together,)),
        "nothing": Verdict(run="run", pattern=Pattern.MEMORIZATION),
        "never fit": Verdict(run="run", pattern=Pattern.COMPREHENSION, transitions=(late,)),
    }
    alarms = {name for name, verdict in told.items() if judgement(QUIET, verdict).false_alarm}
    assert alarms == {"grokking", "late"}


def test_an_onset_that_only_an_event_tells_counts():
    onset = Date(step=460, low=400, high=500)
    change = replace(event(Kind.PHASE_CHANGE, 600), onset=onset)
    found = judgement(GROKKED, Verdict(run="run", pattern=Pattern.OTHER, transitions=(change,)))
    assert (found.onset, found.covers_onset) == (True, True)


def test_macro_f1_counts_a_run_of_no_scored_pattern_against_the_one_it_was_taken_for():
    other = Truth(pattern=Pattern.OTHER)
    memorized = Verdict(run="run", pattern=Pattern.MEMORIZATION)
    found = [judgement(GROKKED, RIGHT), judgement(QUIET, memorized), judgement(other, memorized)]
    assert macro_f1(found) == pytest.approx((1 + 2 / 3) / 2)


def test_tables_have_a_row_a_family_and_the_summary_counts():
    family = Family(name="late", says="...", draw=lambda _: LabRun(points=POINTS, truth=GROKKED))
    found = list(judged([family], seeds=range(4), oracle=lambda _: RIGHT))
    row = "| late | grokking | 100 % |  | 100 % | 100 % | 100 % |  |"
    assert [line for line in by_family(found) if line.startswith("| late")] == [row]
    assert list(by_kind(found))[-1] == "| late | 4 | 100 % | 100 % | 1 | 100 % | 1 |"
    assert next(summary(found)) == "runs 4, right 100 %"
    assert "refused 0" in list(summary(found))
