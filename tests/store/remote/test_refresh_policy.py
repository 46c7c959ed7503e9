"""When a history that came through the API is read again."""

import pytest

from grokscope.store.remote.records import RunRecord
from grokscope.store.remote.refresh_policy import RefreshPolicy


def record(*, status="RUNNING", end_ms=None, tags=(), latest=None):
    latest = {"m": (1, 1, "1.0")} if latest is None else latest
    return RunRecord(
        run_id="r",
        name="",
        experiment_id="0",
        status=status,
        start_ms=0,
        end_ms=end_ms,
        is_active=True,
        params={},
        tags=dict(tags),
        latest=latest,
    )


def read_at_zero(seen, *, cost_s=0.0):
    policy = RefreshPolicy()
    policy.read_all(seen, ["m"], at_s=0.0, cost_s=cost_s)
    return policy


def test_a_run_that_was_never_read_is_read_whole():
    assert RefreshPolicy().must_read_all(record(), 0.0)


@pytest.mark.parametrize(("status", "period"), [("RUNNING", 30), ("SCHEDULED", 30), ("FINISHED", 300)])
def test_a_history_is_read_again_after_its_period(status, period):
    policy = read_at_zero(record(status=status))
    assert [policy.must_read_all(record(status=status), t) for t in (period - 1, period)] == [False, True]


def test_full_readings_take_a_twentieth_of_the_time_at_most():
    policy = read_at_zero(record(), cost_s=10.0)
    assert [policy.must_read_all(record(), t) for t in (199.0, 200.0)] == [False, True]


@pytest.mark.parametrize(
    "changed",
    [
        {"status": "FINISHED", "end_ms": 9},
        {"status": "FAILED"},
        {"status": "FINISHED", "tags": {"grokscope.last_seen": "7"}},
    ],
)
def test_a_run_that_ended_is_read_again_when_its_signs_of_life_change(changed):
    assert read_at_zero(record(status="FINISHED")).must_read_all(record(**changed), 1.0)


def test_a_heartbeat_of_a_run_that_goes_on_is_no_reason_to_read_everything():
    assert not read_at_zero(record()).must_read_all(record(tags={"grokscope.last_seen": "7"}), 1.0)


def test_a_curve_advances_when_its_latest_row_changes_and_nan_equals_nan():
    policy = read_at_zero(record(latest={"m": (1, 1, "nan")}))
    assert policy.advanced(record(latest={"m": (1, 1, "nan")}), ["m"]) == []
    assert policy.advanced(record(latest={"m": (2, 1, "nan")}), ["m"]) == ["m"]
    assert policy.last_step("r", "m") == 1


@pytest.mark.parametrize(
    ("status", "later_s", "is_trusted"),
    [
        ("FINISHED", 0.0, True),
        ("FINISHED", 86_399.5, True),
        ("FINISHED", 86_400.0, False),
        ("RUNNING", 60.0, False),
    ],
)
def test_what_an_earlier_process_read_of_a_run_that_ended_counts_as_read_now_for_a_day(
    status, later_s, is_trusted
):
    """Its clock began elsewhere: only the time of day joins the two."""
    earlier = RefreshPolicy(running_s=30, ended_s=300)
    earlier.read_all(record(status=status), ["m"], at_s=500.0, cost_s=0.0)
    state = earlier.as_state(now_s=500.0, wall_s=1_000_000.0)
    policy = RefreshPolicy(running_s=30, ended_s=300)
    policy.recall(state, now_s=7.0, wall_s=1_000_000.0 + later_s)
    assert policy.must_read_all(record(status=status), 306.0) == (not is_trusted)
    assert policy.must_read_all(record(status=status), 308.0)


def test_a_process_that_takes_over_at_once_trusts_what_was_read_as_if_it_had_just_read_it():
    ended = record(status="FINISHED")
    state = read_at_zero(ended).as_state(now_s=0.0, wall_s=1_000.0)
    policy = RefreshPolicy(running_s=30, ended_s=300)
    policy.recall(state, now_s=7.0, wall_s=1_000.5)
    assert [policy.must_read_all(ended, now_s) for now_s in (306.9, 307.0)] == [False, True]
