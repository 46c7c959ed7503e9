"""This machine as the place where a sweep trains: a process a job, as many at once as there are cores."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from grokscope.collectors.recording.spool import was_begun
from grokscope.experiments.sweeps.engine import Job, Outcome, Progress
from grokscope.experiments.sweeps.ledger import FOLDER
from grokscope.schemas import home
from grokscope.schemas.files.private import content_of, opened, private_folder
from grokscope.schemas.secrets import redacted

END_SECONDS = 5.0
_READ_SECONDS = 1.0
_LAST_BYTES = 1 << 14
_LINE = 1 << 10
_KEEP_SECONDS = 30 * 86_400.0
_COULD_NOT_START = 126
_OURS = "grokscope: "


class LocalEngine:
    """Trains on this machine: each job a process group of its own, one thread each.

    A job ends when its stdin does, which this process holds: jobs die with their sweep, however it dies.
    What a job prints goes to a file, which is kept where the job fails.

    Args:
        workers: Processes at a time; the number of cores by default.
    """

    is_elsewhere = False

    def __init__(self, workers: int | None = None) -> None:
        self._workers = workers or os.cpu_count() or 1
        self._logs = private_folder(private_folder(home(), FOLDER), "logs")
        self._events: queue.SimpleQueue[Progress] = queue.SimpleQueue()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        for log in self._logs.glob("*.log"):
            with suppress(OSError):
                if time.time() - log.lstat().st_mtime > _KEEP_SECONDS:
                    log.unlink()

    @property
    def room(self) -> int:
        """How many more jobs can be started now."""
        return self._workers - len(self._running)

    def start(self, job: Job, *, record: int | None = None) -> None:
        """Start a job; what keeps it from starting is told as its failure."""
        path = self._logs / f"{job.run_id}.log"
        try:
            process = _started(job, path, record)
        except OSError as error:
            failed = Progress(
                cell=job.cell,
                run_id=job.run_id,
                outcome=Outcome.FAILED,
                code=_COULD_NOT_START,
                error=f"no process could be started ({error})",
            )
            self._events.put(failed)
            return
        self._running[job.run_id] = process
        reader = threading.Thread(target=self._read, args=(job, process.stdout), daemon=True)
        reader.start()
        threading.Thread(target=self._wait, args=(job, process, reader, path), daemon=True).start()
        with suppress(OSError):  # it has ended already, and that is told
            _send(process.stdin, {"job": job.to_json(), "record": record})

    def news(self, seconds: float) -> Progress | None:
        """Return how a job is doing, as soon as one tells; ``None`` if none does for so long."""
        try:
            news = self._events.get(timeout=seconds)
        except queue.Empty:
            return None
        if news.code is not None and (process := self._running.pop(news.run_id, None)) is not None:
            _close(process)
        return news

    def stop(self) -> None:
        """End the jobs that are still at work by closing their stdin, and by force those that stay."""
        for process in self._running.values():
            with suppress(OSError):
                _close(process)
        deadline = time.monotonic() + END_SECONDS
        for process in self._running.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=max(0.0, deadline - time.monotonic()))
            _kill_group(process)
            process.kill()  # it may have left its group
            process.wait()
        self._running.clear()

    def _read(self, job: Job, stream: IO[bytes]) -> None:
        with stream:
            for line in iter(lambda: stream.readline(_LINE), b""):
                if line.strip().isdigit():
                    self._events.put(Progress(cell=job.cell, run_id=job.run_id, step=int(line)))

    def _wait(
        self, job: Job, process: "subprocess.Popen[bytes]", reader: threading.Thread, log: Path
    ) -> None:
        code = process.wait()
        if code:  # what it has started goes with it: its run is begun anew, and nobody else may write it
            _kill_group(process)
        reader.join(_READ_SECONDS)
        error = ""
        if code:
            error = f"{_last_line(log) or f'it ended with status {code}'} (all that it said: {log})"
        else:
            with suppress(OSError):  # nobody would hear of the end
                log.unlink(missing_ok=True)
        outcome = Outcome.FAILED if code else Outcome.FINISHED
        end = Progress(
            cell=job.cell,
            run_id=job.run_id,
            outcome=outcome,
            code=code,
            error=error,
            is_tracked=was_begun(home(), job.run_id),
        )
        self._events.put(end)


def _started(job: Job, path: Path, record: int | None) -> "subprocess.Popen[bytes]":
    log = opened(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
    try:
        return subprocess.Popen(
            # The id is for people who look at a list of processes; the job is told on stdin.
            [sys.executable, "-P", "-m", "grokscope.experiments.sweeps.job", job.run_id],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            pass_fds=() if record is None else (record,),
            process_group=0,
            # One thread a run: at this size more threads only get in each other's way.
            env={**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
        )
    finally:
        os.close(log)


def _send(stdin: IO[bytes] | None, content: object) -> None:
    if stdin is not None:
        stdin.write(json.dumps(content).encode() + b"\n")
        stdin.flush()


def _close(process: "subprocess.Popen[bytes]") -> None:
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()


def _kill_group(process: "subprocess.Popen[bytes]") -> None:
    with suppress(OSError):  # nobody is left of it
        os.killpg(process.pid, signal.SIGKILL)


def _last_line(log: Path) -> str:
    """Return the last line that a job has written, without what looks like a secret."""
    with suppress(OSError):
        size = log.stat().st_size
        text = content_of(log, offset=max(0, size - _LAST_BYTES)).decode(errors="replace")
        lines = [line.strip() for line in text.replace("\r", "\n").split("\n") if line.strip()]
        # Behind the error may stand what our tracker says of its points as the process ends.
        theirs = [line for line in lines if not line.startswith(_OURS)]
        return redacted((theirs or lines or [""])[-1])
    return ""
