"""Scores of verdicts whose mistakes are known."""

import json
from pathlib import Path

import numpy as np
import pytest

from grokscope.schemas import Date, Kind, Pattern, Transition, Verdict
from grokscope.transitions.evaluation.scoring import Label, Tally, labels_from_json, score
from grokscope.transitions.evaluation.scoring import _widened as widened_label

GRID = {"a": np.array([0, 50, 100, 150, 200, 400])}
LABEL = Label(run="a", pattern=Pattern.GROKKING, onset=(100.0, 150.0))


def verdict(step: int, low: int, high: int) -> Verdict:
    return Verdict(run="a", pattern=Pattern.GROKKING, onset=Date(step=step, low=low, high=high))


def event(kind: Kind, metric: str, step: int) -> Transition:
    return Transition(run_id="a", metric=metric, kind=kind, step=step, low=step, high=step)


@pytest.mark.parametrize(("step", "hits"), [(49, 0), (50, 1), (120, 1), (200, 1), (201, 0)])
def test_an_onset_may_lie_one_evaluation_beside_its_label(step: int, hits: int):
    assert score([verdict(step, step, step)], [LABEL], steps=GRID).onset == Tally(hits=hits, total=1)


def test_an_interval_that_reaches_the_label_overlaps_although_its_step_misses():
    found = score([verdict(300, 180, 400)], [LABEL], steps=GRID)
    assert (found.onset.hits, found.overlap.hits) == (0, 1)
    assert found.width_decades == pytest.approx(np.log10(400 / 180))


def test_a_labelled_run_without_a_verdict_is_wrong_and_missed():
    found = score([], [LABEL], steps=GRID)
    assert found.wrong == [("a", "grokking", "missing")]
    assert (found.macro_f1, found.onset) == (0.0, Tally(hits=0, total=1))


@pytest.mark.parametrize("pattern", [Pattern.CONFUSION, Pattern.GROKKING, Pattern.MEMORIZATION])
def test_a_verdict_is_wrong_if_its_pattern_is_another_than_the_label(pattern: Pattern):
    found = score([Verdict(run="a", pattern=pattern)], [LABEL], steps=GRID)
    assert found.wrong == ([] if pattern is Pattern.GROKKING else [("a", "grokking", pattern.value)])


def test_macro_f1_averages_over_the_labelled_patterns():
    truth = [Pattern.GROKKING, Pattern.GROKKING, Pattern.MEMORIZATION, Pattern.MEMORIZATION]
    found = [Pattern.GROKKING, Pattern.MEMORIZATION, Pattern.MEMORIZATION, Pattern.MEMORIZATION]
    labels = [Label(run=str(i), pattern=p) for i, p in enumerate(truth)]
    verdicts = [Verdict(run=str(i), pattern=p) for i, p in enumerate(found)]
    assert score(verdicts, labels, steps={}).macro_f1 == pytest.approx((2 / 3 + 4 / 5) / 2)


def test_a_generalization_in_a_negative_run_is_a_false_alarm_whatever_the_pattern():
    alarm = Verdict(run="a", pattern=Pattern.MEMORIZATION, transitions=(event(Kind.GENERALIZATION, "m", 1),))
    label = Label(run="a", pattern=Pattern.MEMORIZATION, is_negative=True)
    assert score([alarm], [label], steps={}).false_alarms == Tally(hits=1, total=1)


@pytest.mark.parametrize(
    ("metric", "step", "hits"), [("x/acc", 950, 1), ("x/acc", 1200, 0), ("y/acc", 950, 0)]
)
def test_a_phase_change_has_to_be_found_on_its_metric_and_in_its_interval(metric: str, step: int, hits: int):
    found = Verdict(run="a", pattern=Pattern.OTHER, transitions=(event(Kind.PHASE_CHANGE, metric, step),))
    label = Label(run="a", pattern=Pattern.OTHER, phase_changes=[("x/acc", (512.0, 1000.0))])
    assert score([found], [label], steps={}).phase_change == Tally(hits=hits, total=1)


def test_labels_are_read_from_json_and_uncertain_ones_are_not_scored(tmp_path: Path):
    change = {"type": "phase_change", "metric": "x/acc", "interval": [1, 2]}
    raw = {
        "modded_nanogpt/b": {"pattern": "other", "onset": None, "events": [change], "confidence": "high"},
        "c": {"pattern": "grokking", "onset": [3, 4], "events": [], "confidence": "low"},
    }
    path = tmp_path / "labels.json"
    path.write_text(json.dumps(raw))
    assert labels_from_json(path) == [
        Label(
            run="modded_nanogpt/b",
            pattern=Pattern.OTHER,
            phase_changes=(("x/acc", (1, 2)),),
            is_negative=True,
        ),
        Label(run="c", pattern=Pattern.GROKKING, onset=(3.0, 4.0), is_certain=False),
    ]
    assert score([], labels_from_json(path), steps={}).onset == Tally(hits=0, total=0)


@pytest.mark.parametrize(
    ("grid", "widened"),
    [
        (None, (95.0, 157.5)),
        (np.array([100, 120]), (95.0, 157.5)),
        (np.array([50, 70, 90, 100, 150, 200, 400]), (90.0, 200.0)),
        (np.array([50, 98, 100, 151, 400]), (95.0, 157.5)),
    ],
)
def test_a_label_is_widened_by_one_evaluation_or_a_twentieth_whichever_is_more(grid, widened):
    assert widened_label((100.0, 150.0), grid) == pytest.approx(widened)


@pytest.mark.parametrize(
    ("found", "hits"), [(Kind.COLLAPSE, 1), (Kind.GENERALIZATION, 0), (Kind.RECOVERY, 0)]
)
def test_a_collapsed_run_is_found_by_a_collapse_and_by_no_other_event(found: Kind, hits: int):
    verdict = Verdict(run="a", pattern=Pattern.COLLAPSE, transitions=(event(found, "test/accuracy", 1),))
    scores = score([verdict], [Label(run="a", pattern=Pattern.COLLAPSE)], steps={})
    assert scores.collapse == Tally(hits=hits, total=1)


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.GENERALIZATION])
def test_no_event_but_a_generalization_is_a_false_alarm(kind: Kind):
    quiet = Verdict(run="a", pattern=Pattern.MEMORIZATION, transitions=(event(kind, "m", 1),))
    label = Label(run="a", pattern=Pattern.MEMORIZATION, is_negative=True)
    assert score([quiet], [label], steps={}).false_alarms == Tally(hits=0, total=1)
