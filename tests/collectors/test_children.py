"""Processes that a training process starts log nothing and hang nothing, and no secret is written down."""

import os
import subprocess
import sys

from grokscope.collectors.recording.spool import Event, Points, find_spools, read_spool

CHILDREN = """
import multiprocessing, os, sys
import torch
from torch.utils.data import DataLoader, Dataset
from grokscope.collectors import Tracker
from grokscope.collectors.recording import sink
sink.ensure_shipper = lambda *_, **__: None

class Items(Dataset):
    def __init__(self, tracker): self.tracker = tracker
    def __len__(self): return 32
    def __getitem__(self, index):
        self.tracker.log(index, {"from/worker": 1.0})
        return torch.tensor(float(index))

def by_hand(queue): queue.put(os.getpid())

if __name__ == "__main__":
    with Tracker(experiment="e", config={"api_key": "k3y-canary", "lr": 0.1}) as tracker:
        tracker._run.sink.wait_shipped = lambda _: 0
        for step, batch in enumerate(DataLoader(Items(tracker), batch_size=4, num_workers=4)):
            tracker.log(step, {"train/mean": batch.mean()})
        context = multiprocessing.get_context("spawn")
        queue = context.Queue()
        child = context.Process(target=by_hand, args=(queue,))
        child.start(); queue.get(); child.join()
        assert child.exitcode == 0
"""


def test_workers_and_spawned_processes_neither_log_nor_hang_and_no_secret_is_written(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(CHILDREN)
    home = tmp_path / "home"
    environment = os.environ | {"GROKSCOPE_HOME": str(home), "SOME_TOKEN": "env-canary"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", script, "--password", "argv-canary"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    (folder,) = find_spools(home)
    records = [read.record for read in read_spool(folder)]
    assert [(r.step, r.keys) for r in records if isinstance(r, Points)] == [
        (step, ("train/mean",)) for step in range(8)
    ]
    assert [r.content["status"] for r in records if isinstance(r, Event)] == ["FINISHED"]
    written = [path.read_bytes() for path in home.rglob("*") if path.is_file()] + [done.stderr.encode()]
    assert not [text for text in written if b"canary" in text]
    assert {path.stat().st_mode & 0o077 for path in home.rglob("*")} == {0}


RANK = """
from grokscope.collectors import Tracker
from grokscope.collectors.recording import sink
sink.ensure_shipper = lambda *_, **__: None
with Tracker(experiment="e", run_id="r") as tracker:
    if hasattr(tracker._run.sink, "folder"):
        tracker._run.sink.wait_shipped = lambda _: 0
    tracker.log(0, {"train/loss": 1.0})
"""


def test_of_four_ranks_the_first_logs_and_all_leave(tmp_path):
    """As torchrun starts them; nothing is asked of torch before it is set up."""
    environment = os.environ | {
        "GROKSCOPE_HOME": str(tmp_path),
        "TORCHELASTIC_RUN_ID": "x",
        "WORLD_SIZE": "4",
    }
    ranks = [
        subprocess.Popen([sys.executable, "-c", RANK], env=environment | {"RANK": str(rank)})
        for rank in range(4)
    ]
    assert [rank.wait(timeout=60) for rank in ranks] == [0] * 4
    (folder,) = find_spools(tmp_path)
    records = [read.record for read in read_spool(folder)]
    assert [record.values for record in records if isinstance(record, Points)] == [(1.0,)]
