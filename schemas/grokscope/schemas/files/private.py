"""Files and folders that nobody but this user can have written: how they are made, opened and checked.

A home may lie where others can write, such as ``/tmp``. What is in it is read and written with this user's
rights, so what somebody else may have put there is refused: a file or folder of another user, one that others
can write, a link that leads elsewhere, anything that is no plain file. The home and the folders right in it
may be root's too, as a volume is that root has mounted; who may write there is then for root to say. The
folders above the home are not looked at: whoever can rename it can take it away, and what they put in its
place is refused.
"""

import os
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from functools import cache
from io import BufferedReader
from pathlib import Path
from secrets import token_hex

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
# 0, 1 and 2 are where a process reads and prints: were they closed, the next file would take what it prints.
_FIRST_FREE = 3
_ROOT = 0
# What a home holds. One that holds more is used for something else too, and keeps its mode.
_CONTENT = {"spool", "ship", "runs", "dead", "mirror", "dashboard", "sweeps"}


class NotPrivateError(OSError):
    """A file or folder that somebody else may have written, or that leads elsewhere; says what would help."""


def opened(path: Path, flags: int, *, may_be_read: bool = True) -> int:
    """Return a descriptor of a plain file of this user's, 3 or above; one that is made has mode 0600.

    Args:
        path: The file; the last part of the path is no link.
        flags: As ``os.open`` takes them.
        may_be_read: Whether others may read it, though not write. What cannot be read anew, as points that
            wait to be sent, is taken all the same; of what can be, as a copy of a store, nothing is believed
            that does not have the mode which it was given.

    Raises:
        NotPrivateError: If it is anything else.
        OSError: If it cannot be opened.

    >>> fd = opened(Path(os.devnull), os.O_RDONLY)  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    ...
    NotPrivateError: /dev/null is no plain file; remove it
    """
    flags |= os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # a named pipe would keep us waiting
    try:
        fd = free_of_printing(os.open(path, flags, 0o600))
    except OSError:
        if path.is_symlink():
            raise _link(path) from None
        raise
    try:
        _check(path, os.fstat(fd), refused=_OTHERS_WRITE if may_be_read else _OTHERS)
    except OSError:
        os.close(fd)
        raise
    return fd


@contextmanager
def reading(path: Path, *, may_be_read: bool = True) -> Generator[BufferedReader]:
    """Open a file for reading, as ``opened`` does, and close it."""
    with os.fdopen(opened(path, os.O_RDONLY, may_be_read=may_be_read), "rb") as file:
        yield file


def duplicate(fd: int) -> int:
    """Return another descriptor of the same file, 3 or above."""
    import fcntl  # noqa: PLC0415 - Windows has none, and imports this module all the same

    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE)


def content_of(path: Path, *, offset: int = 0, most: int = 1 << 24) -> bytes:
    """Return what a file holds from ``offset`` on, at most ``most`` bytes; raises as ``opened`` does."""
    with reading(path) as file:
        file.seek(offset)
        # No more than there is: a number in a file must not say how much memory is asked for.
        return file.read(min(most, max(0, os.fstat(file.fileno()).st_size - offset)))


def check_folder(folder: Path) -> None:
    """Look whether a folder is this user's alone, and every file in it.

    Raises:
        NotPrivateError: If it is not.
        OSError: If it cannot be read.
    """
    _check(folder, folder.lstat(), is_folder=True)
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # a shipper may remove it at any moment
                _check(folder / entry.name, entry.stat(follow_symlinks=False))


def is_private(folder: Path) -> bool:
    """Say whether a folder is there and nobody else can have written into it; its files are not looked at."""
    try:
        _check(folder, folder.lstat(), is_folder=True)
    except OSError:
        return False
    return True


def check_place(folder: Path) -> None:
    """Look whether a home, or a folder right in it, is this user's alone or root's; one not there is fine.

    Raises:
        NotPrivateError: If it is neither.
    """
    with suppress(FileNotFoundError):
        found = folder.lstat()
        if not (stat.S_ISDIR(found.st_mode) and found.st_uid == _ROOT != os.geteuid()):
            _check(folder, found, is_folder=True)


def private_folder(home: Path, name: str) -> Path:
    """Return the folder ``name`` of a home; both are made with mode 0700 where they are not there.

    Raises:
        NotPrivateError: If somebody else may have written there.
        OSError: If it cannot be made.
    """
    folder = home / name
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    close_to_others(home)
    check_place(home)
    folder.mkdir(exist_ok=True, mode=0o700)
    check_place(folder)
    return folder


def closed_folder(path: Path) -> bool:
    """Make a folder that only this user may enter, be it by closing one that is open to others.

    That is the rule for what can be read anew: where others could write, its content is not believed, and a
    folder of root's is not used either, since it cannot be closed. What cannot be read anew is in a
    ``private_folder``, which is refused and left as it is where others can write, and may be root's.

    Returns:
        Whether nobody else could write into it before.

    Raises:
        NotPrivateError: If it is a link, no folder, or somebody else's.
        OSError: If it cannot be made or closed.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        _check(path, path.lstat(), is_folder=True, refused=0)
        raise
    try:
        found = os.fstat(fd)
        _check(path, found, is_folder=True, refused=0)
        if found.st_mode & _OTHERS:
            os.fchmod(fd, 0o700)
    finally:
        os.close(fd)
    return not found.st_mode & _OTHERS_WRITE


def close_to_others(home: Path) -> None:
    """Take from others the right to write into a home that is one and nothing else.

    Earlier versions left its mode to the user's umask, which may let a group write.
    """
    with suppress(OSError):
        found = home.lstat()
        is_loose = bool(found.st_mode & _OTHERS_WRITE) and stat.S_ISDIR(found.st_mode)
        if is_loose and found.st_uid == os.geteuid() and {*os.listdir(home)} <= _CONTENT:  # noqa: PTH208 - names
            home.chmod(stat.S_IMODE(found.st_mode) & ~_OTHERS_WRITE)


def free_of_printing(fd: int) -> int:
    """Return ``fd``, or in its place one of 3 or above."""
    if fd >= _FIRST_FREE:
        return fd
    try:
        return duplicate(fd)
    finally:
        os.close(fd)


def _check(
    path: Path, found: os.stat_result, *, is_folder: bool = False, refused: int = _OTHERS_WRITE
) -> None:
    if stat.S_ISLNK(found.st_mode):
        raise _link(path)
    if not (stat.S_ISDIR if is_folder else stat.S_ISREG)(found.st_mode):
        raise NotPrivateError(f"{path} is no {'folder' if is_folder else 'plain file'}; remove it")
    if found.st_uid != os.geteuid() and found.st_uid != _owner_of_new(path if is_folder else path.parent):
        raise NotPrivateError(
            f"{path} belongs to {_user(found.st_uid)}, not to you ({_user(os.geteuid())}), so it is neither "
            "read nor written; run this as its owner, or remove it, or set GROKSCOPE_HOME to a folder of "
            "your own"
        )
    if found.st_mode & refused:
        does, mode = ("written", "go-w") if found.st_mode & _OTHERS_WRITE else ("read", "go=")
        raise NotPrivateError(
            f"{path} can be {does} by others (mode {stat.S_IMODE(found.st_mode):04o}), so it is not used; "
            f"look at it and run 'chmod {mode} {path}', or set GROKSCOPE_HOME to a folder of your own"
        )


def _link(path: Path) -> NotPrivateError:
    return NotPrivateError(f"{path} is a link, and none is followed here; remove it")


def _owner_of_new(folder: Path) -> int:
    """Return whose the files are that we make in a folder: some file systems give all to one user."""
    try:
        return _owner_on(folder.stat().st_dev, folder)
    except OSError:
        return os.geteuid()


@cache
def _owner_on(_device: int, folder: Path) -> int:
    path = folder / f".{token_hex(8)}"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        return os.fstat(fd).st_uid
    finally:
        os.close(fd)
        path.unlink()


def _user(uid: int) -> str:
    import pwd  # noqa: PLC0415 - Windows has none, and imports this module all the same

    try:
        return f"{pwd.getpwuid(uid).pw_name}, uid {uid}"
    except KeyError:
        return f"uid {uid}"
