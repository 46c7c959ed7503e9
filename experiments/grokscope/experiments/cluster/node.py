"""What runs on a node of a cluster, in a process of Ray's: a job of a sweep, its withdrawal, tasks."""

import contextlib
import os
import socket
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from grokscope.collectors.recording.ship.withdrawal import withdraw_run
from grokscope.collectors.recording.spool import find_spools, read_meta
from grokscope.experiments.sweeps.engine import Job, Progress
from grokscope.experiments.sweeps.local import LocalEngine
from grokscope.schemas import GrokscopeError, home
from grokscope.schemas.workers import Failed, Input, Output, Result, attempted

_LOOK_SECONDS = 0.2
_DELIVERY_SECONDS = 600.0
_DISTRIBUTION = "grokscope"
_CANCELLED = "its sweep was ended"


class OtherVersionError(GrokscopeError):
    """A node that has another grokscope than the command."""


@cache
def own_version() -> str:
    """Return the version of grokscope that is installed here."""
    return version(_DISTRIBUTION)


def run_job(told: Mapping[str, Any], *, folder: str, wanted: str) -> Iterator[dict[str, Any]]:
    """Train one cell here, as the only job of an engine for this machine; yield what is told of it.

    The job is this process's child and ends with it, however it ends. A run counts as ended once its points
    are in the store, so that the loss of this node costs nothing of it then; a store that is away is waited
    for as long as ``_DELIVERY_SECONDS``.

    Args:
        told: The job, as JSON knows it.
        folder: Where to work, if there is such a folder here.
        wanted: The version of grokscope that sends it.

    Yields:
        First ``{"node"}``, Ray's id of this one; ``{"step"}`` as it goes on, and at last ``{"code", "error",
        "is_tracked", "is_on_its_way"}``.
    """
    _check_version(wanted)
    _work_in(folder)
    yield {"node": _node()}
    job, engine = Job.from_json(told), LocalEngine(1)
    engine.start(job)
    try:
        end = yield from _followed(engine)
    except BaseException:  # cancelled: nobody but this machine can take back what it has not sent yet
        engine.stop()
        withdraw_here(job.run_id, store=job.store, experiment=job.cell.experiment, why=_CANCELLED)
        raise
    deadline = time.monotonic() + _DELIVERY_SECONDS
    while (is_on_its_way := _is_on_its_way(job.run_id)) and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
    error = f"{end.error}, on {socket.gethostname()}" if end.error else ""
    yield {
        "code": end.code,
        "error": error,
        "is_tracked": end.is_tracked,
        "is_on_its_way": is_on_its_way,
    }


def _node() -> str:
    """Return Ray's id of this node."""
    import ray  # noqa: PLC0415 - here it is loaded

    return ray.get_runtime_context().get_node_id()


def _followed(engine: LocalEngine) -> Generator[dict[str, Any], None, Progress]:
    """Yield the steps of an engine's one job, the latest of those that are told at once; return its end."""
    told = step = 0
    while True:
        # Short: as a job is cancelled, Python acts on that between two calls only.
        news = engine.news(_LOOK_SECONDS)
        if news is not None and news.code is not None:
            return news
        if news is not None:
            step = news.step
        elif step > told:
            told = step
            yield {"step": step}


def _is_on_its_way(run_id: str) -> bool:
    """Say whether points of a run are on this machine's disk that are not in the store yet."""
    metas = ((folder, read_meta(folder)) for folder in find_spools(home()))
    return any(
        meta is not None and meta.run_id == run_id and not (folder / "state.json").exists()
        for folder, meta in metas
    )


def withdraw_here(run_id: str, *, store: str, experiment: str, why: str) -> None:
    """Take back what a job that is gone has left on this machine, and what has arrived of it."""
    withdraw_run(run_id, store=store, experiment=experiment, why=why)


def do_tasks(
    task: Callable[[Input], Output], inputs: Sequence[Input], *, folder: str, wanted: str
) -> list[Result[Output]]:
    """Return how some tasks ended.

    Args:
        task: What is done.
        inputs: One a task.
        folder: Where to work, if there is such a folder here.
        wanted: The version of grokscope that sends them.
    """
    _check_version(wanted)
    _work_in(folder)
    return [_portable(attempted(task, one)) for one in inputs]


def _portable(result: Result[Output]) -> Result[Output]:
    """Return a result whose error can be made elsewhere: one that cannot takes all results with it."""
    if isinstance(result, Failed):
        try:
            type(result.error)(*result.error.args)  # as it is made there
        except Exception:  # noqa: BLE001 - whatever somebody's error does
            return Failed(GrokscopeError(f"{type(result.error).__name__}: {result.error}"))
    return result


def _check_version(wanted: str) -> None:
    if own_version() != wanted:
        raise OtherVersionError(
            f"{socket.gethostname()} has grokscope {own_version()}, and the command is of {wanted}; install "
            "the same on all nodes"
        )


def _work_in(folder: str) -> None:
    """Work where the command does, if that is here, too; else where Ray has put this process."""
    with contextlib.suppress(OSError):
        os.chdir(folder)
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
