"""A spool's files while it is shipped: how far it has come, what may be deleted, what is kept as damaged."""

import logging
from pathlib import Path

from grokscope.collectors.recording.ship.delivery.interval import Interval
from grokscope.collectors.recording.spool import (
    Cursor,
    Damage,
    remove_spool,
    replace_json,
    segments,
    set_aside,
    spent_segments,
    write_cursor,
)

_log = logging.getLogger(__name__)

# A cursor that lags costs only that a killed shipper's last second is sent again.
_CURSOR_SECONDS = 1.0


class ShippedSpool:
    """The folder of a spool that is being shipped.

    Args:
        folder: The spool.
        kept: Folder that takes damaged segments and the report on them.

    Attributes:
        damage: What of it could not be read.
    """

    def __init__(self, folder: Path, *, kept: Path) -> None:
        self.folder = folder
        self.damage = Damage(folder)
        self._kept = kept
        self._delivered: Cursor | None = None
        self._arrays: Cursor | None = None
        self._cursor_writes = Interval(_CURSOR_SECONDS, is_first_due=False)

    def acknowledge(self, after: Cursor, *, arrays: Cursor | None = None) -> None:
        """Note that all before ``after`` has arrived, and delete the segments that lie there.

        Args:
            after: Up to where.
            arrays: Where the arrays begin that are in no finished file; these are kept.
        """
        self._delivered, self._arrays = after, arrays
        spent = list(spent_segments(self.folder, min(after, arrays or after)))
        if spent or self._cursor_writes.is_due():
            self.move_cursor()
        for path in spent:
            self._keep_if_damaged(path)
            path.unlink(missing_ok=True)
        if spent:  # a cursor that found no room may find some now; segments that it does not tell seem lost
            self.move_cursor()

    def move_cursor(self) -> None:
        """Note on disk what has arrived, before any of it is deleted."""
        if self._delivered is None:
            return
        self._cursor_writes.begin()
        try:
            self.damage.save()
            write_cursor(self.folder, self._delivered, arrays=self._arrays)
        except OSError as error:
            # A full disk. Going on is safe: an old cursor only means that points are sent once more, and
            # deleting what is sent is what makes room.
            _log.warning("%s: the cursor cannot be written (%s)", self.folder, error)
        else:
            self._delivered = None

    def leave(self, why: str) -> None:
        """Leave all as it is until somebody has done something about the reason."""
        replace_json(self.folder / "state.json", {"state": "orphaned", "why": why})
        self._delivered = None

    def close(self, *, run_id: str, may_return: bool) -> None:
        """Remove a spool that is wholly shipped, and keep what of it is damaged.

        Args:
            run_id: Of its run, for the report.
            may_return: Whether its writer may come back: then it is only put aside.
        """
        if self.damage:
            self.damage.save()
            self.damage.report(self._kept / self.folder.name, run=run_id)
        for _, path in segments(self.folder):
            self._keep_if_damaged(path)
        if may_return:
            self.move_cursor()
            set_aside(self.folder)
        else:
            remove_spool(self.folder)
        self._delivered = None

    def _keep_if_damaged(self, path: Path) -> None:
        """Save a segment that holds bytes nobody could read from being deleted."""
        if self.damage.holds(int(path.stem)):
            place = self._kept / f"{self.folder.name}.{path.name}"
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.replace(place)
            _log.warning(
                "a segment was damaged on disk; what could be read is sent, and it is kept as %s", place
            )
