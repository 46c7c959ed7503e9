"""Dimensions of groups, and the critical share of the data."""

import polars as pl
import pytest

from grokscope.interventions.outcomes.dimensions.of_groups import critical_fraction, dimensions_of_groups
from grokscope.interventions.outcomes.dimensions.record import DIMENSIONS


def outcomes(name, **groups):
    """Return dimensions of runs and their groups; a text is a reason."""
    rows, named = [], []
    for group, values in groups.items():
        for place, value in enumerate(values):
            run, is_reason = f"{group}{place}", isinstance(value, str)
            row = {"run_id": run, "dimension": "d", "outcome": name, "curve": "c", "unit": "u"}
            row |= {"value": None if is_reason else value, "missing": value if is_reason else None}
            rows.append(row | {"low": None, "high": None})
            named.append((run, group))
    return pl.DataFrame(rows, schema=DIMENSIONS), pl.DataFrame(
        named, schema=["run_id", "group"], orient="row"
    )


def test_the_median_of_a_cost_counts_runs_that_have_not_reached_the_target():
    found = dimensions_of_groups(*outcomes("steps to target", g=[1.0, 5.0, "no"], h=[1.0, "no", "so", "no"]))
    assert found.select("group", "runs", "known", "median", "smallest", "largest", "missing").rows() == [
        ("g", 3, 2, 5.0, 1.0, 5.0, "no"),
        ("h", 4, 1, None, 1.0, 1.0, "no"),
    ]


def test_the_median_of_another_outcome_is_that_of_the_runs_that_have_it():
    found = dimensions_of_groups(*outcomes("sustained level", g=[0.5, 0.7, "no"], h=["no"]))
    assert found.select("median", "known", "missing").rows() == [(0.6, 2, "no"), (None, 0, "no")]


def test_the_critical_share_lies_between_the_last_that_fails_and_the_next():
    found = critical_fraction([0.5, 0.2, 0.3, 0.3, 0.4], [True, False, True, False, True])
    assert (found.low, found.value, found.high, found.missing) == (0.2, 0.3, 0.3, None)


def test_a_critical_share_outside_of_the_sweep_is_bounded_on_one_side_and_said():
    found = critical_fraction([0.2, 0.4], [True, True])
    assert (found.low, found.high) == (None, 0.2)
    assert found.missing == "at every share half of the runs or more reach the target: it is at most 0.2"
    found = critical_fraction([0.2, 0.4], [True, False])
    assert (found.value, found.low, found.high) == (None, 0.4, None)
    assert found.missing == "at the largest share, 0.4, fewer than half of the runs reach the target"
    assert critical_fraction([], []).missing == "there are no runs"


@pytest.mark.parametrize("order", [1, -1])
def test_a_share_that_reaches_it_below_one_that_does_not_is_said(order):
    shares, reached = [0.1, 0.2, 0.3, 0.4], [False, True, False, True]
    found = critical_fraction(shares[::order], reached[::order])
    assert (found.low, found.high) == (0.3, 0.4)
    assert found.missing == "a smaller share reaches it where a larger one does not"
