"""Whether the process that writes a spool still runs."""

import os
import socket
from pathlib import Path

from grokscope.collectors.spool.layout import Meta


def process_born(pid: int) -> str | None:
    """Return the start time of a process as text, ``None`` if there is no such process.

    A process that has ended and whose parent has not asked for its status yet is no process any more.
    Where the platform does not tell (no ``/proc``), the empty string stands for any living process.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        fields = stat.rpartition(")")[2].split()
        return None if fields[0] in "ZX" else fields[19]
    except OSError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return ""
    return "" if not Path("/proc/self/stat").exists() else None


def writer_is_alive(meta: Meta) -> bool:
    """Say whether the process that writes this spool still runs (on another host: assume so)."""
    if meta.host != socket.gethostname():
        return True
    born = process_born(meta.pid)
    return born is not None and born == meta.born
