"""In a notebook, what is begun anew, broken off or dropped ends; a script means what it makes twice."""

import gc
import os
import subprocess
import sys

import pytest
import torch
from torch import nn

from grokscope.collectors import Measuring, Tracker
from grokscope.collectors.recording.notebooks import NOTEBOOK
from grokscope.collectors.recording.spool import Event, Points, find_spools, read_spool
from grokscope.collectors.testing import MemorySink


def made(model, optimizer, experiment="e"):
    sink = MemorySink()
    tracker = Tracker(model, optimizer, experiment=experiment, sink=sink, measuring=Measuring(defaults=False))
    return tracker, sink


@pytest.fixture
def parts():
    model = nn.Linear(2, 2)
    return model, torch.optim.SGD(model.parameters(), lr=0.1)


def test_at_a_prompt_the_same_run_begun_anew_ends_the_one_before_and_its_hooks(monkeypatch, parts):
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    first, sink = made(*parts)
    other, of_another = made(*parts, experiment="another")
    hooks = parts[1]._optimizer_step_pre_hooks
    assert len(hooks) == 2
    second, _ = made(*parts)
    assert (sink.status, of_another.status, len(hooks)) == ("FINISHED", None, 2)
    del first, second, other
    gc.collect()
    assert (of_another.status, len(hooks), NOTEBOOK.open_runs) == ("FINISHED", 0, 0)


def test_in_a_script_two_trackers_of_one_model_go_on(parts):
    (_, one), (_, two) = kept = made(*parts), made(*parts)
    assert (one.status, two.status, len(kept)) == (None, None, 2)


CELLS = """
import os, sys
from IPython.core.interactiveshell import InteractiveShell
from grokscope.collectors import Tracker
from grokscope.collectors.recording import sink
sink.ensure_shipper = lambda *_, **__: None
sink.SpoolSink.wait_shipped = lambda *_: 0
shell = InteractiveShell.instance()
shell.enable_gui = lambda *_: None
cell = "tracker = Tracker(experiment='e')\\ntracker.log(0, {'m': 1.0})"
for code in (
    "from grokscope.collectors import Tracker",
    cell,                                                # begun
    cell,                                                # and anew
    "raise KeyboardInterrupt",                           # of a cell that has nothing to do with it
    "tracker.log(1, {'m': 2.0}); raise KeyboardInterrupt",
    "tracker.log(2, {'m': 3.0})",                        # goes on
    "other = Tracker(experiment='e')",                   # of another cell
    "tracker.log(3, {'m': 4.0})",
    "del tracker",
):
    shell.run_cell(code, store_history=True)
os._exit(0)
"""


def test_cells_that_are_run_again_or_broken_off_end_their_runs(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", CELLS],
        env={**os.environ, "GROKSCOPE_HOME": str(tmp_path / "home"), "IPYTHONDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found = [
        [
            record.step if isinstance(record, Points) else record.content["status"]
            for record in (read.record for read in read_spool(folder))
            if isinstance(record, Points | Event)
        ]
        for folder in find_spools(tmp_path / "home")
    ]
    assert sorted(found, key=str) == [[0, "FINISHED"], [0, 1, "KILLED"], [2, 3, "FINISHED"], []]
