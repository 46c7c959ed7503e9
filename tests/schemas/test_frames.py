import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from grokscope.schemas import (
    POINT_SCHEMA,
    InvalidPointsError,
    as_points,
    empty_points,
    latest,
    mapped,
)

WHOLE = {
    "run_id": ["a", "b"],
    "metric": ["test/loss", "test/loss"],
    "step": [1, 2],
    "time_ms": [10, 20],
    "value": [0.5, 0.25],
}

rows = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.sampled_from(["test/loss", "test/accuracy"]),
        st.integers(0, 3),
        st.integers(0, 10**6),
        st.floats(),
    ),
    unique_by=lambda row: row[3],
)


def points_of(table):
    return pl.DataFrame(table, schema=POINT_SCHEMA, orient="row")


def test_a_frame_of_points_passes_unchanged():
    assert_frame_equal(as_points(pl.DataFrame(WHOLE)), pl.DataFrame(WHOLE, schema=POINT_SCHEMA))


def test_empty_points_have_the_schema_and_pass():
    assert as_points(empty_points()).schema == POINT_SCHEMA
    assert empty_points().is_empty()


def test_columns_may_come_in_any_order_with_others_beside_them():
    shuffled = pl.DataFrame(WHOLE).with_columns(note=pl.lit("x")).select("note", "value", *list(WHOLE)[:4])
    assert_frame_equal(as_points(shuffled), pl.DataFrame(WHOLE, schema=POINT_SCHEMA))


def test_run_names_the_run_when_run_id_is_absent():
    frame = pl.DataFrame(WHOLE).rename({"run_id": "run"})
    assert as_points(frame)["run_id"].to_list() == ["a", "b"]


def test_a_frame_without_runs_and_times_belongs_to_the_given_run_at_no_time():
    frame = pl.DataFrame(WHOLE).drop("run_id", "time_ms")
    assert as_points(frame, run_id="mine").select("run_id", "time_ms").rows() == [("mine", None)] * 2


def test_nan_and_infinities_are_kept_and_null_becomes_nan():
    frame = pl.DataFrame(
        {"metric": ["m"] * 4, "step": range(4), "value": [math.nan, math.inf, -math.inf, None]}
    )
    first, *infinities, last = as_points(frame)["value"]
    assert infinities == [math.inf, -math.inf]
    assert math.isnan(first)
    assert math.isnan(last)


@pytest.mark.parametrize("missing", ["metric", "step", "value"])
def test_a_missing_column_is_named_with_what_was_got(missing):
    with pytest.raises(InvalidPointsError) as error:
        as_points(pl.DataFrame(WHOLE).drop(missing))
    got = ", ".join(name for name in WHOLE if name != missing)
    assert str(error.value) == (
        "points need the columns metric, step, value (and optionally run, time_ms); "
        f"{missing} missing, got {got}. Rename the columns, one row a value."
    )


def test_a_frame_without_columns_is_refused():
    with pytest.raises(InvalidPointsError, match=r"metric, step, value missing, got none"):
        as_points(pl.DataFrame())


@pytest.mark.parametrize("step", [math.nan, math.inf])
def test_a_step_that_is_not_finite_is_refused(step):
    with pytest.raises(InvalidPointsError, match="must hold finite numbers"):
        as_points(pl.DataFrame({"metric": ["m"], "step": [step], "value": [1.0]}))


def test_steps_of_a_run_that_has_fractions_are_counted_in_thousandths():
    steps = {"run": ["a", "a", "b", "b"], "metric": "m", "step": [0.5, 2.0, 1.0, 7.0], "value": 0.0}
    assert as_points(pl.DataFrame(steps))["step"].to_list() == [500, 2000, 1, 7]


@pytest.mark.parametrize("column", ["run_id", "metric", "step"])
def test_an_empty_cell_that_every_point_needs_is_refused(column):
    frame = pl.DataFrame(WHOLE, schema=POINT_SCHEMA).with_columns(pl.lit(None).alias(column))
    with pytest.raises(InvalidPointsError, match=f"column '{column}' has 2 empty cells"):
        as_points(frame)


@pytest.mark.parametrize(("column", "cell"), [("value", "high"), ("step", "first"), ("time_ms", "noon")])
def test_text_that_is_no_number_is_refused_by_column(column, cell):
    frame = pl.DataFrame(WHOLE).with_columns(pl.lit(cell).alias(column))
    with pytest.raises(InvalidPointsError, match=f"column '{column}' must hold"):
        as_points(frame)


def test_the_last_row_wins_when_no_time_decides():
    frame = as_points(pl.DataFrame({"metric": ["m", "m"], "step": [1, 1], "value": [1.0, 2.0]}))
    assert latest(frame)["value"].to_list() == [2.0]


@given(rows)
def test_latest_keeps_the_value_of_the_latest_time_of_every_run_metric_and_step(table):
    expected = {}
    for row in sorted(table, key=lambda row: row[3]):
        expected[row[:3]] = row
    assert_frame_equal(latest(points_of(table)), points_of([expected[key] for key in sorted(expected)]))


@given(rows, st.randoms())
def test_latest_does_not_depend_on_the_order_of_rows_and_is_done_after_once(table, random):
    shuffled = random.sample(table, len(table))
    once = latest(points_of(table))
    assert_frame_equal(latest(points_of(shuffled)), once)
    assert_frame_equal(latest(once), once)


@given(st.lists(st.none() | st.text()))
def test_each_text_is_mapped_in_its_place_and_the_rule_is_asked_once_a_distinct_one(texts):
    asked = []

    def rule(text):
        asked.append(text)
        return f"<{text}>"

    found = mapped(pl.Series("x", texts, dtype=pl.String), rule)
    assert found.to_list() == [None if text is None else f"<{text}>" for text in texts]
    assert (found.name, found.dtype) == ("x", pl.String)
    assert sorted(asked) == sorted({text for text in texts if text is not None})
