"""``python -m grokscope.experiments.sweeps.job``: one job of a sweep, its own process.

The first line of stdin is the job, as JSON; where stdin ends, the job and all that it has started end at
once, since its sweep has. Each line on stdout is the number of steps done; what else is printed goes to
stderr. The exit status is 0 if the training has returned, as the cell's record says too, if there is one.
"""

import atexit
import json
import os
import pkgutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from grokscope.collectors.recording import given_run
from grokscope.experiments.sweeps.cells.cell import Cell
from grokscope.experiments.sweeps.engine import Job
from grokscope.experiments.sweeps.functions import load
from grokscope.experiments.sweeps.ledger import append, ending
from grokscope.schemas import home
from grokscope.schemas.files.private import duplicate

_STDIN, _STDOUT, _STDERR = 0, 1, 2
_PYTHONS = ("python", "python3")
_NOT_FOUND = 127
_SIGNALLED = 128
_STATUS = 0xFF


def main() -> None:
    """Train what the first line of stdin describes."""
    control, protocol = _apart()
    told: Mapping[str, Any] = json.loads(_first_line(control))
    job, record = Job.from_json(told["job"]), told["record"]
    threading.Thread(target=_end_with_sweep, args=(control,), daemon=True).start()
    status = _Status(1)
    # Registered first, so it comes last: trackers that nobody closed are closed before.
    atexit.register(_end, _Record.of(record), job, status, os.getpid())
    try:
        status.code = train(job, report=partial(_report, protocol), record=record)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
        status.code = code & _STATUS  # as whoever waits for this process reads it
        raise
    sys.exit(status.code)


def train(job: Job, *, report: Callable[[int], None], record: int | None = None) -> int:
    """Train one cell here and return the exit status.

    Args:
        job: What, and as which run.
        report: Takes the number of steps done.
        record: Descriptor of the cell's record, which a command's processes hold too.
    """
    cell = job.cell
    if not cell.command and ":" not in cell.train:
        _train_ours(job, report)
        return 0
    os.environ.update(_environment(job))
    if cell.command:
        return _run(cell, record)
    load(cell.train)(**cell.settings, seed=cell.seed)
    return 0


@dataclass(frozen=True, slots=True)
class _Record:
    """A descriptor, and the file that it was: a training may close it, and have another in its place."""

    fd: int
    file: tuple[int, int]

    @classmethod
    def of(cls, fd: int | None) -> "_Record | None":
        return None if fd is None else cls(fd, _file_of(fd))

    def is_open(self) -> bool:
        with suppress(OSError):
            return _file_of(self.fd) == self.file
        return False


def _file_of(fd: int) -> tuple[int, int]:
    found = os.fstat(fd)
    return found.st_dev, found.st_ino


class _Status:
    def __init__(self, code: int) -> None:
        self.code = code


def _train_ours(job: Job, report: Callable[[int], None]) -> None:
    # Here, so that nobody waits for torch whose command needs none.
    import torch  # noqa: PLC0415

    from grokscope.experiments.catalogue import EXPERIMENTS  # noqa: PLC0415
    from grokscope.experiments.training.run import Destination, Run  # noqa: PLC0415
    from grokscope.experiments.training.training import train as train_recipe  # noqa: PLC0415

    torch.set_num_threads(1)
    cell, experiment = job.cell, EXPERIMENTS[job.cell.train]
    settings: dict[str, Any] = dict(cell.settings)
    recipe = experiment.recipe(group=cell.group, seed=cell.seed, **settings)
    detector = None if job.detector is None else pkgutil.resolve_name(job.detector)(job.run_id)
    to = Destination(experiment=cell.experiment, store=job.store, run_id=job.run_id)
    run = Run(to=to, report=report, detector=detector, stop=cell.stop)
    train_recipe(experiment.prepare(recipe), recipe, run)


def _run(cell: Cell, record: int | None) -> int:
    held = () if record is None else (record,)
    program, *arguments = cell.command
    try:
        # The Python that has grokscope, also where its environment is not the shell's.
        program = sys.executable if program in _PYTHONS else program
        process = subprocess.Popen([program, *arguments], stdin=subprocess.DEVNULL, pass_fds=held)
    except OSError as error:
        sys.stderr.write(f"{cell.command[0]!r} cannot be run ({error})\n")
        return _NOT_FOUND
    code = process.wait()
    return code if code >= 0 else _SIGNALLED - code


def _environment(job: Job) -> dict[str, str]:
    """Return what tells a user's own code, and a tracker in it, which run this is."""
    cell = job.cell
    return {
        given_run.TOKEN: given_run.set_out(job.run_id, store=job.store),
        given_run.RUN_ID: job.run_id,
        given_run.EXPERIMENT: cell.experiment,
        given_run.STORE: job.store,
        given_run.PARAMS: json.dumps({**cell.settings, "group": cell.group, "seed": cell.seed}),
    }


def _apart() -> tuple[int, int]:
    """Take stdin and stdout for the sweep, and give what is trained others in their place."""
    control, protocol = duplicate(_STDIN), duplicate(_STDOUT)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, _STDIN)
    os.close(nothing)
    os.dup2(_STDERR, _STDOUT)
    return control, protocol


def _first_line(fd: int) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        if not (more := os.read(fd, 1)):
            sys.exit(1)  # the sweep has gone already
        line += more
    return line


def _end_with_sweep(control: int) -> None:
    while os.read(control, 1):
        pass
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def _report(protocol: int, step: int) -> None:
    os.write(protocol, b"%d\n" % step)


def _end(record: "_Record | None", job: Job, status: _Status, pid: int) -> None:
    if os.getpid() != pid:  # a child that the training has forked, and that ends as a program does
        return
    given_run.take_back(job.run_id, store=job.store)
    if record is not None and record.is_open():
        append(record.fd, ending(job.attempt, status.code, home=home(), run_id=job.run_id))


if __name__ == "__main__":
    main()
