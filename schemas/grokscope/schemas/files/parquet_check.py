"""Whether somebody else's Parquet can be unpacked, tried in a process of its own: ``python -m`` this module.

A single wrong byte in such a file can make polars ask for more memory than there is, and that ends the
process at once, with all pages that it serves. So what is not known to be ours is unpacked there first.
"""

import io
import subprocess
import sys
from contextlib import suppress
from os import environ
from threading import Timer
from types import TracebackType
from typing import IO, Self

import polars as pl

MEMORY_BYTES = 4 << 30
"""Address space of that process: polars takes half a GiB of it before it reads anything."""

FILE_S = 60.0
"""Longest time for one file."""

_MODULE = "grokscope.schemas.files.parquet_check"
_SIZE_BYTES = 8
_IS_WHOLE, _IS_BROKEN, _IS_LARGE = b"y", b"n", b"l"
_SAID = {
    _IS_BROKEN: "it is no readable Parquet file",
    b"": "it cannot be unpacked within the memory and the time that it may take",
}


class ParquetCheck:
    """Unpacks files in a process of its own, which begins with the first and ends with the ``with`` block.

    Args:
        most_bytes: What a file may take unpacked.

    >>> with ParquetCheck(most_bytes=1 << 20) as check:
    ...     check.problem(b"PAR1")
    'it is no readable Parquet file'
    """

    def __init__(self, *, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Begin nothing yet: most readings bring no new file."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        self._end()

    def problem(self, content: bytes) -> str | None:
        """Return why a file cannot be unpacked, as a clause; ``None`` if it can."""
        try:
            reply = self._asked(content)
        except OSError as error:
            self._end()
            return f"it cannot be looked at in a process of its own ({error.strerror})"
        if reply == _IS_WHOLE:
            return None
        if reply == _IS_LARGE:
            return f"it unpacks to more than {self._most_bytes >> 20:,} MiB"
        return _SAID.get(reply, _SAID[b""])

    def _asked(self, content: bytes) -> bytes:
        """Return the answer of the process; nothing if it died of the file."""
        if self._process is None:
            self._process = _started(self._most_bytes)
        process = self._process
        patience = Timer(FILE_S, process.kill)
        patience.start()
        try:
            with suppress(BrokenPipeError):
                _pipe(process.stdin).write(len(content).to_bytes(_SIZE_BYTES, "big") + content)
                _pipe(process.stdin).flush()
            reply = _pipe(process.stdout).read(1)
        finally:
            patience.cancel()
        if not reply:
            self._end()
        return reply

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            with suppress(BrokenPipeError):
                process.communicate()


def _started(most_bytes: int) -> "subprocess.Popen[bytes]":
    # -P: a file named csv.py in the working folder is not to be taken for Python's.
    return subprocess.Popen(
        [sys.executable, "-P", "-m", _MODULE, str(most_bytes)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**environ, "POLARS_MAX_THREADS": "1", "MALLOC_ARENA_MAX": "1"},
    )


def _pipe(pipe: "IO[bytes] | None") -> "IO[bytes]":
    if pipe is None:
        raise OSError(0, "it has no pipe")
    return pipe


def _serve(most_bytes: int) -> None:
    """Answer with one byte for each file on stdin, until there is none any more."""
    _restrict()
    while size := sys.stdin.buffer.read(_SIZE_BYTES):
        content = sys.stdin.buffer.read(int.from_bytes(size, "big"))
        sys.stdout.buffer.write(_told(content, most_bytes))
        sys.stdout.buffer.flush()


def _told(content: bytes, most_bytes: int) -> bytes:
    try:
        frame = pl.scan_parquet(io.BytesIO(content), glob=False).collect()
    except (Exception, pl.exceptions.PanicException):  # noqa: BLE001 - a reader of somebody else's
        return _IS_BROKEN
    return _IS_WHOLE if frame.estimated_size() <= most_bytes else _IS_LARGE


def _restrict() -> None:
    """Bind this process: memory, and no core file; where the system has no such limits, nothing."""
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return
    for what, most in ((resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(what)
        resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
