"""A run's arrays on their way into artifacts: in files, each named by where in the spool it begins."""

import os
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from grokscope.collectors.recording.ship.delivery.interval import Interval
from grokscope.collectors.recording.ship.delivery.run_upload import RefusedForNow, RunUpload
from grokscope.collectors.recording.ship.run_store import Refused
from grokscope.collectors.recording.spool import Cursor
from grokscope.schemas.arrays import FOLDER, MOST_FILE_ARRAYS, MOST_FILE_BYTES, LoggedArray, array_file
from grokscope.schemas.files.private import opened

FILE_BYTES = MOST_FILE_BYTES // 8
"""A file that has so many bytes of values and labels is full."""

SEND_SECONDS = 20.0
"""How often the file that still grows is sent anew while its run trains."""

# While the place of artifacts takes nothing, this many files wait in memory; then the oldest is put on disk.
_MOST_WAITING = 16
_FIRST_WAIT, _LONGEST_WAIT = 2.0, 60.0
_MOST_AGAIN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedArray:
    """An array, and where it stands in the spool."""

    logged: LoggedArray
    before: Cursor
    after: Cursor


@dataclass(slots=True, kw_only=True)
class _File:
    """Arrays that become one file: the same for the same spool, wherever a shipper has stopped."""

    begin: Cursor
    arrays: list[LoggedArray] = field(default_factory=list[LoggedArray])
    size: int = 0
    sent: int = 0
    sent_bytes: int | None = None
    sent_again: int = 0

    @property
    def is_full(self) -> bool:
        """Whether the next array begins another file."""
        return self.size >= FILE_BYTES or len(self.arrays) >= MOST_FILE_ARRAYS


class ArrayFiles:
    """Sends the arrays of one spool as few files.

    The last file grows, and is sent anew under its name, until it is full or the spool goes on in another
    segment. Until then the spool is kept from there on: a shipper that takes over makes the very same file
    again. So no array is lost or stands in two files, and a file that was half written is written over.

    Where the place of artifacts takes nothing, and the store takes points, no point waits. After five minutes
    (see ``RefusalTimer``) the files are kept on disk beside the dead letters, which tell it.

    Args:
        run: Sends them.
        writer: What tells this spool from others of its run.
        kept: Folder that takes the files which the store refuses.
    """

    def __init__(self, run: RunUpload, *, writer: str, kept: Path) -> None:
        self._run = run
        self._writer = writer
        self._kept = kept
        self._files: deque[_File] = deque()
        self._last = Cursor()
        self._sendings = Interval(SEND_SECONDS)
        self._wait = 0.0
        self._next_try = Interval(0.0)

    @property
    def begin(self) -> Cursor | None:
        """Where the arrays begin that are in no finished file; ``None`` if all are."""
        return self._files[0].begin if self._files else None

    def add(self, arrays: Iterable[PlacedArray]) -> None:
        """Add arrays, in the order of the spool; those that were added before are passed over."""
        for one in arrays:
            if one.after <= self._last:
                continue
            self._last = one.after
            file = self._files[-1] if self._files else None
            if file is None or file.is_full or file.begin.segment != one.before.segment:
                file = _File(begin=one.before)
                self._files.append(file)
            file.arrays.append(one.logged)
            file.size += one.logged.size

    def advance(self, *, until: Cursor, is_end: bool = False) -> None:
        """Send what is due.

        Args:
            until: How far the spool was read: files of earlier segments are finished.
            is_end: Whether nothing will be added any more: then all is sent now.

        Raises:
            RefusedForNow: At the end, while the place of artifacts takes nothing, maybe not for good, or has
                something else than what was sent.
            Unavailable: If the store takes nothing at all.
        """
        while self._files:
            file = self._files[0]
            is_finished = is_end or file.is_full or file.begin.segment < until.segment
            is_new = file.sent < len(file.arrays)
            if is_new and (is_finished or self._sendings.is_due()):
                if not is_end and not self._next_try.is_due():
                    break
                try:
                    self._send(file)
                except RefusedForNow:
                    if is_end:
                        raise
                    break
            if not is_finished or not self._is_whole(file, is_end=is_end):
                break
            self._files.popleft()
        while len(self._files) > _MOST_WAITING:
            self._keep(self._files.popleft(), "the place of artifacts takes nothing, and too many wait")

    def _send(self, file: _File) -> None:
        count = len(file.arrays)
        content = array_file(file.arrays[:count])
        try:
            self._run.put_file(self._path(file), content)
            file.sent_bytes = len(content)
        except RefusedForNow:
            self._wait = min(_LONGEST_WAIT, max(_FIRST_WAIT, 2 * self._wait))
            self._next_try = Interval(self._wait, is_first_due=False)
            raise
        except Refused as error:
            self._keep(file, str(error))
            file.sent_bytes = None
        self._wait = 0.0
        file.sent = count
        self._sendings.begin()

    def _is_whole(self, file: _File, *, is_end: bool) -> bool:
        """Say whether a finished file is there as it was sent last, before its part of the spool goes.

        An upload of a shipper that was killed may arrive late, and lies over it then with fewer arrays.
        """
        found = None if file.sent_bytes is None else self._run.file_size(self._path(file))
        # A place that always tells another size is not to be asked for ever.
        if found in (None, file.sent_bytes) or file.sent_again >= _MOST_AGAIN:
            return True
        file.sent, file.sent_bytes, file.sent_again = 0, None, file.sent_again + 1
        if is_end:
            raise RefusedForNow("an earlier upload of arrays has come late; they are sent once more")
        return False

    def _keep(self, file: _File, why: str) -> None:
        """Keep a file on disk that the store does not take, and say so among the dead letters."""
        place = self._kept / f"{self._run.client_id}.{self._name(file)}"
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fd = opened(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        with os.fdopen(fd, "wb") as out:
            out.write(array_file(file.arrays))
        self._run.give_up({"arrays": place.name}, why)

    def _path(self, file: _File) -> str:
        return f"{FOLDER}/{self._name(file)}"

    def _name(self, file: _File) -> str:
        return f"{self._writer}.{file.begin.segment:06d}-{file.begin.offset:08d}.parquet"
