"""The dashboard's process: its port, its start, its end."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec

from grokscope.schemas import GrokscopeError

DEFAULT_PORT = 8501
LOOPBACK = "127.0.0.1"


class ServerError(GrokscopeError):
    """The dashboard cannot be started."""


def choose_port(wanted: int | None, host: str = LOOPBACK) -> int:
    """Return ``wanted`` if it is free; without a wish the first free one from 8501 on.

    Raises:
        ServerError: If the wanted port is in use, or none of the next hundred is free.
    """
    if wanted is not None:
        if not _is_free(wanted, host):
            raise ServerError(
                f"port {wanted} is in use on {host}; choose another with --port, or leave --port away"
            )
        return wanted
    for port in range(DEFAULT_PORT, DEFAULT_PORT + 100):
        if _is_free(port, host):
            return port
    raise ServerError(f"no free port from {DEFAULT_PORT} to {DEFAULT_PORT + 99}; name one with --port")


@contextmanager
def dashboard(store: str, *, port: int, host: str = LOOPBACK) -> Generator["subprocess.Popen[bytes]"]:
    """Run the dashboard on ``store`` for as long as the block lasts.

    Raises:
        ServerError: If it is not installed, or does not answer within a minute.
    """
    if find_spec("streamlit") is None:
        raise ServerError("the dashboard is not installed here; run: pip install 'grokscope[dashboard]'")
    from grokscope.dashboard.settings import STORE_VARIABLE, server_flags  # noqa: PLC0415 - as above

    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", *server_flags(port, host=host)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env={**os.environ, STORE_VARIABLE: store},
    )
    earlier = signal.signal(signal.SIGTERM, _leave)
    try:
        _wait_until_up(process, LOOPBACK if host == "0.0.0.0" else host, port)  # noqa: S104 - compared
        yield process
    finally:
        signal.signal(signal.SIGTERM, earlier)
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for_end(process: "subprocess.Popen[bytes]") -> None:
    """Wait until the dashboard ends, or Ctrl-C is pressed.

    Polls, since the kernel may hand the interrupt to a thread of polars, where a wait would not see it.
    """
    while process.poll() is None:
        time.sleep(0.2)


def _leave(number: int, frame: object) -> None:  # noqa: ARG001 - the signature of a signal's handler
    """Turn a termination into an exit that ends the dashboard too, which would hold its port otherwise."""
    sys.exit(128 + number)


def _is_free(port: int, host: str) -> bool:
    with socket.socket() as probe:
        # As the server itself will do: a port in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _wait_until_up(process: "subprocess.Popen[bytes]", host: str, port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ServerError(f"the dashboard ended at once with status {process.returncode}; see above")
        try:
            with socket.create_connection((host, port), timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise ServerError(f"the dashboard did not answer on {host}:{port} within 60 s")
