"""A sweep comes to its end whatever a job prints and however it hangs."""

import queue
import signal
import subprocess
import sys

from grokscope.experiments import demo_jobs, sweep

(JOB,) = demo_jobs(arms=[sweep.Arm(group="g", seeds=1)])


def started(script: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )


def test_what_a_library_prints_among_the_progress_is_passed_over():
    events = queue.SimpleQueue()
    script = "import os, sys; print('noise'); print(3); sys.stdout.flush(); os.write(2, b'\\xff\\nlast')"
    sweep._follow(JOB, started(script), events.put)
    assert events.get(timeout=1) == sweep.Progress(job=JOB, step=3)
    assert events.get(timeout=1) == sweep.Progress(job=JOB, step=3, code=0, error="last")


def test_a_job_that_does_not_go_is_made_to(monkeypatch):
    monkeypatch.setattr(sweep, "_END_SECONDS", 0.2)
    script = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    with started(script) as process:
        assert process.stdout.readline() == "1\n"
        process.terminate()
        sweep._end(process)
    assert process.returncode == -signal.SIGKILL
