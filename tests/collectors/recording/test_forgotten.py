"""Trackers that are dropped without ``close``, as in a sweep: their runs do not use up the open files."""

from pathlib import Path

import pytest
import torch

from grokscope.collectors import Tracker
from grokscope.collectors.failures import Failures
from grokscope.collectors.recording.forgotten import FORGOTTEN, ForgottenRuns
from grokscope.collectors.recording.open_run import OpenRun
from grokscope.collectors.testing import MemorySink
from grokscope.collectors.warning import Warnings

MOST = 4


def open_files() -> int:
    return len([*Path("/dev/fd").iterdir()])


class Holder:
    """Holds a run, as a tracker does."""


def made() -> tuple[Holder, OpenRun]:
    holder, run = Holder(), OpenRun(MemorySink(), Warnings())
    return holder, run


@pytest.fixture
def runs():
    """Give a list of open runs, and end what a test has left open."""
    found: list[OpenRun] = []
    yield found
    for run in found:
        run.end("FINISHED")


def test_runs_whose_trackers_are_gone_end_once_they_are_many_and_others_stay_open(runs, capsys):
    forgotten, kept = ForgottenRuns(most=MOST), []
    for number in range(3 * MOST):
        holder, run = made()
        runs.append(run)
        run.failures = Failures(str)
        with run.failures.apart("the weights", 0):
            raise RuntimeError("no memory")
        forgotten.watch(holder, run)
        if number % 3 == 0:
            kept.append((holder, run))
        assert forgotten.open_runs <= MOST + len(kept) + 1
    assert all(run.is_open for _, run in kept)
    ended = [run for run in runs if not run.is_open]
    assert len(ended) >= MOST
    assert {run.sink.status for run in ended} == {"FINISHED"}
    assert capsys.readouterr().err == ""


def test_a_few_that_are_forgotten_stay_open_until_the_program_ends(runs):
    forgotten = ForgottenRuns(most=MOST)
    for _ in range(MOST):
        holder, run = made()
        runs.append(run)
        forgotten.watch(holder, run)
    del holder
    assert all(run.is_open for run in runs)


def test_a_sweep_that_never_closes_keeps_its_files_and_threads_bounded(tmp_path, monkeypatch):
    monkeypatch.setenv("GROKSCOPE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("grokscope.collectors.recording.sink.ensure_shipper", lambda *_, **__: None)
    monkeypatch.setattr(FORGOTTEN, "_most", MOST)
    files, before = open_files(), FORGOTTEN.open_runs
    model = torch.nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters())
    for _ in range(5 * MOST):
        tracker = Tracker(model, optimizer, experiment="e", store=f"sqlite:///{tmp_path}/store.db")
        tracker.log(0, {"loss": 1.0})
    assert FORGOTTEN.open_runs - before <= MOST + 1
    assert open_files() - files <= 2 * (MOST + 2)
    assert len(optimizer.__dict__["_optimizer_step_pre_hooks"]) == 1
    for _, run in FORGOTTEN._held:
        run.leave("FINISHED")
