"""What was logged, scalars and arrays, is read back, once, whatever becomes of trainers and shippers."""

import shutil
import tempfile
from array import array
from collections import Counter
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from grokscope.collectors.recording.ship.delivery import array_files
from grokscope.collectors.recording.ship.delivery.delivery import Delivery
from grokscope.collectors.recording.ship.run_store import Unavailable
from grokscope.collectors.recording.spool import Meta, SpoolWriter, WriterLock, prepare_spool, publish_spool
from grokscope.collectors.recording.spool.array_payload import array_payload
from grokscope.collectors.recording.spool.record import frame
from grokscope.schemas.arrays import FOLDER, Axis, InvalidArraysError, LoggedArray, arrays_in, is_array_file
from grokscope.store.arrays.places import PlacedArtifacts
from grokscope.store.arrays.reading import ArrayReader

TROUBLES = (
    None,
    "away",
    "no artifacts",
    "answers lost",
    "cut off",
    "overtaken",
    "killed before",
    "killed after",
)
END = {"event": "end", "status": "FINISHED", "time_ms": 9000}


class KilledError(BaseException):
    """The shipper dies here."""


class FolderStore:
    """A place for runs: points in memory, files in a folder, and trouble as it is told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.points = set()
        self.ends = []
        self.sent = {}
        self.trouble: str | None = None

    def open_run(self, _meta):
        self._meet("away")
        return "r"

    def describe(self, _run, _labels):
        self._meet("away")

    def send(self, _run, scalars):
        self._meet("away", "killed before")
        self.points |= {(one.key, one.value, one.step, one.time_ms) for one in scalars}
        self._meet("answers lost", "killed after")

    def put_file(self, _run, path, content):
        self._meet("away", "no artifacts", "killed before")
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        earlier = self.sent.get(path, content)
        self.sent[path] = content
        is_cut = self.trouble == "cut off"
        place.write_bytes(content[: len(content) // 2] if is_cut else content)
        if self.trouble == "overtaken":  # what a shipper had sent that was killed then comes only now
            place.write_bytes(earlier)
        self._meet("answers lost", "cut off", "killed after")

    def file_size(self, _run, path):
        self._meet("away", "no artifacts")
        return (self.folder / path).stat().st_size if (self.folder / path).exists() else None

    def heartbeat(self, _run, _time_ms):
        self._meet("away")

    def end_run(self, _run, ending):
        self._meet("away", "killed before")
        self.ends.append(ending)
        self._meet("answers lost", "killed after")

    def _meet(self, *troubles):
        if self.trouble in troubles:
            raise (KilledError if "killed" in self.trouble else Unavailable)(self.trouble)


class Deliveries(RuleBasedStateMachine):
    """One run, its attempts each with a spool of their own, a shipper, and a store with its reader."""

    def __init__(self) -> None:
        super().__init__()
        self.patched = pytest.MonkeyPatch()
        for name, value in {"FILE_BYTES": 150, "MOST_FILE_ARRAYS": 5, "_MOST_WAITING": 3}.items():
            self.patched.setattr(array_files, name, value)
        for name in ("_FIRST_WAIT", "_LONGEST_WAIT"):
            self.patched.setattr(array_files, name, 0.0)
        self.home = Path(tempfile.mkdtemp())
        self.store = FolderStore(self.home / "artifacts")
        self.reader = ArrayReader(PlacedArtifacts("sqlite:///no.db", lambda _: str(self.store.folder)))
        self.times = count(1000)
        self.points, self.arrays = set(), []
        self.metas, self.deliveries = {}, {}
        self.begin(version=2)

    def begin(self, version):
        number = len(self.metas) + 1
        meta = Meta(run_id="r", store="s", experiment="e", name="r", attempt=number, version=version)
        self.folder = publish_spool(prepare_spool(self.home, meta))
        self.metas[self.folder] = meta
        self.lock, self.writer = WriterLock(self.folder), SpoolWriter(self.folder, segment_bytes=800)

    @initialize(seconds=st.sampled_from([0.0, 1000.0]))
    def send_files_that_grow_at_once_or_when_they_are_full(self, seconds):
        self.patched.setattr(array_files, "SEND_SECONDS", seconds)

    @property
    def knows_arrays(self) -> bool:
        return self.metas[self.folder].version > 1

    @rule(step=st.integers(0, 3), values=st.dictionaries(st.sampled_from("abc"), st.floats(0, 1), min_size=1))
    def log(self, step, values):
        time_ms = next(self.times)
        self.writer.points(step, time_ms, values)
        self.points |= {(key, value, step, time_ms) for key, value in values.items()}

    @precondition(lambda self: self.knows_arrays)
    @rule(step=st.integers(0, 3), name=st.sampled_from("abc"), values=st.lists(st.floats(0, 1), min_size=1))
    def log_array(self, step, name, values):
        logged = new_array(step, name, values[:4], next(self.times))
        self.writer.array(logged)
        self.arrays.append(logged)

    @rule(torn=st.integers(0, 80), has_ended=st.booleans(), version=st.sampled_from([2, 2, 1]))
    def end_the_trainer(self, torn, has_ended, version):
        """End an attempt and begin the next; one that is killed may leave a part of an array behind."""
        self.writer.close(END if has_ended else None)
        if not has_ended and self.folder.exists():
            last = max(self.folder.glob("*.seg"))
            with last.open("ab") as file:
                file.write(frame(array_payload(new_array(9, "torn", [1.0] * 12, 1)))[:torn])
        self.lock.release()
        self.begin(version)

    @rule(turns=st.integers(1, 4), trouble=st.sampled_from(TROUBLES), data=st.data())
    def ship(self, turns, trouble, data):
        folder = data.draw(st.sampled_from(list(self.metas)))
        self.store.trouble = trouble
        for _ in range(turns):
            self.advance(folder)
        self.store.trouble = None

    @rule(is_cursor_lost=st.sampled_from([False, False, True]))
    def take_over(self, is_cursor_lost):
        """Replace the shipper, which forgets all that is not on disk."""
        self.deliveries.clear()
        for folder in self.metas if is_cursor_lost else ():
            (folder / "cursor.json").unlink(missing_ok=True)

    def advance(self, folder) -> bool:
        if not folder.exists():
            return False
        if folder not in self.deliveries:
            letters = self.home / "dead/r.jsonl"
            self.deliveries[folder] = Delivery(
                folder, self.metas[folder], run_store=self.store, dead_letters=letters, clock=lambda: 0.0
            )
        try:
            self.deliveries[folder].advance()
        except Unavailable:
            return True
        except KilledError:
            self.deliveries.clear()
            return True
        return not self.deliveries[folder].is_done

    def stored_arrays(self) -> Counter:
        """Return the arrays of all whole files, those included that were kept on disk."""
        files = {path.name: path for path in (self.store.folder / FOLDER).glob("*")}
        files |= {path.name.removeprefix("r."): path for path in (self.home / "dead").glob("*.parquet")}
        assert all(map(is_array_file, files))
        found = Counter()
        for path in files.values():
            try:
                found.update(rows_of(arrays_in(path.read_bytes(), run_id="r")))
            except InvalidArraysError:
                assert path.is_relative_to(self.store.folder)  # cut off, and to be sent again
        return found

    @invariant()
    def nothing_is_made_up_and_no_array_is_stored_twice(self):
        assert self.store.points <= self.points
        assert self.stored_arrays() <= Counter(map(row_of, self.arrays))

    def teardown(self):
        self.writer.close(END)
        self.lock.release()
        for folder in self.metas:
            turns = 0
            while self.advance(folder):
                turns += 1
                assert turns < 100, "a spool is never done"
        assert self.store.points == self.points
        assert self.stored_arrays() == Counter(map(row_of, self.arrays))
        if not list((self.home / "dead").glob("*.parquet")):
            latest = {(one.name, one.step): row_of(one) for one in self.arrays}
            read = self.reader.read(["r"])
            assert read.left_out == ()
            assert rows_of(read.frame) == [latest[key] for key in sorted(latest)]
        self.patched.undo()
        shutil.rmtree(self.home)


def new_array(step, name, values, time_ms) -> LoggedArray:
    data, axes = array("d", values).tobytes(), (Axis(name="k"),)
    return LoggedArray(
        name=name, step=step, time_ms=time_ms, precision="float64", shape=(len(values),), axes=axes, data=data
    )


def row_of(one):
    return one.name, one.step, one.time_ms, tuple(one.values())


def rows_of(found):
    return [(*row[:3], tuple(row[3])) for row in found.select("name", "step", "time_ms", "values").rows()]


TestDeliveries = Deliveries.TestCase
TestDeliveries.settings = settings(max_examples=15, stateful_step_count=30, deadline=None)
