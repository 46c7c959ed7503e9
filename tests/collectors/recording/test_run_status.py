"""However a training process ends, it ends soon, says little, and its run ends as it did."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from grokscope.collectors.recording.spool import Event, Points, find_spools, read_meta, read_spool

START = """
import os, signal, sys, time
from grokscope.collectors import Tracker
tracker = Tracker(experiment="e", run_id=sys.argv[1])
def log():
    for step in range(500):
        tracker.log(step, {"train/loss": 1.0})
def say():
    print(time.time(), flush=True)
log()
"""
# What a busy machine makes of the way out of any program that has imported as much.
ANYWAY = (
    "import time; from grokscope.collectors import Tracker; time.sleep(5); print(time.time(), flush=True)"
)
ENDINGS = {
    "with-block": ("with tracker: say()", 0, "FINISHED"),
    "end-of-script": ("say()", 0, "FINISHED"),
    "exit-0": ("with tracker: say(); sys.exit(0)", 0, "FINISHED"),
    "exit-3": ("with tracker: say(); sys.exit(3)", 3, "FAILED"),
    "error": ("say(); raise ValueError('mine')", 1, "FAILED"),
    "interrupt": ("say(); os.kill(os.getpid(), signal.SIGINT); time.sleep(9)", -signal.SIGINT, "KILLED"),
    "terminated": ("say(); os.kill(os.getpid(), signal.SIGTERM); time.sleep(9)", -signal.SIGTERM, None),
    "closed-stderr": (
        "say(); tracker.close(); sys.stderr.close(); tracker.log(None, None)",
        0,
        "FINISHED",
    ),
    "forked-child": (
        "child = os.fork(); tracker.log(0, {'m': 1.0}) if not child else say(); sys.exit(0 if child else 5)",
        0,
        "FINISHED",
    ),
}


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """Give how each process ended, all run at once against a server that accepts and never answers."""
    home = tmp_path_factory.mktemp("a home with spaces")
    silent = socket.create_server(("127.0.0.1", 0))
    store = f"http://ann:s3cr3t@127.0.0.1:{silent.getsockname()[1]}"
    environment = {**os.environ, "GROKSCOPE_HOME": str(home), "MLFLOW_TRACKING_URI": store}
    scripts = {name: START + script for name, (script, _, _) in ENDINGS.items()} | {"anyway": ANYWAY}
    processes = {
        name: subprocess.Popen(
            [sys.executable, "-c", script, name],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, script in scripts.items()
    }
    results = {}
    while len(results) < len(processes):
        for name, process in processes.items():
            if name not in results and process.poll() is not None:
                results[name] = (process.returncode, time.time(), *process.communicate())
        time.sleep(0.02)
    yield home, results
    silent.close()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if "grokscope.collectors.recording.ship" in (text := path.read_text()) and str(home) in text:
                os.kill(int(path.parent.name), signal.SIGKILL)


@pytest.mark.parametrize("name", ENDINGS)
def test_a_process_ends_with_its_own_status_within_six_seconds(ended, name):
    code, at, out, _ = ended[1][name]
    _, at_anyway, out_anyway, _ = ended[1]["anyway"]
    assert code == ENDINGS[name][1]
    assert at - float(out) < 6 + 2 * (at_anyway - float(out_anyway))


@pytest.mark.parametrize("name", ENDINGS)
def test_all_points_and_the_true_end_are_on_disk(ended, name):
    (folder,) = [f for f in find_spools(ended[0]) if read_meta(f).run_id == name]
    records = [read.record for read in read_spool(folder)]
    ends = [record.content["status"] for record in records if isinstance(record, Event)]
    assert [record.step for record in records if isinstance(record, Points)] == list(range(500))
    assert ends == [ENDINGS[name][2]] * (ENDINGS[name][2] is not None)


@pytest.mark.parametrize("name", ENDINGS)
def test_the_terminal_shows_one_line_of_ours_and_no_credentials(ended, name):
    err = ended[1][name][3]
    ours = [line for line in err.splitlines() if line.startswith("grokscope:")]
    assert len(ours) == (name != "terminated")
    assert "s3cr3t" not in err
    assert ("Traceback" in err) == (name in {"error", "interrupt"})
