"""How many distinct examples were seen: exactly by numbers, within 1 % by contents."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grokscope.collectors.exposure.distinct import MOST_IDS, STANDARD_ERROR, DistinctIds, DistinctRows


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.integers(0, 5000), max_size=20), max_size=10))
def test_ids_are_counted_as_a_set_counts_them_before_and_after_a_restart(batches):
    seen = DistinctIds()
    for batch in batches:
        seen.add(np.array(batch, dtype=np.int64))
        again = DistinctIds()
        again.restore(seen.state())
        seen = again
    assert seen.count() == len({number for batch in batches for number in batch})


@pytest.mark.parametrize("ids", [[-1], [MOST_IDS], [0.5]])
def test_ids_that_are_no_numbers_of_examples_are_refused_and_nothing_is_lost(ids):
    seen = DistinctIds()
    seen.add(np.array([1, 2]))
    with pytest.raises(ValueError, match="ids are whole numbers from 0"):
        seen.add(np.array(ids))
    assert seen.count() == 2


@pytest.mark.parametrize("count", [1, 10, 1000, 30_000, 50_000, 400_000])
@pytest.mark.parametrize("kind", ["numbers in order", "random"])
def test_rows_are_estimated_within_four_standard_errors_however_often_they_come(count, kind):
    rows = np.random.default_rng(count).normal(size=(count, 3)) if kind == "random" else np.arange(count)
    seen = DistinctRows()
    for part in np.array_split(np.concatenate([rows, rows]), 7):
        seen.add(part)
    assert seen.count() == pytest.approx(count, rel=4 * STANDARD_ERROR)


def test_rows_that_differ_in_one_place_of_any_size_are_distinct():
    for dtype in ("uint8", "int64", "float32", "bool"):
        rows = np.zeros((41, 5, 8), dtype=dtype)
        for place in range(40):
            rows.reshape(41, 40)[place, place] = 1
        seen = DistinctRows()
        seen.add(rows)
        assert seen.count() == pytest.approx(41, abs=2)


def test_a_sketch_goes_on_from_its_state_and_begins_at_nothing():
    seen, again = DistinctRows(), DistinctRows()
    assert seen.count() == 0
    seen.add(np.arange(100))
    again.restore(seen.state())
    again.add(np.arange(50, 150))
    seen.add(np.arange(150))
    assert again.count() == seen.count() == pytest.approx(150, abs=3)
