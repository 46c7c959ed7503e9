"""Whose spools a shipper serves: its own host's, and those that another host has left behind."""

import os
import socket
from contextlib import suppress
from pathlib import Path

from grokscope.collectors.recording.ship.lock import is_held
from grokscope.collectors.recording.spool import LEASE_SECONDS, Meta, age_seconds, is_certain, writer_is_alive
from grokscope.schemas.files.private import opened

_LEASE = "shipper"


def renew_lease(folder: Path) -> None:
    """Say to other kernels that somebody ships this spool."""
    with suppress(OSError):  # a full disk; the others then ship it too, which stores nothing twice
        fd = opened(folder / _LEASE, os.O_WRONLY | os.O_CREAT)
        try:
            os.utime(fd)
        finally:
            os.close(fd)


def may_ship(home: Path, folder: Path, meta: Meta) -> bool:
    """Say whether a spool was written under this host's name, or is left to whoever finds it.

    A container that is started anew has another name and finds the spools of the one before. Under one
    kernel the locks tell for certain that neither their writer nor their shipper lives. Under another,
    both must have been silent for ``LEASE_SECONDS``; if they come back all the same, nothing is lost:
    what was shipped twice is stored once, and a writer gets back a spool that was set aside.
    """
    if meta.host == socket.gethostname():
        return True
    if writer_is_alive(folder, meta):
        return False
    if is_certain(meta):
        return not is_held(home, meta.store, host=meta.host)
    return age_seconds(folder / _LEASE) > LEASE_SECONDS
