"""The delay on other axes: read between logged steps, and never guessed beyond them."""

import numpy as np
import pytest

from grokscope.schemas import Date
from grokscope.transitions.curves.series import Curve
from grokscope.transitions.verdict.delay import delay_between


def date(step: int) -> Date:
    return Date(step=step, low=step, high=step)


@pytest.mark.parametrize(
    ("steps", "tokens"),
    [([0, 1000], 8750.0), ([100, 975], 8750.0), ([101, 1000], None), ([0, 974], None), ([], None)],
)
def test_a_delay_is_counted_where_the_axis_covers_both_dates(steps: list[int], tokens: float | None):
    axis = Curve(metric="progress/tokens", steps=np.array(steps, dtype=int), values=10.0 * np.array(steps))
    found = delay_between(date(100), date(975), curves={"progress/tokens": axis})
    assert found is not None
    assert found.tokens == (None if tokens is None else pytest.approx(tokens))


def test_what_is_generalized_as_it_is_memorized_has_a_delay_of_nothing_on_every_axis():
    axis = Curve(metric="progress/tokens", steps=np.array([0, 1000]), values=np.array([0.0, 10.0]))
    found = delay_between(date(100), date(100), curves={"progress/tokens": axis})
    assert found is not None
    assert (found.steps, found.ratio, found.tokens) == (0, 1.0, 0.0)


@pytest.mark.parametrize("dates", [(None, date(5)), (date(5), None), (None, None)])
def test_without_both_dates_there_is_no_delay(dates: tuple[Date | None, Date | None]):
    assert delay_between(*dates, curves={}) is None
