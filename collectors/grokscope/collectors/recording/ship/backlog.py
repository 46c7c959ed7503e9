"""What waits in spools, store by store."""

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from grokscope.collectors.recording.ship.credentials import VARIABLE
from grokscope.collectors.recording.ship.ownership import may_ship
from grokscope.collectors.recording.ship.service import state_path
from grokscope.collectors.recording.spool import (
    LEASE_SECONDS,
    Meta,
    find_spools,
    read_json,
    read_meta,
    refused_spools,
    unshipped,
    writer_is_alive,
)
from grokscope.schemas.addresses import sqlite_path

_REFUSED = "a store that cannot be told"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What waits for one store.

    Attributes:
        store: MLflow tracking URI, without credentials.
        points: Scalars of ended runs that can be sent from this machine.
        spools: How many spools whose run has ended but is not yet wholly in the store.
        stuck: A sentence for each spool that cannot be sent, and why.
        why: What the shipper says of the store; empty while all is well.
    """

    store: str
    points: int
    spools: int
    stuck: tuple[str, ...] = ()
    why: str = ""

    def overdue_message(self, seconds: float) -> str:
        """Return a sentence for a store that has taken nothing for ``seconds``."""
        why = f" ({self.why})" if self.why else ""
        sentence = (
            f"{self.store} has taken nothing for {seconds:.0f} s{why}; {self.points} points wait on "
            "disk and none is lost. Bring the store back and run 'grokscope sync' again"
        )
        if sqlite_path(self.store) is not None:
            return sentence
        # Of an address with credentials no file keeps more than the host.
        return f"{sentence}; if it asks for a password, set {VARIABLE} to its whole address"


def backlogs(home: Path) -> list[Backlog]:
    """Return what waits under ``home``, one entry a store.

    >>> backlogs(Path("no-such-home"))
    []
    """
    sendable: dict[str, list[int]] = defaultdict(list)
    ended: dict[str, int] = defaultdict(int)
    stuck: dict[str, list[str]] = defaultdict(list)
    if refused := refused_spools(home):
        stuck[_REFUSED] = list(refused.values())
    for folder in find_spools(home):
        meta = read_meta(folder)
        if meta is None or folder in refused:
            continue
        try:
            if reason := _why_stuck(home, folder, meta):
                stuck[meta.store].append(reason)
                continue
            # A run that still trains adds to its spool all the time, and has a shipper already.
            has_ended = not writer_is_alive(folder, meta)
            sendable[meta.store].append(unshipped(folder) if has_ended else 0)
            ended[meta.store] += has_ended
        except OSError as error:
            stuck[meta.store].append(f"{folder} cannot be read ({error}); see to the disk")
    return [
        Backlog(
            store=store,
            points=sum(sendable[store]),
            spools=ended[store],
            stuck=tuple(stuck[store]),
            why=str((read_json(state_path(home, store)) or {}).get("why", "")),
        )
        for store in sorted({*sendable, *stuck})
    ]


def _why_stuck(home: Path, folder: Path, meta: Meta) -> str:
    if not may_ship(home, folder, meta):
        return (
            f"{folder} was written on {meta.host}, which is still at work or was until a moment ago; run "
            f"'grokscope sync' there, or here once it has been silent for {LEASE_SECONDS / 60:.0f} minutes"
        )
    return str((read_json(folder / "state.json") or {}).get("why", ""))


def retry_stuck(home: Path) -> None:
    """Let the shipper try those again that had no place to go: their run may have been restored."""
    for folder in find_spools(home):
        with suppress(OSError):
            (folder / "state.json").unlink(missing_ok=True)
