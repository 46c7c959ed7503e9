"""A curve that grows in parts."""

import polars as pl
import pytest

from grokscope.store.cache.curves import Curve, split
from grokscope.store.frames import points_from_rows


def rows(*steps: int, value: float = 0.0) -> pl.DataFrame:
    return points_from_rows([("r", "m", step, 1000 + step, value, 0) for step in steps])


@pytest.mark.parametrize(
    ("added", "parts"),
    [
        ([(1, 2), (3, 4)], [[1, 2], [3, 4]]),
        ([(3, 4), (1, 2)], [[1, 2], [3, 4]]),
        ([(5, 6), (7, 8), (3, 4), (1, 2)], [[1, 2], [3, 4], [5, 6], [7, 8]]),
        ([(1, 2), (2, 3)], [[1, 2, 3]]),
        ([(2, 3), (1, 2)], [[1, 2, 3]]),
        ([(1, 4), (2, 3)], [[1, 2, 3, 4]]),
    ],
)
def test_parts_stay_in_order_and_only_those_that_overlap_are_joined(added, parts):
    curve = Curve()
    for steps in added:
        curve.add(rows(*steps))
    assert [part["step"].to_list() for part in curve.parts] == parts
    assert curve.height == sum(map(len, parts))


def test_many_short_parts_are_joined_and_a_long_one_before_them_is_not_moved():
    curve = Curve()
    curve.add(rows(*range(100)))
    for step in range(100, 120):
        curve.add(rows(step))
    assert curve.parts[0].height == 100
    assert len(curve.parts) <= 8
    assert pl.concat(curve.parts)["step"].to_list() == list(range(120))


def test_curves_that_lie_mixed_are_each_given_once_in_order():
    mixed = points_from_rows([(run, "m", step, 1000, 0.0, 0) for step in range(3) for run in "ab"])
    found = [(run, part["step"].to_list()) for run, _, part in split(mixed)]
    assert found == [("a", [0, 1, 2]), ("b", [0, 1, 2])]


def test_of_parts_that_shrink_fast_only_the_last_are_joined():
    curve, step = Curve(), 0
    heights = [7 * 3**power for power in reversed(range(8))]
    for height in (*heights, 3):
        curve.add(rows(*range(step, step + height)))
        step += height
    assert [part.height for part in curve.parts] == [*heights[:-1], heights[-1] + 3]
