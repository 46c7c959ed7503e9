"""One training is one run, though each process makes a tracker, before or after they form a group."""

import json
import os
import subprocess
import sys

import pytest

from grokscope.collectors.recording.late_sink import LateSink
from grokscope.collectors.recording.ranks import is_first_process, may_join_others
from grokscope.collectors.recording.spool import Event, Points, find_spools, read_spool
from grokscope.collectors.testing import MemorySink

TORCHRUN = {"TORCHELASTIC_RUN_ID": "x", "WORLD_SIZE": "4"}
LAUNCHERS = [
    (TORCHRUN | {"RANK": "0"}, True),
    (TORCHRUN | {"RANK": "3"}, False),
    ({"WORLD_SIZE": "4", "RANK": "1"}, False),
    ({"WORLD_SIZE": "4", "LOCAL_RANK": "0", "NODE_RANK": "0"}, True),
    ({"WORLD_SIZE": "4", "LOCAL_RANK": "1", "NODE_RANK": "0"}, False),
    ({"WORLD_SIZE": "4", "LOCAL_RANK": "0", "NODE_RANK": "1"}, False),
    ({"RANK": "3"}, True),
    ({"SLURM_NTASKS": "8", "SLURM_PROCID": "3"}, True),
]


@pytest.mark.parametrize(("environment", "is_first"), LAUNCHERS)
def test_what_a_launcher_of_one_training_sets_tells_the_first_process(monkeypatch, environment, is_first):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert is_first_process() == is_first
    assert may_join_others() == any(name in environment for name in ("WORLD_SIZE", "SLURM_NTASKS"))


# Forked, so that torch is imported once. Each rank makes its tracker, logs, and only then joins the group.
RANKS = """
import os, sys
import torch
from torch import nn
from torch.distributed import barrier, destroy_process_group, init_process_group
from grokscope.collectors import Measuring, Tracker
from grokscope.collectors.recording import sink
import grokscope.collectors.evaluating.model_evaluator
sink.ensure_shipper = lambda *_, **__: None
sink.SpoolSink.wait_shipped = lambda *_: 0

def train(rank, place, is_early):
    model = nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    tracker = Tracker(model, optimizer, experiment="e", measuring=Measuring(defaults=False))
    if is_early:
        tracker.log(0, {"early": float(rank)})
    init_process_group("gloo", init_method=f"file://{place}/meet", rank=rank, world_size=2)
    tracker.log(1, {"rank": float(rank)})
    values = tracker.evaluate(1, train=(torch.zeros(2, 2), torch.tensor([0, 1])))
    assert bool(values) == (rank == 0), values
    assert len(optimizer._optimizer_step_pre_hooks) == (rank == 0)
    tracker.close()
    barrier()  # who leaves early breaks the other's connection
    destroy_process_group()

for case in ("plain", "launched"):
    for rank in range(2):
        if os.fork() == 0:
            os.environ["GROKSCOPE_HOME"] = f"{sys.argv[1]}/{case}/home"
            if case == "launched":
                os.environ["SLURM_NTASKS"] = "2"
            train(rank, f"{sys.argv[1]}/{case}", is_early=case == "plain")
            os._exit(0)
print([os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(4)])
"""


def test_a_tracker_made_before_the_group_leaves_one_run(tmp_path):
    for case in ("plain", "launched"):
        (tmp_path / case).mkdir()
    done = subprocess.run(
        [sys.executable, "-c", RANKS, str(tmp_path)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stdout == "[0, 0, 0, 0]\n", done.stderr
    (launched,) = find_spools(tmp_path / "launched" / "home")
    assert logged(launched)[0] == {("rank", 0.0)}
    ends = {}
    for folder in find_spools(tmp_path / "plain" / "home"):
        points, end = logged(folder)
        ends[tuple(sorted(points))] = end
    assert {points: end.get("withdrawn", False) for points, end in ends.items()} == {
        (("early", 0.0), ("rank", 0.0)): False,
        (("early", 1.0),): True,
    }


def logged(folder):
    """Give the points of no evaluation, and the end."""
    records = [read.record for read in read_spool(folder)]
    points = [
        (r.keys[0], r.values[0]) for r in records if isinstance(r, Points) and r.keys[0] in {"early", "rank"}
    ]
    (end,) = [r.content for r in records if isinstance(r, Event)]
    return set(points), json.loads(json.dumps(end))


def test_a_sink_that_is_opened_late_is_opened_once_and_by_the_first_record():
    opened: list[MemorySink] = []
    late = LateSink(lambda: opened.append(MemorySink()) or opened[-1])
    late.end("KILLED", 1000, is_withdrawn=True)
    assert (opened, late.dropped) == ([], 0)
    for step in (1, 2):
        late.points(step, 1000, {"m": 0.5})
    late.end("FINISHED", 1000)
    (sink,) = opened
    assert (sink.rows(), sink.status) == ([(1, "m", 0.5), (2, "m", 0.5)], "FINISHED")
