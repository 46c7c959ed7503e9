"""Evaluations in order: the rows of curves may come in any order, and what is read of them is the same."""

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from grokscope.interventions.outcomes.costs import costs_of
from grokscope.interventions.outcomes.dimensions.of_runs import dimensions_of
from grokscope.interventions.outcomes.evaluations import are_in_order, evaluations_of
from grokscope.interventions.outcomes.target import Target

TARGET = Target.parse("test/accuracy>=0.5")


@pytest.fixture
def curves():
    """Runs whose names are not sorted, each with its evaluations in order."""
    rng = np.random.default_rng(0)
    rows = [(run, "test/accuracy", step, rng.random()) for run in ("b", "c", "a") for step in range(1, 9)]
    return pl.DataFrame(rows, schema=["run_id", "metric", "step", "value"], orient="row")


def test_rows_in_order_are_left_as_they_are_and_others_are_sorted(curves):
    assert are_in_order(curves)
    assert_frame_equal(evaluations_of(curves, "test/accuracy"), curves)
    shuffled = curves.sample(fraction=1, shuffle=True, seed=1)
    assert not are_in_order(shuffled)
    assert_frame_equal(evaluations_of(shuffled, "test/accuracy"), curves.sort("run_id", "step"))
    assert not are_in_order(pl.concat([curves, curves.tail(1)]))
    assert are_in_order(curves.clear())


@pytest.mark.parametrize("seed", range(3))
def test_costs_and_dimensions_do_not_depend_on_the_order_of_rows(curves, seed):
    shuffled = curves.sample(fraction=1, shuffle=True, seed=seed)
    assert_frame_equal(costs_of(shuffled, TARGET), costs_of(curves, TARGET))
    assert_frame_equal(dimensions_of(shuffled, TARGET), dimensions_of(curves, TARGET))
