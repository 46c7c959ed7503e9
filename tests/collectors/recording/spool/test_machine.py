"""Whatever is done to spools, in whatever order, they hold what a plain list says they hold."""

import errno
import os
import shutil
import struct
import tempfile
from array import array
from itertools import count
from pathlib import Path
from types import SimpleNamespace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from grokscope.collectors.recording.spool import (
    Cursor,
    SpoolWriter,
    read_cursor,
    read_spool,
    segment_files,
    segments,
    spent_segments,
    unshipped,
    write_cursor,
)
from grokscope.collectors.recording.spool.record import AFTER, MAGIC, event_payload, frame
from grokscope.schemas.arrays import Axis, LoggedArray

VALUES = st.dictionaries(st.sampled_from("abcd"), st.floats(width=64), min_size=1)
ARRAYS = st.lists(st.floats(width=32), min_size=1, max_size=8)
Record = tuple[int, tuple[str, ...], bytes] | LoggedArray
# What a new segment begins with: the magic, and how long the one before it is.
BEGIN = len(MAGIC) + len(frame(event_payload({"event": AFTER, "bytes": 9999})))


class KilledError(BaseException):
    """The process dies here."""


class Disk:
    """``os.write`` of a disk that may be full, or of a process that may be killed within it."""

    def __init__(self) -> None:
        self.bytes_left: int | None = None
        self.killed_after: int | None = None

    def write(self, fd: int, data: bytes) -> int:
        if self.killed_after is not None:
            os.write(fd, data[: self.killed_after])
            raise KilledError(len(data))
        if self.bytes_left is None:
            return os.write(fd, data)
        if self.bytes_left == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = os.write(fd, data[: self.bytes_left])
        self.bytes_left -= written
        return written


class Spools(RuleBasedStateMachine):
    """One run, its attempts each with a spool of their own, and a shipper that takes from them."""

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp())
        self.disk = Disk()
        segment_files.os = SimpleNamespace(**(vars(os) | {"write": self.disk.write}))
        self.steps = count()
        self.held: dict[Path, list[Record]] = {}
        self.shipped: dict[Path, int] = {}
        self.stored: set[Record] = set()
        self.acknowledged: set[Record] = set()
        self.begin()

    def begin(self) -> None:
        self.folder = self.home / str(len(self.held))
        self.folder.mkdir()
        self.held[self.folder], self.shipped[self.folder] = [], 0
        self.writer = SpoolWriter(self.folder, segment_bytes=150, cap_bytes=1200)
        self.logged = 0

    @rule(values=VALUES | ARRAYS)
    def write(self, values):
        dropped = self.writer.dropped
        record = self.log(next(self.steps), values)
        self.logged += count_of(record)
        if self.writer.dropped == dropped:
            self.keep(record)

    def log(self, step, values) -> Record:
        """Write scalars, or the list of an array's values."""
        record = new_record(step, values)
        if isinstance(record, LoggedArray):
            self.writer.array(record)
        else:
            self.writer.points(step, 1000 + step, values)
        return record

    def keep(self, record):
        self.held[self.folder].append(record)
        self.acknowledged.add(record)

    @precondition(lambda self: self.disk.bytes_left is None)
    @rule(values=VALUES | ARRAYS, written=st.integers(0, 250))
    def be_killed_while_writing(self, values, written):
        step, dropped = next(self.steps), self.writer.dropped
        self.disk.killed_after = written
        try:
            self.log(step, values)
        except KilledError as death:
            # The record's own frame comes last, or alone in the file where a rotation was cut short.
            if written >= death.args[0] and self.ends_with(step):
                self.keep(new_record(step, values))
        else:
            assert self.writer.dropped > dropped  # beyond the cap nothing is written at all
        self.disk.killed_after = None
        self.die()

    def ends_with(self, step) -> bool:
        found = [read.record.step for read in read_spool(self.folder, Cursor())]
        return bool(found) and found[-1] == step

    @precondition(lambda self: self.disk.bytes_left is None)
    @rule()
    def die(self):
        if self.writer._files.segment.fd >= 0:
            os.close(self.writer._files.segment.fd)
        for fd in self.writer._files._unsynced:
            os.close(fd)
        self.begin()

    @rule(room=st.integers(0, 200))
    def fill_the_disk(self, room):
        self.disk.bytes_left = room

    @rule()
    def free_the_disk(self):
        self.disk.bytes_left = None

    @rule()
    def sync(self):
        self.writer.sync()

    @rule(data=st.data(), most=st.integers(1, 8), is_noted=st.booleans())
    def ship(self, data, most, is_noted):
        """Send some records; ``is_noted`` is false where the shipper dies before it moves the cursor."""
        folder = data.draw(st.sampled_from(list(self.held)))
        after = None
        taken = 0
        for read in read_spool(folder, read_cursor(folder)):
            self.stored.add(as_record(read.record))
            after, taken = read.after, taken + 1
            if taken == most:
                break
        if is_noted and after is not None:
            write_cursor(folder, after)
            self.shipped[folder] += taken
            for path in spent_segments(folder, after):
                path.unlink()

    @rule(data=st.data(), damage=st.sampled_from([None, "", "{", '{"segment": -1, "offset": 0}']))
    def lose_the_cursor(self, data, damage):
        folder = data.draw(st.sampled_from(list(self.held)))
        if damage is None:
            (folder / "cursor.json").unlink(missing_ok=True)
        else:
            (folder / "cursor.json").write_text(damage)
        # What is left of the first segments comes again, and only that.
        there = [as_record(read.record) for read in read_spool(folder, Cursor())]
        self.shipped[folder] = len(self.held[folder]) - len(there)

    @invariant()
    def what_is_not_shipped_is_there_in_order_and_bit_by_bit(self):
        for folder, records in self.held.items():
            waiting = records[self.shipped[folder] :]
            assert [as_record(r.record) for r in read_spool(folder, read_cursor(folder))] == waiting
            assert unshipped(folder) == sum(map(count_of, waiting))

    @invariant()
    def nothing_acknowledged_is_lost_and_nothing_is_made_up(self):
        waiting = {record for folder, held in self.held.items() for record in held[self.shipped[folder] :]}
        assert self.stored | waiting == self.acknowledged

    @invariant()
    def every_scalar_is_kept_or_counted(self):
        kept = sum(map(count_of, self.held[self.folder]))
        assert kept + self.writer.dropped == self.logged

    @invariant()
    def the_cap_holds(self):
        size = sum(path.stat().st_size for _, path in segments(self.folder))
        assert size <= 1200 + BEGIN

    def teardown(self):
        segment_files.os = os
        self.writer.close()
        shutil.rmtree(self.home)


def new_record(step, values) -> Record:
    if isinstance(values, dict):
        return step, tuple(values), struct.pack(f"{len(values)}d", *values.values())
    data, axes = array("f", values).tobytes(), (Axis(name="k", labels=("é",) * len(values)),)
    return LoggedArray(
        name="a", step=step, time_ms=1000, precision="float32", shape=(len(values),), axes=axes, data=data
    )


def as_record(read) -> Record:
    if isinstance(read, LoggedArray):
        return read
    return read.step, read.keys, struct.pack(f"{len(read.values)}d", *read.values)


def count_of(record) -> int:
    return 1 if isinstance(record, LoggedArray) else len(record[1])


TestSpools = Spools.TestCase
TestSpools.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
