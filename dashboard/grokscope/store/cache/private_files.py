"""Files and folders that nobody but this user can have written: checked when opened, made so when written."""

import hashlib
import os
import secrets
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path

_OTHERS = 0o077
_OTHERS_WRITE = 0o022


class ForeignFileError(OSError):
    """It is a link, no file, or somebody else's, or others may reach it."""


def take_folder(path: Path) -> bool:
    """Make ``path`` a folder that only we may enter; return whether only we could write into it before.

    Raises:
        ForeignFileError: If it is a link or belongs to somebody else.
        OSError: If it cannot be made.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise ForeignFileError(f"{path} is a link, or cannot be opened ({error.strerror})") from error
    try:
        status = os.fstat(descriptor)
        if status.st_uid != os.geteuid():
            raise ForeignFileError(f"{path} belongs to user {status.st_uid}, and we are {os.geteuid()}")
        if status.st_mode & _OTHERS:
            os.fchmod(descriptor, 0o700)
        return not status.st_mode & _OTHERS_WRITE
    finally:
        os.close(descriptor)


@contextmanager
def reading_own(path: Path) -> Generator[BufferedReader]:
    """Open a file for reading.

    Raises:
        ForeignFileError: If it is a link, no file, not ours, or open to others.
        OSError: If it is not there or cannot be read.
    """
    # A pipe that somebody put there would otherwise be waited for.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ForeignFileError(f"{path.name} is not a file")
        if status.st_uid != os.geteuid() or status.st_mode & _OTHERS:
            mode = stat.S_IMODE(status.st_mode)
            raise ForeignFileError(f"{path.name} is of user {status.st_uid}, with mode {mode:o} and not 600")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            yield file
    finally:
        os.close(descriptor)


@contextmanager
def replacing(path: Path) -> Generator[Path]:
    """Give a new file to write; then it is on the disk, under the name ``path``, whole or not at all."""
    unfinished = path.with_name(f".{secrets.token_hex(8)}.part")
    os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    try:
        yield unfinished
        _sync(unfinished)
        unfinished.replace(path)
        _sync(path.parent)
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


def checksum(file: BufferedReader) -> str:
    """Return the checksum of what is left to read in ``file``, whatever its size, in little memory."""
    return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def checksum_of(content: bytes) -> str:
    """Return the checksum of ``content``.

    >>> checksum_of(b"points")
    'a63e1c3ec43394b3574a764c85cc221d'
    """
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
