import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grokscope.dashboard.tables.live.pace import RECENT, pace_of


def points(steps, times):
    return pl.DataFrame({"step": steps, "time_ms": times}, schema={"step": pl.Int64(), "time_ms": pl.Int64()})


@given(st.integers(1, 500), st.integers(1, 60_000), st.integers(2, 40), st.integers(0, 10**6))
def test_an_even_pace_ends_when_all_its_steps_have_taken_their_time(each, pause_ms, count, more):
    steps = [each * i for i in range(count)]
    times = [pause_ms * i for i in range(count)]
    pace = pace_of(points(steps, times), step=steps[-1], planned=steps[-1] + more, now_ms=times[-1])
    assert pace.left_s == pytest.approx(more / each * pause_ms / 1000)


def test_the_time_left_is_told_from_the_last_evaluations_alone():
    slow = [(i, i * 10) for i in range(100)]
    fast = [(100 + i * 10, 1000 + i * 10) for i in range(RECENT)]
    steps, times = zip(*slow, *fast, strict=True)
    pace = pace_of(points(steps, times), step=steps[-1], planned=steps[-1] + 1000, now_ms=times[-1])
    assert pace.left_s == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("steps", "times"),
    [([], []), ([5], [1000]), ([5, 10], [1000, 1000]), ([5, 10], [None, 1000]), ([10, 10], [0, 1000])],
)
def test_too_few_points_tell_no_time_left(steps, times):
    pace = pace_of(points(steps, times), step=10, planned=100, now_ms=2000)
    assert pace.left_s is None
    assert "time left: too few points to tell" in pace.said()


def test_a_run_without_a_plan_says_so_and_one_from_another_clock_has_no_negative_age():
    pace = pace_of(points([0, 10], [0, 9_000]), step=10, planned=None, now_ms=1_000)
    assert pace.said() == "step 10 · no planned end is logged · last point 0 s ago"


def test_a_run_beyond_its_plan_has_nothing_left():
    pace = pace_of(points([0, 10], [0, 1_000]), step=10, planned=8, now_ms=1_000)
    assert (pace.left_s, pace.share) == (0.0, 1.0)
