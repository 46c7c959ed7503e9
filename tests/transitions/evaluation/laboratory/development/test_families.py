"""Every family of the development half gives runs whose truth is whole and can be seen in their points."""

import numpy as np
import pytest

from grokscope.schemas import Kind, Pattern, as_points, verdict_to_json
from grokscope.transitions.evaluation.laboratory.development.coverage import KINDS, QUIET
from grokscope.transitions.evaluation.laboratory.development.families import FAMILIES
from grokscope.transitions.evaluation.laboratory.judging import drawn, engine, judge

ALL = [*FAMILIES, *KINDS, *QUIET]
EVENTS = {kind.value for kind in Kind} | {"overfitting", "dip"}
PER_FAMILY = pytest.mark.parametrize("family", ALL, ids=[family.name for family in ALL])


def test_names_are_unique_and_say_something():
    assert len({family.name for family in FAMILIES}) == len(FAMILIES) >= 24
    assert all(family.says.endswith(".") for family in ALL)


def test_every_pattern_is_the_truth_of_some_family():
    assert {drawn(family, 0).truth.pattern for family in FAMILIES} == set(Pattern)


@PER_FAMILY
def test_equal_seeds_make_equal_runs_and_others_do_not(family):
    first, again, other = (drawn(family, seed) for seed in (3, 3, 4))
    assert first.points.equals(again.points)
    assert first.truth == again.truth
    assert not first.points.equals(other.points)


@PER_FAMILY
def test_points_are_a_valid_log_and_the_truth_lies_within_it(family):
    for seed in range(3):
        run = drawn(family, seed)
        truth, steps = run.truth, run.points["step"]
        as_points(run.points)
        low, high = steps.min(), steps.max()
        if truth.onset is not None:
            assert low <= truth.onset < truth.midpoint < high
        for kind, (begin, end) in truth.events:
            assert kind in EVENTS
            assert low <= begin <= end <= high
        assert truth.pattern not in truth.accept
        if truth.is_negative:
            assert truth.onset is None
            assert Pattern.GROKKING not in {truth.pattern, *truth.accept}


@PER_FAMILY
def test_the_engine_judges_it_without_a_complaint(family):
    run = drawn(family, 0)
    verdict = engine(run.points)
    assert verdict is not None
    assert verdict_to_json(verdict)
    assert len(judge(run, verdict).events) == len(run.truth.events)


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_half_of_the_evaluations_after_the_midpoint_are_more_than_half_way(kind):
    run = drawn(kind, 0)
    test = run.points.filter(metric="test/accuracy")
    steps, values = (test[name].to_numpy() for name in ("step", "value"))
    half = (np.median(values[:3]) + np.max(values)) / 2
    assert np.mean(values[steps > run.truth.midpoint] > half) > 0.5
    assert np.mean(values[steps < run.truth.onset] < half) > 0.9
