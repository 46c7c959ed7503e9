"""A run on its way out of its store, in the place of one spool that is delivered."""

import time
from collections.abc import Callable
from pathlib import Path

from grokscope.collectors.recording.ship.delivery.run_header import run_header
from grokscope.collectors.recording.ship.delivery.run_upload import RefusalTimer
from grokscope.collectors.recording.ship.run_store import Refused, RunGone, RunStore
from grokscope.collectors.recording.spool import Meta, find_spools, read_meta, remove_spool, replace_json


class Withdrawal:
    """Deletes one run, once nothing of it is on its way any more; see ``ship.withdrawal``.

    Args:
        folder: The spool that says so.
        meta: What it is.
        home: Where the run's other spools would be.
        run_store: Where the run is, if it has got there.
        clock: Seconds that only grow.

    Attributes:
        is_done: Whether nothing is left to do.
        is_behind: Whether more waits to be sent at once: never.
        is_live: Whether somebody still writes the spool: never.
    """

    is_behind = False
    is_live = False

    def __init__(
        self,
        folder: Path,
        meta: Meta,
        *,
        home: Path,
        run_store: RunStore,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.is_done = False
        self._folder = folder
        self._meta = run_header(meta).meta
        self._home = home
        self._run_store = run_store
        self._refusals = RefusalTimer(clock)

    def advance(self) -> int:
        """Delete the run if it is time; return 0, the number of scalars that were sent.

        Raises:
            Unavailable: If the store cannot do it now; call again later.
        """
        if self._is_still_sent():
            return 0
        try:
            self._run_store.withdraw(self._meta)
        except RunGone:
            pass
        except Refused as error:
            self._refusals.check(error)
            why = (
                f"{self._meta.store} does not delete a run that was withdrawn ({error}); do it there, and "
                f"delete {self._folder}"
            )
            replace_json(self._folder / "state.json", {"state": "orphaned", "why": why})
            self.is_done = True
            return 0
        remove_spool(self._folder)
        self.is_done = True
        return 0

    def _is_still_sent(self) -> bool:
        """Say whether another spool of the run can still be delivered: it would make the run anew."""
        return any(
            (meta := read_meta(folder)) is not None
            and (meta.run_id, meta.store) == (self._meta.run_id, self._meta.store)
            for folder in find_spools(self._home)
            if folder != self._folder and not (folder / "state.json").exists()
        )
