"""Families written without knowledge of the engine: what they draw is valid, and what they claim holds."""

import math

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from grokscope.schemas import Pattern, as_points
from grokscope.transitions.evaluation.laboratory.unseen.families import FAMILIES

DRAWS = 3
KINDS = {"overfitting", "collapse", "dip", "generalization", "double_descent", "phase_change", "divergence"}


def drawn(family, seed):
    return family.draw(np.random.default_rng([seed, *family.name.encode()]))


@pytest.fixture(scope="module")
def runs():
    return {family.name: [drawn(family, seed) for seed in range(DRAWS)] for family in FAMILIES}


def test_there_are_enough_families_each_with_a_name_of_its_own_and_a_sentence():
    assert len({family.name for family in FAMILIES}) == len(FAMILIES) >= 24
    assert all(family.says.endswith(".") for family in FAMILIES)


def test_every_run_is_a_frame_of_points_with_enough_evaluations(runs):
    for name, drawings in runs.items():
        for run in drawings:
            points = as_points(run.points)
            assert points.columns[:2] == ["run_id", "metric"], name
            assert points.group_by("metric").len()["len"].max() >= 8, name
            assert points["step"].min() >= 0, name


def test_few_values_are_no_number_unless_the_run_diverges(runs):
    for name, drawings in runs.items():
        for run in drawings:
            if "diverge" not in name:
                broken = run.points.group_by("metric").agg(pl.col("value").is_nan().mean())
                assert broken["value"].max() <= 0.01, name


def test_dates_lie_in_order_within_the_log(runs):
    for name, drawings in runs.items():
        for run in drawings:
            if run.truth.onset is None:
                assert run.truth.midpoint is None, name
                continue
            first, last = run.points["step"].min(), run.points["step"].max()
            assert first < run.truth.onset < run.truth.midpoint < last, name


def test_what_groks_has_dates_and_is_no_negative(runs):
    for name, drawings in runs.items():
        for run in drawings:
            assert (run.truth.pattern is not Pattern.GROKKING) or run.truth.onset, name
            assert not (run.truth.is_negative and run.truth.onset), name
            assert not (run.truth.is_negative and Pattern.GROKKING in run.truth.accept), name


def test_brackets_are_ordered_within_the_log_and_hold_an_evaluation(runs):
    for name, drawings in runs.items():
        for run in drawings:
            steps = run.points["step"]
            for _, (low, high) in run.truth.events:
                assert steps.min() <= low < high <= steps.max(), name
                assert math.isfinite(low + high), name
                assert steps.is_between(low, high).any(), name


def test_equal_generators_make_equal_runs(runs):
    for family in FAMILIES:
        again = drawn(family, 0)
        assert_frame_equal(again.points, runs[family.name][0].points)
        assert again.truth == runs[family.name][0].truth


def test_other_generators_make_other_runs(runs):
    for name, (first, second, *_) in runs.items():
        assert not first.points.equals(second.points), name


def test_every_pattern_and_every_kind_of_event_occurs(runs):
    truths = [run.truth for drawings in runs.values() for run in drawings]
    assert {truth.pattern for truth in truths} == set(Pattern)
    assert {kind for truth in truths for kind, _ in truth.events} == KINDS


def test_what_is_accepted_besides_is_another_pattern(runs):
    for name, drawings in runs.items():
        assert all(run.truth.pattern not in run.truth.accept for run in drawings), name
