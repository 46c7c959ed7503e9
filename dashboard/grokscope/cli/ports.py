"""Where the dashboard listens."""

import errno
import socket

from grokscope.schemas import GrokscopeError

DEFAULT_PORT = 8501
LOOPBACK = "127.0.0.1"


class ServerError(GrokscopeError):
    """The dashboard cannot be started, or does not stay up."""


def choose_port(wanted: int | None, host: str = LOOPBACK) -> int:
    """Return ``wanted`` if it is free; without a wish the first free one from 8501 on.

    Raises:
        ServerError: If the wanted port is in use, or none of the next hundred is free.
    """
    if wanted is not None:
        if not is_free(wanted, host):
            raise in_use(wanted, host)
        return wanted
    for port in range(DEFAULT_PORT, DEFAULT_PORT + 100):
        if is_free(port, host):
            return port
    raise ServerError(f"no free port from {DEFAULT_PORT} to {DEFAULT_PORT + 99}; name one with --port")


def in_use(port: int, host: str) -> ServerError:
    """Return the error that says so."""
    return ServerError(f"port {port} is in use on {host}; choose another with --port, or leave --port away")


def is_free(port: int, host: str) -> bool:
    """Return whether a server could listen on ``port`` of ``host``.

    Raises:
        ServerError: If it could not listen there on any port.
    """
    with socket.socket() as probe:
        # As the server itself will do: a port in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise ServerError(
                f"the dashboard cannot listen on {host!r}, port {port}: {error.strerror}; "
                "give an IPv4 address of this machine with --host, or leave --host away"
            ) from error
    return True
