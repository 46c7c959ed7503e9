"""What was possible on curves of one score: from where to where progress goes."""

import numpy as np
import pytest

from grokscope.schemas import Scale, Score, score_of
from grokscope.transitions.curves.progress import span_of
from grokscope.transitions.curves.series import Curve, Span


def span(metric: str, values: list[float]) -> Span | None:
    score = score_of(metric)
    assert score is not None
    return span_of([Curve(metric=metric, steps=np.arange(len(values)), values=np.array(values))], score)


@pytest.mark.parametrize(
    ("metric", "values", "expected"),
    [
        ("test/reward", [-20.0, -9.0, 5.0, 5.0], Span(start=-20.0, best=5.0)),
        ("test/reward", [5.0, 0.0, -9.0, -9.0], None),
        ("test/r2", [0.2, 0.4, 0.7, 0.7], Span(start=0.0, best=1.0, is_open=True)),
        ("test/mse", [7.0, 5.0, 1.0, 1.0], Span(start=7.0, best=0.0)),
        ("test/mse", [0.0, 3.0, 4.0, 4.0], None),
    ],
)
def test_progress_goes_from_the_first_level_to_the_best_and_there_is_none_where_nothing_got_better(
    metric, values, expected
):
    assert span(metric, values) == expected


@pytest.mark.parametrize(
    ("up", "values", "expected"),
    [
        (False, [9.0, 9.0, 5.0, 5.0], Span(start=9.0, best=5.0)),
        (False, [5.0, 9.0, 9.0, 9.0], None),
        (True, [5.0, 5.0, 9.0, 9.0], Span(start=5.0, best=9.0)),
    ],
)
def test_a_quantity_without_a_known_best_makes_progress_in_its_own_direction_only(up, values, expected):
    score = Score(quantity="x", higher_is_better=up, scale=Scale.UNBOUNDED)
    curve = Curve(metric="test/x", steps=np.arange(4), values=np.array(values))
    assert span_of([curve], score) == expected
