import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grokscope.dashboard.charts import StepAxis, thinned
from grokscope.schemas import as_points

values = st.one_of(st.floats(-1e6, 1e6), st.sampled_from([math.nan, math.inf, -math.inf]))
steps = st.lists(st.integers(0, 1_000_000), min_size=1, max_size=300, unique=True)


@st.composite
def lines(draw):
    at = draw(steps)
    drawn = draw(st.lists(values, min_size=len(at), max_size=len(at)))
    return as_points(
        pl.DataFrame({"metric": "m", "step": at, "value": drawn}, schema_overrides={"value": pl.Float64})
    )


limits = st.integers(5, 60)
axes = st.builds(StepAxis, last=st.just(1_000_000), log=st.booleans())


@given(lines(), axes, limits)
def test_a_line_keeps_no_more_points_than_the_limit_and_all_of_them_if_they_are_few(line, axis, limit):
    kept = thinned(line, axis, limit=limit)
    assert kept.height == line.height if line.height <= limit else kept.height <= limit


@given(lines(), axes, limits)
def test_ends_lowest_and_highest_values_are_kept(line, axis, limit):
    kept = thinned(line, axis, limit=limit)
    finite = line.filter(pl.col("value").is_finite())
    assert (kept["step"].min(), kept["step"].max()) == (line["step"].min(), line["step"].max())
    assert (kept["value"].min(), kept["value"].max()) == (finite["value"].min(), finite["value"].max())


@given(lines(), axes, limits)
def test_what_is_kept_is_a_part_of_the_line_in_order_of_steps_with_gaps_for_what_is_not_finite(
    line, axis, limit
):
    kept = thinned(line, axis, limit=limit)
    whole = dict(line.select("step", "value").iter_rows())
    assert kept["step"].to_list() == sorted(set(kept["step"]))
    for step, value in kept.select("step", "value").iter_rows():
        assert value == (whole[step] if math.isfinite(whole[step]) else None)


@given(lines(), axes, limits)
def test_thinning_twice_changes_nothing(line, axis, limit):
    once = thinned(line, axis, limit=limit)
    again = thinned(once.with_columns(pl.col("value").fill_null(math.nan)), axis, limit=limit)
    assert again.equals(once)


def test_each_line_of_a_frame_is_thinned_by_itself():
    long = as_points(pl.DataFrame({"metric": "m", "step": range(5000), "value": 1.0}), run_id="long")
    short = as_points(pl.DataFrame({"metric": "m", "step": range(7), "value": 1.0}), run_id="short")
    kept = thinned(pl.concat([long, short]), StepAxis(last=5000), limit=100)
    counts = dict(kept.group_by("run_id").len().iter_rows())
    assert counts["short"] == 7
    assert 20 <= counts["long"] <= 100


def test_a_spike_of_one_point_among_a_million_survives():
    line = pl.DataFrame({"metric": "m", "step": range(1_000_000), "value": 0.0})
    spiked = as_points(
        line.with_columns(pl.when(pl.col("step") == 777_777).then(9.0).otherwise(0.0).alias("value"))
    )
    assert 777_777 in thinned(spiked, StepAxis(last=1_000_000))["step"]


def test_a_limit_too_small_to_keep_ends_and_extremes_is_refused():
    with pytest.raises(ValueError, match="limit must be at least 5, got 4"):
        thinned(
            as_points(pl.DataFrame({"metric": ["m"], "step": [0], "value": [0.0]})), StepAxis(last=1), limit=4
        )
