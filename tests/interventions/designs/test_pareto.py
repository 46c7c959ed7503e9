"""The Pareto front of compute and quality, and how sure it is."""

import itertools

import numpy as np
import polars as pl
import pytest

from grokscope.interventions.designs.axis import VariableError
from grokscope.interventions.designs.pareto import GROUPS, front_of, pareto_front


def runs_of(**groups):
    rows = [(name, c, q) for name, runs in groups.items() for c, q in runs]
    return pl.DataFrame(rows, schema=["arm", "spent", "best"], orient="row")


def beaten(c, q, i):
    return any(c[j] <= c[i] and q[j] >= q[i] and (c[j] < c[i] or q[j] > q[i]) for j in range(len(c)))


def test_the_front_is_who_is_beaten_by_nobody():
    rng = np.random.default_rng(0)
    c, q = rng.integers(0, 6, (200, 9)).astype(float), rng.integers(0, 6, (200, 9)).astype(float)
    expected = [[not beaten(c[row], q[row], i) for i in range(9)] for row in range(200)]
    assert front_of(c, q).tolist() == expected


def test_the_probability_is_the_share_of_all_ways_to_draw_the_runs_again():
    first, second = (0.1, 0.4, 0.9), (0.5, 0.6, 0.3)
    runs = runs_of(a=[(1.0, value) for value in first], b=[(2.0, value) for value in second])
    found = pareto_front(runs, by="arm", is_upward=True, draws=20_000).groups
    stretch = (3 / 2) ** 0.5

    def means(values):
        middle = np.mean(values)
        return [middle + stretch * (np.mean(draw) - middle) for draw in itertools.product(values, repeat=3)]

    expected = np.mean([b > a for a in means(first) for b in means(second)])
    assert found["probability"].to_list() == pytest.approx([1.0, expected], abs=0.015)


def test_a_group_that_is_beaten_is_told_by_whom_the_dearest_first():
    runs = runs_of(a=[(1, 0.5)] * 2, b=[(2, 0.8)] * 2, c=[(3, 0.5)] * 2, d=[(4, 0.9)] * 2)
    front = pareto_front(runs, by="arm", is_upward=True)
    assert front.groups["dominated_by"].to_list() == [[], [], ["b", "a"], []]
    assert front.sentence == "3 of 4 groups are beaten by no other: a, b, d."


def test_low_is_good_where_it_is_said_to_be():
    runs = runs_of(a=[(1, 3.5)] * 2, b=[(2, 3.2)] * 2, c=[(3, 3.4)] * 2)
    groups = pareto_front(runs, by="arm", is_upward=False).groups
    assert groups.select("on_front", "quality").rows() == [(True, 3.5), (True, 3.2), (False, 3.4)]


def test_one_run_has_no_probability_and_the_reason_is_given():
    front = pareto_front(runs_of(a=[(1, 0.5)], b=[(2, 0.8), (2, 0.9)]), by="arm", is_upward=True)
    assert front.groups.select("probability", "missing").row(0) == (
        None,
        "one run: nothing tells how its seeds differ",
    )
    assert front.caveats[0].startswith("1 group has one run and no probability")


def test_runs_without_quality_are_left_out_and_it_is_said():
    runs = runs_of(a=[(1, 0.5), (1, float("nan"))], b=[(2, 0.8), (2, None)])
    front = pareto_front(runs, by="arm", is_upward=True)
    assert front.groups["runs"].to_list() == [1, 1]
    assert front.caveats[-1] == "2 runs lack compute or quality, left out"


def test_the_frame_has_its_columns_even_without_runs():
    assert pareto_front(runs_of(a=[(1, 0.5)]).clear(), by="arm", is_upward=True).groups.schema == GROUPS


def test_groups_that_are_not_named_are_refused():
    with pytest.raises(VariableError, match="no column 'group' names the groups; there are arm, spent, best"):
        pareto_front(runs_of(a=[(1, 0.5)]), by="group", is_upward=True)
