"""Odd arguments, odd surroundings and a failing disk: training goes on, and is told once."""

import os
import resource
import signal
import subprocess
import sys
import threading

import pytest
import torch

from grokscope.collectors import Tracker, TrackerError
from grokscope.collectors.recording.device_values import DeviceValues
from grokscope.collectors.recording.retrying_sink import RetryingSink
from grokscope.collectors.recording.sink import SpoolSink, open_sink
from grokscope.collectors.recording.spool import find_spools, read_meta, read_spool
from grokscope.collectors.testing import MemorySink


class Unshowable:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    __float__ = __repr__


@pytest.fixture
def no_shipper(monkeypatch, tmp_path):
    monkeypatch.setenv("GROKSCOPE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("grokscope.collectors.recording.sink.ensure_shipper", lambda *_, **__: None)
    return tmp_path / "home"


def opened(params: dict[str, str], **changes) -> SpoolSink | RetryingSink:
    options = {"store": "sqlite:////no/x.db", "experiment": "e", "name": None} | changes
    return open_sink("r", params=params, **options)


@pytest.mark.parametrize("values", [None, 3, [1.0], {"m": Unshowable()}, {None: 1.0}, {"m": [[]]}])
@pytest.mark.parametrize("step", [0, Unshowable()])
def test_nothing_that_is_logged_raises_into_the_loop(step, values):
    tracker = Tracker(experiment="e", sink=MemorySink())
    tracker.log(step, values)


def test_a_closed_terminal_does_not_reach_the_loop(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    tracker = Tracker(experiment="e", sink=MemorySink())
    tracker.log("no step", {"m": 1.0})
    tracker.close()


def test_a_value_of_a_type_that_raises_costs_only_itself():
    sink = MemorySink()
    Tracker(experiment="e", sink=sink).log(1, {"a": 1.0, "bad": Unshowable(), "b": 2.0})
    assert sink.rows() == [(1, "a", 1.0), (1, "b", 2.0)]


def test_what_is_logged_after_closing_is_said_and_counted(capsys):
    sink = MemorySink()
    tracker = Tracker(torch.nn.Linear(1, 2), experiment="e", sink=sink)
    tracker.close()
    tracker.log(1, {"m": 1.0})
    assert "step 1 was not logged (TrackerError('the run was closed before'))" in capsys.readouterr().err
    assert "test/loss" in tracker.evaluate(2, test=(torch.zeros(2, 1), torch.zeros(2).long()))
    assert sink.rows() == []


def test_a_step_that_is_a_tensor_may_go_on_counting():
    model = torch.nn.Linear(1, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    asked = []
    schedule = lambda step: asked.append(step) or False  # noqa: E731
    tracker = Tracker(model, optimizer, experiment="e", sink=MemorySink(), schedule=schedule)
    step = torch.tensor(7)
    tracker.log(step, {"m": 1.0})
    step += 5
    model(torch.zeros(1, 1)).sum().backward()
    optimizer.step()
    assert asked == [8, 7]


def test_dropped_points_are_counted_in_the_run_at_its_end():
    sink = MemorySink()
    with Tracker(experiment="e", sink=sink) as tracker:
        tracker.log(4, {"m": 1.0, "text": "x"})
    assert sink.rows() == [(4, "m", 1.0), (4, "collector/dropped", 1.0)]


@pytest.mark.parametrize("run_id", ["a/b", "../x", ".hidden", "it's", "-x", "a" * 101, "a b"])
def test_a_run_id_that_cannot_name_a_folder_is_refused_at_once(run_id):
    with pytest.raises(TrackerError, match="use name= for a free name"):
        Tracker(experiment="e", sink=MemorySink(), run_id=run_id)


def test_text_that_no_database_takes_is_made_harmless(no_shipper):
    sink = opened({"path": "ok"}, name="n\0\udcff" + "x" * 400, experiment="e\udcff")
    (meta,) = map(read_meta, find_spools(no_shipper))
    sink.end("FINISHED", 1)
    assert (meta.name, meta.experiment) == ("n?" + "x" * 248, "e?")
    with Tracker(experiment="e", config={"path": os.fsdecode(b"\xff/\0x")}) as tracker:
        metas = [read_meta(folder) for folder in find_spools(no_shipper)]
        tracker._run.sink.wait_shipped = lambda _: 0
    assert [m.params for m in metas if m.run_id == tracker.run_id] == [{"path": "?/x"}]


def test_a_user_without_a_home_folder_trains_on_and_is_told(monkeypatch, capsys):
    monkeypatch.setenv("GROKSCOPE_HOME", "~nosuchuser/x")
    with Tracker(experiment="e") as tracker:
        tracker.log(0, {"m": 1.0})
    assert isinstance(tracker._run.sink, RetryingSink)
    assert tracker._run.sink.dropped > 0
    said = capsys.readouterr().err
    assert "GROKSCOPE_HOME is '~nosuchuser/x'" in said
    assert "set it to the path of a folder that can be written" in said


def test_a_home_that_others_can_write_is_told_and_training_goes_on(no_shipper, capsys):
    no_shipper.mkdir()
    (no_shipper / "thesis.tex").touch()
    no_shipper.chmod(0o777)
    with Tracker(experiment="e") as tracker:
        tracker.log(0, {"m": 1.0})
    assert isinstance(tracker._run.sink, RetryingSink)
    said = capsys.readouterr().err
    assert f"chmod go-w {no_shipper}'" in said
    assert "or set GROKSCOPE_HOME to a folder of your own); nothing is kept until that is possible" in said
    assert [path.name for path in no_shipper.iterdir()] == ["thesis.tex"]


def test_a_spool_that_could_not_be_created_is_as_soon_as_there_is_room(
    no_shipper, monkeypatch, capsys, wait_until
):
    monkeypatch.setattr("grokscope.collectors.recording.retrying_sink._RETRY_SECONDS", 0.01)
    no_shipper.write_text("a file where the folder should be")
    sink = opened({})
    sink.points(0, 1000, {"m": 1.0, "n": 2.0})
    no_shipper.unlink()
    wait_until(lambda: sink._found)
    sink.points(1, 2000, {"m": 1.0})
    sink.end("FINISHED", 3000)
    (folder,) = find_spools(no_shipper)
    assert [getattr(read.record, "step", "end") for read in read_spool(folder)] == [1, "end"]
    assert sink.dropped == 2
    said = capsys.readouterr().err
    assert "nothing is kept until that is possible" in said
    assert "points are kept from here on, and 2 were lost" in said


def test_a_disk_that_fills_up_during_training_is_said_once_and_counted_exactly(tmp_path):
    script = (
        "import sys\nfrom grokscope.collectors import Tracker\n"
        "from grokscope.collectors.recording import sink\n"
        "sink.ensure_shipper = lambda *_, **__: None\nsink._SYNC_SECONDS = 0.01\n"
        "import time\nwith Tracker(experiment='e') as t:\n"
        "    t._run.sink.wait_shipped = lambda _: 0\n"
        "    for step in range(200):\n        t.log(step, {'m': 1.0})\n        time.sleep(0.001)\n"
    )

    def small_files() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    done = subprocess.run(
        [sys.executable, "-B", "-c", script],
        env={**os.environ, "GROKSCOPE_HOME": str(tmp_path / "home")},
        preexec_fn=small_files,
        capture_output=True,
        text=True,
        check=True,
    )
    (folder,) = find_spools(tmp_path / "home")
    kept = [read.record.step for read in read_spool(folder)]
    assert kept == list(range(len(kept)))
    said = done.stderr.splitlines()
    assert len(said) == 2
    assert "are dropped (" in said[0]
    # One more for the count itself, which did not fit either.
    assert f"{200 - len(kept) + 1} points of this run were dropped" in said[1]


def test_device_values_logged_by_many_threads_arrive_once_each():
    waiting = DeviceValues()
    seen, lock = [], threading.Lock()

    def log(thread: int) -> None:
        for step in range(300):
            waiting.put(thread * 1000 + step, 1, {"m": torch.tensor(1.0)})
            arrived = waiting.arrived()
            with lock:
                seen.extend(a.step for a in arrived)

    threads = [threading.Thread(target=log, args=(t,)) for t in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == [t * 1000 + step for t in range(4) for step in range(300)]


def test_a_tensor_that_cannot_be_read_does_not_block_those_behind_it():
    waiting = DeviceValues()
    waiting.put(0, 1, {"m": torch.tensor(0.5)})
    waiting.put(1, 1, {"m": torch.tensor(1.0, device="meta")})
    waiting.put(2, 1, {"m": torch.tensor(2.5)})
    assert [a.values for a in waiting.arrived(wait=True)] == [{"m": 0.5}]
    with pytest.raises((RuntimeError, NotImplementedError)):
        waiting.arrived(wait=True)
    assert [a.values for a in waiting.arrived(wait=True)] == [{"m": 2.5}]


def test_values_of_several_devices_may_come_in_one_call():
    waiting = DeviceValues()
    waiting.put(0, 1, {"a": torch.tensor(0.5), "b": torch.tensor(1.0, device="meta"), "c": torch.tensor(2)})
    found = []
    for _ in range(2):
        try:
            found += [a.values for a in waiting.arrived(wait=True)]
        except (RuntimeError, NotImplementedError):
            found.append("meta")
    assert sorted(map(str, found)) == ["meta", "{'a': 0.5, 'c': 2.0}"]
