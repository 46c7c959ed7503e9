import polars as pl
import pytest

from grokscope.dashboard.charts import StepAxis
from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.tables.x_places import (
    BY_STEPS,
    CLOCK,
    RELATIVE,
    axis_along,
    placed,
    places_from_events,
    places_of,
    said_of_left_out,
)
from grokscope.schemas import Date, Pattern, Verdict

POINTS = pl.DataFrame(
    {
        "run_id": ["a", "a", "b", "b"],
        "metric": "test/accuracy",
        "step": [0, 100, 0, 100],
        "time_ms": [1000, 5000, 2000, 3000],
        "value": [0.0, 1.0, 0.0, 1.0],
    }
)
ONSET = Date(step=50, low=40, high=60)
SINCE, DIVIDED = (
    next(p for p in RELATIVE if p.kind == k and p.event == "onset") for k in ("difference", "ratio")
)


@pytest.fixture
def snapshot():
    verdicts = {
        "a": Verdict(run="a", pattern=Pattern.GROKKING, onset=ONSET),
        "b": Verdict(run="b", pattern=Pattern.MEMORIZATION),
    }
    return Snapshot(curves=POINTS, verdicts=verdicts)


@pytest.mark.parametrize(("place", "expected"), [(SINCE, [-50.0, 50.0]), (DIVIDED, [0.0, 2.0])])
def test_steps_are_counted_from_an_event_of_each_run(snapshot, place, expected):
    found = placed(POINTS, snapshot, place)
    assert found["run_id"].unique().to_list() == ["a"]
    assert found["step"].to_list() == expected


def test_runs_without_the_event_are_counted_and_said(snapshot):
    said = said_of_left_out(snapshot, ["a", "b"], SINCE)
    assert said == "1 run of 2 left out: no date of “onset” is known."
    assert said_of_left_out(snapshot, ["a"], SINCE) is None
    assert said_of_left_out(snapshot, ["a", "b"], BY_STEPS) is None


def test_an_event_at_step_0_divides_nothing(snapshot):
    at_zero = Verdict(run="a", pattern=Pattern.GROKKING, onset=Date(step=0, low=0, high=0))
    found = placed(POINTS, Snapshot(curves=POINTS, verdicts={"a": at_zero}), DIVIDED)
    assert found.is_empty()


def test_the_clock_is_read_between_the_points_of_a_run(snapshot):
    between = POINTS.filter(pl.col("step") == 0).with_columns(step=pl.lit(50))
    assert placed(between, snapshot, CLOCK)["step"].to_list() == [3000.0, 2500.0]


def test_only_events_that_some_run_has_are_offered(snapshot):
    assert [p.name for p in places_of(snapshot, ["b"])] == ["steps", "wall clock"]
    assert places_from_events(snapshot, ["a", "b"]) == [SINCE, DIVIDED]
    assert places_from_events(snapshot, ["b"]) == []


@pytest.mark.parametrize("place", [BY_STEPS, CLOCK, SINCE, DIVIDED])
def test_every_axis_holds_what_is_placed_and_has_a_title_and_labels_on_it(snapshot, place):
    x = placed(POINTS, snapshot, place)["step"]
    axis = axis_along(place, StepAxis(last=100), x)
    assert axis.first <= x.min() <= x.max() <= axis.last
    assert axis.title
    ticks = axis.ticks()
    assert len(ticks) >= 3
    assert all(axis.first <= tick <= axis.last for tick in ticks)
    assert ticks == sorted(set(ticks))


@pytest.mark.parametrize("last", [1, 5, 12, 20, 40, 50, 53, 54, 99])
def test_a_short_logarithmic_axis_has_labels_between_its_ends(last):
    ticks = StepAxis(last=last).ticks()
    assert any(0 < tick < last for tick in ticks), ticks
