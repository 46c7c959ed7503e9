"""The sink of a real run: what it notes of the run, and what it says where nothing can be kept."""

import os
from itertools import count
from types import SimpleNamespace

import pytest

from grokscope.collectors.recording import sink as sink_module
from grokscope.collectors.recording.retrying_sink import RetryingSink
from grokscope.collectors.recording.ship.service import write_state
from grokscope.collectors.recording.sink import SpoolSink, open_sink
from grokscope.collectors.recording.spool import (
    find_spools,
    read_meta,
    read_spool,
    replace_json,
    segment_files,
    set_aside,
)


@pytest.fixture
def home(monkeypatch, tmp_path):
    """Give a home, and start no shipper."""
    monkeypatch.setenv("GROKSCOPE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(sink_module, "ensure_shipper", lambda *_, **__: None)
    return tmp_path / "home"


def opened() -> SpoolSink | RetryingSink:
    return open_sink("r", store="http://127.0.0.1:9", experiment="e", name=None, params={})


def test_a_run_begins_when_its_sink_is_opened(home, monkeypatch):
    at = 1_700_000_000_123
    clock = SimpleNamespace(monotonic=lambda: 0.0, time_ns=lambda: at * 1_000_000 + 999_999)
    with monkeypatch.context() as patch:
        patch.setattr(sink_module, "time", clock)
        opened().end("FINISHED", at)
    (folder,) = find_spools(home)
    assert read_meta(folder).start_ms == at


@pytest.mark.parametrize("obstacle", ["a file", "open to others"])
def test_the_remedy_is_told_once_by_whoever_knows_it(home, capsys, obstacle):
    if obstacle == "a file":
        home.write_text("where the folder should be")
    else:
        home.mkdir()
        (home / "theirs").touch()
        home.chmod(0o777)
    opened().end("FINISHED", 1000)
    said = capsys.readouterr().err
    assert ("Free the disk or set GROKSCOPE_HOME" in said) == (obstacle == "a file")
    assert said.count("GROKSCOPE_HOME") == 1


def test_a_spool_that_was_put_aside_while_its_writer_was_silent_is_brought_back_and_one_that_is_there_stays(
    home, monkeypatch, wait_until
):
    monkeypatch.setattr(sink_module, "_SYNC_SECONDS", 0.01)
    monkeypatch.setattr(sink_module, "_SHIPPER_CHECK_SECONDS", 0.0)
    sink = opened()
    set_aside(sink.folder)
    wait_until(sink.folder.exists)
    sink.points(0, 1000, {"m": 1.0})
    sink.end("FINISHED", 2000)
    assert find_spools(home) == [sink.folder]


@pytest.mark.parametrize(
    ("store", "why", "said"),
    [
        (
            "sqlite:////data/m.db",
            "",
            "2 points or more are safe on disk and on their way to sqlite:////data/m.db",
        ),
        ("sqlite:////data/m.db", "", "goes on sending them, and nothing has to be done.\n"),
        ("http://127.0.0.1:9", "", "if the store should stay away, run 'grokscope sync' later.\n"),
        (
            "http://127.0.0.1:9",
            "no answer",
            "have not reached http://127.0.0.1:9 yet (no answer); they are safe",
        ),
    ],
)
def test_points_that_wait_are_told_as_late_only_where_something_is_wrong(home, capsys, store, why, said):
    sink = open_sink("r", store=store, experiment="e", name=None, params={})
    sink.points(0, 1000, {"m": 1.0, "n": 2.0})
    sink.end("FINISHED", 2000)
    if why:
        write_state(home, store, "waiting", why)
    assert sink.wait_shipped(0.0) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_only_the_attempt_that_has_begun_a_run_can_take_it_back(home):
    for _ in range(2):
        opened().end("KILLED", 1000, is_withdrawn=True)
    ends = [read.record.content for folder in find_spools(home) for read in read_spool(folder)]
    assert [end.get("withdrawn") for end in ends] == [True, None]


def test_a_spool_that_the_shipper_has_put_aside_is_not_waited_for(home, monkeypatch):
    sink = opened()
    sink.points(0, 1000, {"m": 1.0})
    sink.end("FINISHED", 2000)
    replace_json(sink.folder / "state.json", {"state": "failed", "why": "it is malformed"})
    ticks = count()
    clock = SimpleNamespace(monotonic=lambda: float(next(ticks)), sleep=lambda _: None)
    monkeypatch.setattr(sink_module, "time", clock)
    assert sink.wait_shipped(1000.0) == 1
    assert next(ticks) < 100


@pytest.mark.parametrize("why", ["[Errno 28] No space left on device", "its cap is reached"])
def test_points_that_are_dropped_are_told_at_the_end_with_the_reason(home, monkeypatch, capsys, why):
    sink = opened()
    with monkeypatch.context() as patch:
        if "Errno" in why:
            full = SimpleNamespace(**(vars(os) | {"write": lambda *_: 0}))
            patch.setattr(segment_files, "os", full)
        else:
            patch.setattr(segment_files.SegmentFiles, "has_room", lambda *_: False)
        sink.points(0, 1000, {"m": 1.0, "n": 2.0})
    sink.end("FINISHED", 2000)
    assert f"2 points of this run were dropped ({why})" in capsys.readouterr().err
