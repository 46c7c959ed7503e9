"""Where a command does its work: in this process, or on a Ray cluster."""

from collections.abc import Generator
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated, Any

import typer

from grokscope.schemas import GrokscopeError
from grokscope.schemas.workers import HERE, Workers


class EngineError(GrokscopeError):
    """Options of an engine that do not go together."""


class EngineName(StrEnum):
    """Places where work is done."""

    LOCAL = "local"
    RAY = "ray"


Engine = Annotated[
    EngineName,
    typer.Option(
        "--engine", help="Where the work is done: on this machine, or on a Ray cluster (docs/cluster.md)."
    ),
]
Address = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        help="The cluster's head, for --engine ray; auto is the cluster that this machine is in. Default: "
        "RAY_ADDRESS, else a cluster of this machine's own for as long as the command takes.",
        show_default=False,
    ),
]


@contextmanager
def cluster_of(engine: EngineName, address: str | None) -> Generator[Any]:
    """Give the module ``ray``, connected to a cluster for the length of the block; ``None`` without one.

    Raises:
        EngineError: If an address is given without the engine.
        GrokscopeError: If the cluster cannot be used.
    """
    if engine is EngineName.LOCAL:
        if address is not None:
            raise EngineError(
                f"--address belongs to --engine ray, got {address!r} alone; give both or neither"
            )
        yield None
        return
    from grokscope.experiments.cluster.connection import connected  # noqa: PLC0415 - for those who ask

    with connected(address) as ray:
        yield ray


@contextmanager
def workers_of(engine: EngineName, address: str | None) -> Generator[Workers]:
    """Give what does independent tasks, for the length of the block.

    Raises:
        EngineError: If an address is given without the engine.
        GrokscopeError: If the cluster cannot be used.
    """
    with cluster_of(engine, address) as ray:
        if ray is None:
            yield HERE
            return
        from grokscope.experiments.cluster.workers import RayWorkers  # noqa: PLC0415 - for those who ask

        yield RayWorkers(ray)
