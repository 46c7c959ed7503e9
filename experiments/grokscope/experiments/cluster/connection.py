"""A Ray cluster to work on: one that runs somewhere, or one of this machine's own for one command."""

import logging
import os
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from grokscope.schemas import GrokscopeError
from grokscope.schemas.extras import Extra, MissingExtraError, missing

_ADDRESS = "RAY_ADDRESS"
_AUTO = "auto"
_CLIENT = "ray://"
_ANSWER_SECONDS = 5.0
_LEAST_MEMORY = 256 << 20
# What a Ray head speaks is HTTP/2: its first frame, at once, are its settings.
_HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
_HEADER, _TYPE, _SETTINGS = 9, 3, 4
_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # What Ray has to say goes to stdout, where only what a command prints belongs; losses are told by us.
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",
    "RAY_SCHEDULER_EVENTS": "0",
    "RAY_ENABLE_AUTO_CONNECT": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # A head that answers and is none is given up after some 40 s, not after many minutes.
    "RAY_NUM_REDIS_GET_RETRIES": "1",
    "RAY_py_gcs_connect_timeout_s": "30",
}
# Its own name for it: the node's address is then that of loopback, and so all that it listens on.
_ONLY_LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}


class ClusterError(GrokscopeError):
    """A cluster that cannot be used."""


@contextmanager
def connected(address: str | None = None) -> Generator[Any]:
    """Connect to a Ray cluster for the length of the block; give the module ``ray``.

    Args:
        address: ``HOST:PORT`` of the cluster's head, asked from one of its nodes, or ``auto`` for the cluster
            that runs on this machine; by default ``RAY_ADDRESS``, and without that a cluster of this
            machine's own, which is reachable from nowhere else and ends with the block.

    Raises:
        ClusterError: If ray is not installed, nothing answers there, or the cluster has another version.
    """
    place = address or os.environ.get(_ADDRESS) or None
    _check_address(place)
    ray = _ray(is_own=place is None)
    _init(ray, place)
    try:
        yield ray
    finally:
        ray.shutdown()


def _check_address(address: str | None) -> None:
    if address is None or address == _AUTO:
        return
    if address.startswith(_CLIENT):
        raise ClusterError(
            f"{address!r} is an address for Ray's client, which cannot follow jobs; run the command on a "
            "node of the cluster, or by 'ray job submit', and give the head's own: --address HOST:6379"
        )
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise ClusterError(f"an address of a cluster is HOST:PORT, or auto, got {address!r}; say HOST:6379")
    if not _answers(host.strip("[]"), int(port)):
        raise ClusterError(
            f"no Ray cluster answers at {address}; start one with 'ray start --head --port={port}' there, or "
            "leave --address away for one on this machine"
        )


def _answers(host: str, port: int) -> bool:
    """Say whether a server of the kind is there: Ray itself waits for minutes before it says that none is."""
    try:
        with socket.create_connection((host, port), timeout=_ANSWER_SECONDS) as connection:
            connection.sendall(_HELLO)
            answer = b""
            while len(answer) < _HEADER and (more := connection.recv(_HEADER - len(answer))):
                answer += more
    except (OSError, OverflowError):
        return False
    return len(answer) == _HEADER and answer[_TYPE] == _SETTINGS


def _ray(*, is_own: bool) -> Any:
    # Read as ray is imported, and by the processes that it starts.
    for name, value in (_ENVIRONMENT | (_ONLY_LOOPBACK if is_own else {})).items():
        os.environ.setdefault(name, value)
    try:
        import ray  # noqa: PLC0415 - an extra, for those who ask
    except ImportError as error:
        raise MissingExtraError(missing("--engine ray", "ray", Extra.RAY)) from error
    return ray


def _init(ray: Any, address: str | None) -> None:
    # Without an address Ray would look for one in its own places; this says that none is meant.
    own = {"include_dashboard": False, "address": "local"}
    try:
        ray.init(
            **(own if address is None else {"address": address}),
            log_to_driver=False,
            logging_level=logging.CRITICAL,
        )
    except (Exception, SystemExit) as error:  # it ends processes whose head does not answer, too
        ray.shutdown()  # of what was connected already
        place = "on this machine" if address is None else f"at {address}"
        raise ClusterError(f"the Ray cluster {place} cannot be used: {_said(error)}") from error


def _said(error: BaseException) -> str:
    """Return what Ray says, on one line: of versions it says several."""
    words = " ".join(str(error).split())
    if "ersion mismatch" in words:
        return f"{words}. Install the cluster's versions of Ray and Python here, or these there"
    return words or type(error).__name__
