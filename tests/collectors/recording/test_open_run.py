"""A run that nobody closes: its tracker and model can go, and its values are still written."""

import atexit
import gc
import os
import sys
import weakref

import pytest
import torch
from torch import nn

from grokscope.collectors import Measuring, Tracker, TrackerError
from grokscope.collectors.recording import open_run
from grokscope.collectors.recording.open_run import OpenRun
from grokscope.collectors.testing import MemorySink
from grokscope.collectors.warning import Warnings


class Holder(nn.Module):
    """A model that holds its own tracker, as one of Lightning's does through its trainer's callbacks."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 3)
        self.tracker: Tracker | None = None

    def forward(self, inputs):
        return self.layer(inputs)


def test_a_tracker_that_is_dropped_unclosed_keeps_no_model_in_memory():
    sink, model = MemorySink(), Holder()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model.tracker = Tracker(model, optimizer, experiment="e", sink=sink, measuring=Measuring(defaults=False))
    model.tracker.evaluate(0, train=(torch.zeros(3, 4), torch.tensor([0, 1, 2])))
    gone = [weakref.ref(one) for one in (model, model.tracker, optimizer)]
    del model, optimizer
    gc.collect()
    assert [ref() for ref in gone] == [None] * 3
    assert sink.rows()
    assert sink.status is None  # that is told as the program ends


def test_the_earlier_name_of_the_sink_is_refused_with_the_name_of_today():
    with pytest.raises(TrackerError, match="sink="):
        Tracker(experiment="e", journal=MemorySink())
    with pytest.raises(TypeError, match="unexpected keyword argument 'sinks'"):
        Tracker(experiment="e", sinks=MemorySink())


def test_a_run_that_cannot_be_opened_again_is_said_once_and_nothing_is_raised(capsys):
    asked = []

    def reopen():
        asked.append(1)
        raise OSError("no room")

    run = OpenRun(MemorySink(), Warnings(), reopen=reopen)
    run.leave("FINISHED")
    assert [run.log(step, {"m": 1.0}) for step in (1, 2)] == [False, False]
    assert len(asked) == 1
    assert "the run was not opened again" in capsys.readouterr().err


@pytest.fixture
def ending(monkeypatch):
    """Give a run in memory and what Python is told to do at the program's end."""
    at_exit = []
    monkeypatch.setattr(atexit, "register", at_exit.append)
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):  # of a test that has failed
        monkeypatch.delattr(sys, name, raising=False)
    monkeypatch.setattr(open_run.EXITS, "_last", None)  # of a test that has called sys.exit
    sink = MemorySink()
    run = OpenRun(sink, Warnings())
    yield run, sink, lambda: [one() for one in at_exit]
    run.end("FINISHED")


def test_the_end_of_a_forked_child_is_not_that_of_the_run(ending, monkeypatch):
    _, sink, end = ending
    pid = os.getpid()
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: pid + 1)
        end()
    assert sink.status is None
    end()
    assert sink.status == "FINISHED"


@pytest.mark.parametrize("is_quiet", [False, True])
def test_an_end_that_nothing_tells_is_said_by_the_process_that_logs(ending, monkeypatch, capsys, is_quiet):
    run, _, end = ending
    run.warnings.is_quiet = is_quiet
    monkeypatch.setattr(open_run, "end_of_program", lambda _, warn: warn("unknown") or "FINISHED")
    end()
    assert ("unknown" in capsys.readouterr().err) != is_quiet
