"""Logs that repeat another log."""

import math

import numpy as np
import polars as pl
import pytest

from grokscope.interventions.rules.speedrun.copies import COPIES, copies_of


def logs(**runs):
    """Return runs from values at their steps."""
    rows = [(run, step, value) for run, values in runs.items() for step, value in values.items()]
    return pl.DataFrame(
        rows, schema={"run_id": pl.String, "step": pl.Int64, "value": pl.Float64}, orient="row"
    )


LONG = {10: 4.1, 20: 3.8, 30: 3.5, 40: 3.4, 50: 3.31}


def test_a_log_that_repeats_a_part_of_another_one_is_its_copy_whatever_it_is_called():
    part = {step: LONG[step] for step in (30, 40, 50)}
    assert copies_of(logs(a=part, b=LONG)).rows() == [("a", "b", 3)]
    assert copies_of(logs(a=LONG, b=LONG, c=LONG)).rows() == [("b", "a", 5), ("c", "a", 5)]


def test_a_log_that_differs_at_one_shared_evaluation_is_no_copy():
    assert copies_of(logs(a=LONG, b=LONG | {40: 3.41})).schema == COPIES
    assert copies_of(logs(a=LONG, b=LONG | {40: 3.41})).is_empty()


def test_two_equal_evaluations_and_the_one_before_training_are_not_enough():
    start = {0: 10.8, 10: 4.1, 20: 3.8}
    assert copies_of(logs(a=start, b=start | {25: 3.6})).is_empty()
    assert copies_of(logs(a=start | {25: math.nan}, b=start | {25: math.nan})).is_empty()
    assert copies_of(logs()).is_empty()


@pytest.mark.parametrize("seed", range(3))
def test_copies_equal_those_of_all_pairs_compared_one_by_one(seed):
    rng = np.random.default_rng(seed)
    runs = {f"r{k}": dict(zip(range(10, 90, 10), rng.integers(0, 2, 8) / 8, strict=True)) for k in range(30)}
    for k in range(8):
        values = list(runs[f"r{rng.integers(30)}"].items())
        runs[f"part{k}"] = dict(values[rng.integers(0, 3) : rng.integers(4, 8)])
    order = sorted(runs, key=lambda run: (-len(runs[run]), run))
    expected = {}
    for place, run in enumerate(order):
        for other in order[:place]:
            shared = runs[run].keys() & runs[other].keys()
            if len(shared) >= 3 and all(runs[run][step] == runs[other][step] for step in shared):
                expected.setdefault(run, (other, len(shared)))
    found = {run: (other, shared) for run, other, shared in copies_of(logs(**runs)).rows()}
    assert found == expected
    assert len(expected) >= 8
