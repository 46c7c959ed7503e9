"""Findings at the thresholds between well and not."""

from types import SimpleNamespace

import polars as pl
import pytest

from grokscope.schemas import POINT_SCHEMA
from grokscope.store import doctor
from grokscope.store.findings import Health, shown_bytes


@pytest.mark.parametrize(
    ("notice", "health", "says"),
    [(None, Health.OK, "by the fast path"), ("Read slowly.", Health.WARN, "Read slowly.")],
)
def test_a_store_that_is_not_read_directly_says_so(notice, health, says):
    finding = doctor._way(SimpleNamespace(notice=notice))
    assert (finding.health, finding.says) == (health, says)


@pytest.mark.parametrize(
    ("ahead_ms", "health", "says"),
    [
        (60_000, Health.OK, "no entry lies in the future"),
        (60_001, Health.WARN, "the newest entry lies 60 s in the future"),
        (3_600_000, Health.WARN, "the newest entry lies 3,600 s in the future"),
    ],
)
def test_an_entry_may_lie_a_minute_in_the_future(ahead_ms, health, says):
    runs = pl.DataFrame({"last_ms": [5, None], "start_ms": [1, 7 + ahead_ms], "end_ms": [None, None]})
    finding = doctor._skew(runs, 7)
    assert (finding.health, finding.says) == (health, says)


@pytest.mark.parametrize(
    ("points", "taken_s", "health"),
    [
        (1_999, 100.0, Health.OK),
        (2_000, 0.2, Health.OK),
        (2_000, 0.25, Health.WARN),
    ],
)
def test_reading_less_than_ten_thousand_points_a_second_is_slow_unless_they_are_few(
    points, taken_s, health, monkeypatch
):
    clock = iter([0.0, taken_s])
    monkeypatch.setattr(doctor, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    runs = pl.DataFrame({"run_id": [str(number) for number in range(7)]})
    store = SimpleNamespace(points=lambda ids: pl.DataFrame({"run_id": ids[:1] * points}))
    finding = doctor._speed(store, runs)
    assert finding.health == health
    assert finding.says == f"{points:,} points of 5 runs in {taken_s:.2f} s"


@pytest.mark.parametrize(
    ("size", "shown"),
    [(1_023, "1023 B"), (1_024, "1.0 KiB"), ((1 << 20) - 1_024, "1,023.0 KiB"), (1 << 40, "1,024.0 GiB")],
)
def test_a_size_is_shown_in_the_largest_unit_that_it_fills(size, shown):
    assert shown_bytes(size) == shown


def test_a_run_that_waits_for_its_begin_is_not_counted_as_running():
    statuses = ["RUNNING", "SCHEDULED", "FINISHED", "RUNNING"]
    runs = pl.DataFrame({"run_id": list("abcd"), "status": statuses, "last_ms": [9, 9, 9, 9]})
    runs = runs.with_columns(start_ms=pl.lit(9), end_ms=pl.lit(None, pl.Int64), step=pl.lit(1))
    store = SimpleNamespace(points=lambda ids, metrics=None: POINT_SCHEMA.to_frame())
    assert doctor._silent(store, runs, 10).says == "2 running, none of them silent"


@pytest.mark.parametrize(("name", "shown"), [("mine", "'mine'"), ("", "'a'")])
def test_the_newest_of_the_silent_runs_is_shown_by_its_name_or_else_by_its_id(name, shown):
    runs = pl.DataFrame({"run_id": ["a", "b"], "name": [name, "older"], "status": ["RUNNING"] * 2})
    runs = runs.with_columns(start_ms=pl.lit(0), last_ms=pl.lit(10_000))
    finding = doctor._silent(SimpleNamespace(points=None), runs, 1_000_000)
    assert finding.says.startswith("2 runs say that they are running and have been silent for over 30 s")
    assert finding.says.endswith(f"the newest {shown}")
    assert 'set_terminated("a", "KILLED")' in finding.remedy
