"""What a process prints never lands in a spool or a store, though its own places to print to are closed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from grokscope.collectors.recording.spool import SpoolWriter, WriterLock, find_spools, read_spool

TRAIN = """
import os, sys
from contextlib import suppress
from grokscope.collectors import Tracker
from grokscope.collectors.recording import sink
sink.ensure_shipper = lambda *_, **__: None
for fd in map(int, sys.argv[1:]):
    os.close(fd)
with Tracker(experiment="e", run_id="r") as tracker:
    tracker._run.sink.wait_shipped = lambda _: 0
    held = {os.readlink(f"/proc/self/fd/{fd}") for fd in (0, 1, 2) if os.path.exists(f"/proc/self/fd/{fd}")}
    assert not [path for path in held if os.environ["GROKSCOPE_HOME"] in path], held
    for step in range(1000):
        if step == 500:
            for fd in (0, 1, 2):  # as a library in C does
                with suppress(OSError):
                    os.write(fd, b"words of a library")
        tracker.log(step, {"k": "no number" if step == 100 else float(step)})
"""


@pytest.mark.parametrize("closed", [">&- 2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("by", ["shell", "itself"])
def test_closed_descriptors_cost_no_point_that_log_has_acknowledged(tmp_path, closed, by):
    if by == "shell":
        command = ["sh", "-c", f'exec "$0" -c "$1" {closed}', sys.executable, TRAIN]
    else:  # its stderr is still there then, and what it prints goes to whatever has the number 2
        numbers = [
            number for number, sign in (("0", "<&-"), ("1", " >&-"), ("2", "2>&-")) if sign in f" {closed}"
        ]
        command = [sys.executable, "-c", TRAIN, *numbers]
    environment = {**os.environ, "GROKSCOPE_HOME": str(tmp_path)}
    subprocess.run(command, env=environment, cwd=tmp_path, check=True, timeout=60)
    (folder,) = find_spools(tmp_path)
    records = [read.record for read in read_spool(folder)]
    assert [r.step for r in records if getattr(r, "keys", ()) == ("k",)] == [
        s for s in range(1000) if s != 100
    ]
    assert records[-1].content["status"] == "FINISHED"


def test_all_that_a_spool_holds_open_has_a_number_beyond_those_for_printing(tmp_path):
    report = Path(os.path.realpath(tmp_path)) / "report"
    child = os.fork()
    if child == 0:
        os.closerange(0, 3)
        writer, writer_lock = SpoolWriter(tmp_path, segment_bytes=1), WriterLock(tmp_path)
        for step in range(3):
            writer.points(step, 1000, {"m": 1.0})
        report.write_text(str([writer._files.segment.fd, *writer._files._unsynced, writer_lock._fd]))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert min(map(int, report.read_text().strip("[]").split(","))) > 2
