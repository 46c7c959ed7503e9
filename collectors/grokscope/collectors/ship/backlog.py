"""What waits in spools, store by store."""

import json
import re
import socket
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from grokscope.collectors.ship.service import state_path
from grokscope.collectors.spool import find_spools, read_meta, unshipped, writer_is_alive

_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]*@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What waits for one store.

    Attributes:
        store: MLflow tracking URI.
        points: Scalars that can be sent from this machine.
        spools: How many spools whose run has ended but is not yet wholly in the store.
        stuck: A sentence for each spool that cannot be sent, and why.
        why: What the shipper says of the store; empty while all is well.
    """

    store: str
    points: int
    spools: int
    stuck: tuple[str, ...] = ()
    why: str = ""

    @property
    def shown_store(self) -> str:
        """The store without credentials."""
        return _CREDENTIALS.sub("***@", self.store)

    def complaint(self, seconds: float) -> str:
        """Return a sentence for a store that has taken nothing for ``seconds``."""
        why = f" ({self.why})" if self.why else ""
        return (
            f"{self.shown_store} has taken nothing for {seconds:.0f} s{why}; {self.points} points wait on "
            "disk and none is lost. Bring the store back and run 'grokscope sync' again"
        )


def backlogs(home: Path) -> list[Backlog]:
    """Return what waits under ``home``, one entry a store.

    >>> backlogs(Path("no-such-home"))
    []
    """
    sendable: dict[str, list[int]] = defaultdict(list)
    ended: dict[str, int] = defaultdict(int)
    stuck: dict[str, list[str]] = defaultdict(list)
    for folder in find_spools(home):
        meta = read_meta(folder)
        if meta is None:
            continue
        reason = _read(folder / "state.json").get("why", "")
        if meta.host != socket.gethostname():
            reason = f"{folder} was written on {meta.host}; run 'grokscope sync' there"
        if reason:
            stuck[meta.store].append(reason)
        else:
            sendable[meta.store].append(unshipped(folder))
            ended[meta.store] += not writer_is_alive(meta)
    return [
        Backlog(
            store=store,
            points=sum(sendable[store]),
            spools=ended[store],
            stuck=tuple(stuck[store]),
            why=_read(state_path(home, store)).get("why", ""),
        )
        for store in sorted({*sendable, *stuck})
    ]


def _read(path: Path) -> dict[str, str]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
