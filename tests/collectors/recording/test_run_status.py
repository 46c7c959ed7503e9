"""However a training process ends, it waits for no store, says little, and its run ends as it did."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress

import pytest

from grokscope.collectors.recording.spool import Event, Points, find_spools, read_meta, read_spool

START = """
import os, signal, sys, time
from grokscope.collectors import Tracker
tracker = Tracker(experiment="e", run_id=sys.argv[1])
def log():
    for step in range(500):
        tracker.log(step, {"train/loss": 1.0})
log()
"""
ENDINGS = {
    "with-block": ("with tracker: pass", 0, "FINISHED"),
    "end-of-script": ("pass", 0, "FINISHED"),
    "exit-0": ("with tracker: sys.exit(0)", 0, "FINISHED"),
    "exit-3": ("with tracker: sys.exit(3)", 3, "FAILED"),
    "error": ("raise ValueError('mine')", 1, "FAILED"),
    "interrupt": ("os.kill(os.getpid(), signal.SIGINT); time.sleep(9)", -signal.SIGINT, "KILLED"),
    "terminated": ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(9)", -signal.SIGTERM, None),
    "closed-stderr": (
        "tracker.close(); sys.stderr.close(); tracker.log(None, None)",
        0,
        "FINISHED",
    ),
    "forked-child": (
        "child = os.fork(); tracker.log(0, {'m': 1.0}) if not child else 0; sys.exit(0 if child else 5)",
        0,
        "FINISHED",
    ),
}


@pytest.fixture(scope="module")
def ended(tmp_path_factory, command_lines):
    """Give how each process ended, all run at once against a server that accepts and never answers."""
    home = tmp_path_factory.mktemp("a home with spaces")
    silent = socket.create_server(("127.0.0.1", 0))
    store = f"http://ann:s3cr3t@127.0.0.1:{silent.getsockname()[1]}"
    environment = {**os.environ, "GROKSCOPE_HOME": str(home), "MLFLOW_TRACKING_URI": store}
    processes = {
        name: subprocess.Popen(
            [sys.executable, "-c", START + script, name],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, (script, _, _) in ENDINGS.items()
    }
    errors = {name: process.communicate(timeout=200)[1] for name, process in processes.items()}
    yield home, {name: (process.returncode, errors[name]) for name, process in processes.items()}
    silent.close()
    words = {"grokscope.collectors.recording.ship", str(home)}
    for pid in [pid for pid, arguments in command_lines().items() if words <= {*arguments}]:
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("name", ENDINGS)
def test_a_process_ends_with_its_own_status_while_the_server_says_nothing(ended, name):
    assert ended[1][name][0] == ENDINGS[name][1]


@pytest.mark.parametrize("name", ENDINGS)
def test_all_points_and_the_true_end_are_on_disk(ended, name):
    (folder,) = [f for f in find_spools(ended[0]) if read_meta(f).run_id == name]
    records = [read.record for read in read_spool(folder)]
    ends = [record.content["status"] for record in records if isinstance(record, Event)]
    assert [record.step for record in records if isinstance(record, Points)] == list(range(500))
    assert ends == [ENDINGS[name][2]] * (ENDINGS[name][2] is not None)


@pytest.mark.parametrize("name", ENDINGS)
def test_the_terminal_shows_one_line_of_ours_and_no_credentials(ended, name):
    err = ended[1][name][1]
    ours = [line for line in err.splitlines() if line.startswith("grokscope:")]
    assert len(ours) == (name != "terminated")
    assert "s3cr3t" not in err
    assert ("Traceback" in err) == (name in {"error", "interrupt"})
