"""Silent: thirty seconds and five usual pauses without a sign of life, and the same for page and terminal."""

import polars as pl
import pytest

from grokscope.dashboard.tables.runs.run_table import run_table
from grokscope.schemas import POINT_SCHEMA
from grokscope.schemas.runs.silence import silent_runs
from grokscope.store import RUN_SCHEMA

NOW = 10_000_000


def runs(*, pause_ms, status="RUNNING", ran_ms=600_000):
    known = {"run_id": "a", "name": "a", "experiment": "e", "status": status, "step": 9, "end_ms": None}
    times = {"start_ms": NOW - pause_ms - ran_ms, "last_ms": NOW - pause_ms}
    return pl.DataFrame([{**known, **times}], schema=RUN_SCHEMA)


def points(every_ms):
    times = range(NOW - 20 * every_ms, NOW, every_ms)
    rows = [("a", "train/loss", step, time, 1.0) for step, time in enumerate(times)]
    return pl.DataFrame(rows, schema=POINT_SCHEMA, orient="row")


@pytest.mark.parametrize(
    ("pause_ms", "every_ms", "is_silent"),
    [
        (30_000, 1_000, False),
        (30_001, 1_000, True),
        (50_000, 10_000, False),
        (50_001, 10_000, True),
        (1_500_000, 300_000, False),
        (1_500_001, 300_000, True),
    ],
)
def test_a_run_is_silent_after_thirty_seconds_and_five_of_its_usual_pauses(pause_ms, every_ms, is_silent):
    frame = runs(pause_ms=pause_ms)
    assert silent_runs(frame, lambda _: points(every_ms), now_ms=NOW) == (["a"] if is_silent else [])
    params = pl.DataFrame(schema={"run_id": pl.String, "key": pl.String, "value": pl.String})
    assert run_table(frame, params, points(every_ms), now_ms=NOW)["silent"].to_list() == [is_silent]


@pytest.mark.parametrize("status", ["FINISHED", "FAILED", "SCHEDULED"])
def test_only_a_run_that_is_called_running_can_fall_silent(status):
    frame = runs(pause_ms=9_000_000, status=status)
    assert silent_runs(frame, lambda _: points(1_000), now_ms=NOW) == []


def test_of_a_run_that_has_been_gone_for_five_times_its_length_no_point_is_read():
    def refused(ids):
        raise AssertionError(ids)

    assert silent_runs(runs(pause_ms=3_000_001), refused, now_ms=NOW) == ["a"]


def test_a_run_of_which_nothing_is_known_yet_is_not_silent():
    frame = runs(pause_ms=0).with_columns(start_ms=None, last_ms=None).cast(dict(RUN_SCHEMA))
    assert silent_runs(frame, lambda _: points(1_000), now_ms=NOW) == []


def test_what_is_logged_at_every_step_tells_nothing_of_how_long_an_evaluation_takes():
    steps = points(1_000).with_columns(metric=pl.lit("train/batch_loss"))
    both = pl.concat([points(60_000), steps])
    for pause_ms, silent in ((200_000, []), (300_001, ["a"])):
        frame = runs(pause_ms=pause_ms)
        assert silent_runs(frame, lambda _: both, now_ms=NOW) == silent
        assert silent_runs(frame, lambda _: points(60_000), now_ms=NOW) == silent
