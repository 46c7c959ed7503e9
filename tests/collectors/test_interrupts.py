"""What the program itself throws leaves the tracker at once, and leaves everything as it was."""

import asyncio
import signal
import sys
from functools import partial, wraps
from pathlib import Path

import pytest
import torch
from torch import nn

import grokscope.collectors
from grokscope.collectors import Measuring, Tracker
from grokscope.collectors.recording.device_values import DeviceValues
from grokscope.collectors.recording.sink import SpoolSink, open_sink
from grokscope.collectors.recording.spool import find_spools, read_spool
from grokscope.collectors.testing import MemorySink

DATA = (torch.randn(6, 4, generator=torch.Generator().manual_seed(0)), torch.arange(6) % 3)
HERE = str(Path(grokscope.collectors.__file__).parent)


class LimitError(TimeoutError):
    """What a program's own time limit raises."""


def limit(*_: object) -> None:
    raise LimitError


class Limits:
    def raise_it(self, number: int, frame: object) -> None:
        limit()

    def __call__(self, number: int, frame: object) -> None:
        limit()


@wraps(limit)
def wrapped(*arguments: object) -> None:
    limit(*arguments)


def restoring(number: int, frame: object) -> None:
    signal.signal(number, signal.SIG_DFL)
    limit()


HANDLERS = {
    "function": limit,
    "lambda": lambda *_: limit(),
    "method": Limits().raise_it,
    "object": Limits(),
    "partial": partial(partial(limit, "more"), "and more"),
    "wrapped": wrapped,
    "handler no more": restoring,
}


def rung() -> None:
    signal.raise_signal(signal.SIGUSR1)


@pytest.fixture(autouse=True)
def handler():
    before = signal.signal(signal.SIGUSR1, limit)
    yield
    signal.signal(signal.SIGUSR1, before)


class Model(nn.Module):
    """Breaks off in its forward pass as it is told, after writing what it should not."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.drop, self.head = nn.BatchNorm1d(4), nn.Dropout(), nn.Linear(4, 3)
        self.register_buffer("calls", torch.zeros(()))
        self.then = lambda: None

    def forward(self, x):
        self.calls += 1
        self.then()
        return self.head(self.drop(self.norm(x)))


def state(model: Model) -> list[object]:
    random = torch.get_rng_state().tolist()
    return [model.training, model.drop.training, model.calls.item(), torch.is_grad_enabled(), random]


@pytest.mark.parametrize("handle", HANDLERS.values(), ids=HANDLERS)
def test_what_a_handler_raises_in_an_evaluation_passes_and_leaves_no_trace(handle):
    signal.signal(signal.SIGUSR1, handle)
    model, sink = Model(), MemorySink()
    tracker = Tracker(model, experiment="e", sink=sink)
    model.then, before = rung, state(model)
    with pytest.raises(LimitError):
        tracker.evaluate(0, train=DATA)
    assert state(model) == before
    assert sink.records == []
    model.then = lambda: None
    assert tracker.evaluate(0, train=DATA)["train/loss"] > 0


def test_an_error_that_the_model_makes_of_the_handlers_passes_too():
    def translating() -> None:
        try:
            rung()
        except LimitError:
            raise ValueError("too slow")  # noqa: B904 - the context tells

    model = Model()
    tracker = Tracker(model, experiment="e", sink=MemorySink())
    model.then = translating
    with pytest.raises(ValueError, match="too slow"):
        tracker.evaluate(0, train=DATA)


def test_what_fails_while_a_limit_is_being_handled_is_no_limit(capsys):
    tracker = Tracker(Model(), experiment="e", sink=MemorySink(), measures=[lambda _: 1 / 0])
    try:
        rung()
    except LimitError:
        values = tracker.evaluate(0, train=DATA, test=(DATA[0][:, :2], DATA[1]))
    assert "train/loss" in values
    assert capsys.readouterr().err.count("could not be measured") == 2


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError])
def test_what_is_no_exception_passes(error):
    def leave(*_: object) -> None:
        raise error

    model = Model()
    tracker = Tracker(model, experiment="e", sink=MemorySink())
    model.then, before = leave, state(model)
    with pytest.raises(error):
        tracker.evaluate(0, train=DATA)
    assert state(model) == before


def loader():
    rung()
    yield DATA


class Detector:
    status = None

    def update(self, step, values):
        rung()


@pytest.mark.parametrize(
    ("options", "data"),
    [({"measures": [lambda _: rung()]}, DATA), ({}, loader()), ({"detector": Detector()}, DATA)],
    ids=["measure", "loader", "detector"],
)
def test_whatever_part_of_an_evaluation_it_comes_in_it_passes(options, data):
    tracker = Tracker(Model(), experiment="e", sink=MemorySink(), **options)
    with pytest.raises(LimitError):
        tracker.evaluate(0, train=data)


def test_a_limit_inside_optimizer_step_passes_and_the_watch_goes_on():
    model, ringing = nn.Linear(4, 3), []

    def schedule(step: int) -> bool:
        if ringing:
            rung()
        return True

    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    tracker = Tracker(model, optimizer, experiment="e", sink=MemorySink(), schedule=schedule)
    model(DATA[0]).sum().backward()
    tracker.log(0, {})
    ringing.append(True)
    with pytest.raises(LimitError):
        optimizer.step()
    with pytest.raises(LimitError):
        tracker.due(1)
    ringing.clear()
    optimizer.step()
    assert "updates/ratio" in tracker.evaluate(1, train=DATA)


@pytest.fixture
def broken_off():
    """Give a function that calls another with the handler run at the n-th place where Python may run one.

    Those are the beginnings of functions and the returns of those in C, in files of the package.
    """

    def call(function, number: int) -> bool:
        count = iter(range(10**6))

        def profile(frame, event, _):
            is_own = frame.f_code.co_filename.startswith(HERE)
            if is_own and event in {"call", "c_return"} and next(count) == number:
                rung()

        sys.setprofile(profile)
        try:
            function()
        except LimitError:
            return True
        finally:
            sys.setprofile(None)
        return False

    return call


def test_wherever_log_is_broken_off_the_error_passes_and_no_record_is_half_kept(
    broken_off, tmp_path, monkeypatch
):
    monkeypatch.setattr("grokscope.collectors.recording.sink.ensure_shipper", lambda *_, **__: None)
    for number in range(10**3):
        monkeypatch.setenv("GROKSCOPE_HOME", str(tmp_path / str(number)))
        tracker = Tracker(experiment="e")
        is_raised = broken_off(lambda log=tracker.log: log(1, {"a": 1.0, "b": 2.0}), number)
        tracker.log(2, {"b": 1.0, "c": 2.0})
        tracker._run.sink.wait_shipped = lambda _, sink=tracker._run.sink: sink._thread.join() or 0
        tracker.close()
        (folder,) = find_spools(tmp_path / str(number))
        *records, end = [read.record for read in read_spool(folder)]
        last = {"b": 1.0, "c": 2.0}
        assert [dict(zip(r.keys, r.values, strict=True)) for r in records] in (
            [last],
            [{"a": 1.0, "b": 2.0}, last],
        )
        assert end.content["status"] == "FINISHED"
        if not is_raised:
            break
    assert number > 20


def test_wherever_an_evaluation_is_broken_off_the_error_passes_and_the_model_is_as_before(broken_off):
    model = Model()
    tracker = Tracker(model, experiment="e", sink=MemorySink(), measuring=Measuring(defaults=False))
    tracker.evaluate(0, train=DATA)  # what is made once
    before = state(model)
    for number in range(0, 10**5, 7):
        is_raised = broken_off(lambda: tracker.evaluate(1, train=DATA), number)
        assert state(model) == before
        if not is_raised:
            break
    assert number > 100


def test_a_limit_while_the_run_is_closed_passes_and_it_can_be_closed_again():
    class Slow(MemorySink):
        def end(self, status, time_ms, **more):
            if not self.records:
                self.points(0, time_ms, {})
                rung()
            super().end(status, time_ms, **more)

    sink = Slow()
    tracker = Tracker(experiment="e", sink=sink)
    with pytest.raises(LimitError):
        tracker.close("FAILED")
    tracker.close("FAILED")
    assert sink.status == "FAILED"


def test_a_limit_is_not_taken_for_a_full_disk(tmp_path, monkeypatch):
    monkeypatch.setenv("GROKSCOPE_HOME", str(tmp_path))
    monkeypatch.setattr("grokscope.collectors.recording.sink.ensure_shipper", lambda *_, **__: None)
    options = {"store": "sqlite:////no/x.db", "experiment": "e", "name": None, "params": {}}
    sink = open_sink("r", **options)
    assert isinstance(sink, SpoolSink)
    with monkeypatch.context() as patch:
        patch.setattr("grokscope.collectors.recording.spool.segment_files.os.write", lambda *_: rung())
        with pytest.raises(LimitError):
            sink.points(0, 1, {"m": 1.0})
    sink.points(1, 1, {"m": 1.0})
    sink.end("FINISHED", 2)
    sink._thread.join()
    monkeypatch.setattr("grokscope.collectors.recording.sink.home", rung)
    with pytest.raises(LimitError):
        open_sink("s", **options)


def test_values_on_their_way_from_a_device_are_not_lost_by_a_limit(monkeypatch):
    waiting = DeviceValues()
    for step in range(3):
        waiting.put(step, 1, {"m": torch.tensor(0.5)})
    with monkeypatch.context() as patch:
        patch.setattr("grokscope.collectors.recording.device_values.Arrived", lambda **_: rung())
        with pytest.raises(LimitError):
            waiting.arrived()
    assert [arrived.step for arrived in waiting.arrived()] == [0, 1, 2]
