"""Trouble made on purpose: a proxy that mistreats what passes it, a clock and a disk that misbehave."""

import errno
import json
import os
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

from grokscope.collectors.recording.spool import segment_files

BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
LOGIN = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>"


class Proxy:
    """Passes bytes between a port of its own and a server's, in the ``mode`` it is set to.

    ``fine``; ``busy`` answers 503; ``login`` answers 200 with a page; ``silent`` never answers; ``deaf`` lets
    the server do what it is asked to and loses its answer.
    """

    MODES = ("busy", "login", "silent", "deaf")

    def __init__(self, server_port: int) -> None:
        self.mode = "fine"
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError), socket.create_connection(("127.0.0.1", self._server_port)) as server:
            threading.Thread(target=self._answers, args=(server, client), daemon=True).start()
            while data := client.recv(1 << 16):
                while self.mode == "silent":
                    time.sleep(0.05)
                if page := {"busy": BUSY, "login": LOGIN}.get(self.mode):
                    client.sendall(page)
                    return
                server.sendall(data)

    def _answers(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(1 << 16):
                if self.mode == "deaf":
                    break
                client.sendall(data)
        for end in (server, client):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def live_under(weather: Path) -> None:
    """Let this process's clock and its spool's disk follow a file: ``{"clock_ms": ..., "is_full": ...}``."""
    now = {"clock_ms": 0, "is_full": False}

    def follow() -> None:
        while True:
            with suppress(OSError, ValueError):
                now.update(json.loads(weather.read_text()))
            real_sleep(0.02)

    def write(fd: int, data: bytes) -> int:
        if not now["is_full"]:
            return os.write(fd, data)
        if len(data) % 2:  # some frames fit in part
            return os.write(fd, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    real_time, real_sleep = time.time_ns, time.sleep
    time.time_ns = lambda: real_time() + now["clock_ms"] * 1_000_000
    segment_files.os = SimpleNamespace(**(vars(os) | {"write": write}))
    threading.Thread(target=follow, daemon=True).start()
