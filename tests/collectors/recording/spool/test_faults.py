"""A disk that refuses, files that are damaged, and processes that die at the wrong moment."""

import json
import os
import resource
import signal
import tempfile
import threading
import time
from itertools import takewhile
from pathlib import Path

import pytest

from grokscope.collectors.recording.spool import (
    Cursor,
    Meta,
    SpoolReader,
    SpoolWriter,
    find_spools,
    next_attempt,
    prepare_spool,
    publish_spool,
    read_cursor,
    read_meta,
    read_spool,
    remove_retired,
    remove_spool,
    segments,
)
from grokscope.collectors.recording.spool import record as record_module


def spool(home, **changes):
    return publish_spool(
        prepare_spool(
            home,
            Meta(**{"run_id": "r", "store": "sqlite:////x.db", "experiment": "e", "name": "n"} | changes),
        )
    )


def steps(folder) -> list[int]:
    return [read.record.step for read in read_spool(folder)]


def in_child(work) -> None:
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:  # noqa: BLE001 - the parent sees the status
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


def test_a_segment_that_cannot_begin_does_not_lure_the_reader_away(tmp_path, monkeypatch):
    """A full disk lets a file be created and not be written; the records after it stay in the old segment."""
    writer = SpoolWriter(tmp_path, segment_bytes=100)
    reader = SpoolReader(tmp_path, Cursor())
    real = os.write
    magic = record_module.MAGIC
    monkeypatch.setattr(os, "write", lambda fd, data: 0 if data.startswith(magic) else real(fd, data))
    seen = []
    for step in range(10):
        writer.points(step, 1000, {"m": 1.0})
        seen += [read.record.step for read in reader.read()]
    assert [number for number, _ in segments(tmp_path)] == [0]
    monkeypatch.setattr(os, "write", real)
    for step in range(10, 20):
        writer.points(step, 1000, {"m": 1.0})
        seen += [read.record.step for read in reader.read()]
    writer.close()
    assert seen == list(range(20))
    assert writer.dropped == 0
    assert len(list(segments(tmp_path))) > 1


def test_what_follows_half_a_frame_that_cannot_be_cut_off_is_read_all_the_same(tmp_path, monkeypatch):
    writer = SpoolWriter(tmp_path)
    writer.points(0, 1000, {"m": 1.0})
    real = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda fd, data: real(fd, data[:-1]))
        patch.setattr(os, "ftruncate", lambda *_: (_ for _ in ()).throw(OSError(5, "EIO")))
        writer.points(1, 1000, {"m": 1.0})
        writer.points(2, 1000, {"m": 1.0})
    writer.points(3, 1000, {"m": 1.0})
    writer.close({"event": "end"})
    assert [getattr(read.record, "step", "end") for read in read_spool(tmp_path)] == [0, 3, "end"]
    assert writer.dropped == 2


def test_writing_goes_on_once_the_shipper_has_made_room_below_the_cap(tmp_path, monkeypatch):
    writer = SpoolWriter(tmp_path, segment_bytes=200, cap_bytes=600)
    for step in range(40):
        writer.points(step, 1000, {"m": 1.0})
    assert writer.dropped > 0
    for _, path in list(segments(tmp_path))[:-1]:
        path.unlink()
    monkeypatch.setattr("grokscope.collectors.recording.spool.segment_files._COUNT_SECONDS", 0.0)
    writer._files._next_count = 0.0  # it looks again once a second
    dropped = writer.dropped
    writer.points(99, 1000, {"m": 1.0})
    writer.close({"event": "end"})
    assert writer.dropped == dropped
    assert [getattr(read.record, "step", "end") for read in read_spool(tmp_path)][-2:] == [99, "end"]


def test_at_the_cap_the_end_of_the_run_is_still_told(tmp_path):
    writer = SpoolWriter(tmp_path, cap_bytes=100)
    for step in range(9):
        writer.points(step, 1000, {"m": 1.0})
    writer.close({"event": "end"})
    assert writer.dropped > 0
    assert [type(read.record).__name__ for read in read_spool(tmp_path)][-1] == "Event"


def test_nothing_comes_after_the_end_though_threads_still_log(tmp_path):
    """The shipper removes a spool at its end; a point written behind it would be lost without a trace."""
    for attempt in range(20):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        writer = SpoolWriter(folder)
        logged = []
        stop = threading.Event()

        def log(writer=writer, logged=logged, stop=stop) -> None:
            while not stop.is_set():
                writer.points(len(logged), 1000, {"m": 1.0})
                logged.append(1)

        threads = [threading.Thread(target=log) for _ in range(2)]
        for thread in threads:
            thread.start()
        time.sleep(0.002)
        writer.close({"event": "end"})
        stop.set()
        for thread in threads:
            thread.join()
        kinds = [type(read.record).__name__ for read in read_spool(folder)]
        assert kinds.count("Event") == 1
        assert kinds[-1] == "Event"
        assert len(kinds) - 1 + writer.dropped == len(logged)


def test_a_record_longer_than_a_frame_may_be_is_written_as_several(tmp_path, monkeypatch):
    monkeypatch.setattr("grokscope.collectors.recording.spool.writer.MAX_PAYLOAD", 400)
    monkeypatch.setattr(record_module, "MAX_PAYLOAD", 400)
    writer = SpoolWriter(tmp_path)
    values = {f"metric/{i:03d}": float(i) for i in range(100)}
    writer.points(7, 1000, values)
    writer.points(8, 1000, {"x" * 500: 1.0})
    writer.close()
    found = {
        k: v
        for read in read_spool(tmp_path)
        for k, v in zip(read.record.keys, read.record.values, strict=True)
    }
    assert found == values
    assert writer.dropped == 1


def test_zeros_behind_the_last_record_are_no_records(tmp_path):
    """What some file systems leave after a power loss."""
    writer = SpoolWriter(tmp_path)
    writer.points(1, 1000, {"m": 1.0})
    writer.close()
    with (tmp_path / "000000.seg").open("ab") as file:
        file.write(bytes(4096))
    assert steps(tmp_path) == [1]


@pytest.mark.parametrize(
    "damage", ["", "[]", "{}", '{"segment": "a", "offset": 1}', '{"segment": -1}', "\0\0"]
)
def test_small_files_that_are_damaged_are_taken_for_missing(tmp_path, damage):
    folder = spool(tmp_path)
    writer = SpoolWriter(folder)
    writer.points(1, 1000, {"m": 1.0})
    writer.close()
    for path in (folder / "cursor.json", folder / "meta.json", tmp_path / "runs" / "r.json"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(damage)
    assert read_cursor(folder) == Cursor()
    assert read_meta(folder) is None
    assert next_attempt(tmp_path, "r").number == 1
    assert steps(folder) == [1]


def test_what_a_later_layout_adds_to_meta_is_no_obstacle(tmp_path):
    folder = spool(tmp_path)
    raw = json.loads((folder / "meta.json").read_text())
    (folder / "meta.json").write_text(json.dumps(raw | {"more": 1}))
    assert read_meta(folder).run_id == "r"
    (folder / "meta.json").write_text(json.dumps({"version": 1}))
    assert read_meta(folder) is None


def test_a_spool_that_another_user_has_closed_hides_only_itself(tmp_path):
    mine, closed = spool(tmp_path, run_id="mine"), spool(tmp_path, run_id="theirs")
    parents = takewhile(lambda path: path != Path(tempfile.gettempdir()), tmp_path.parents)
    for path in (tmp_path, *parents, tmp_path / "spool", mine):
        path.chmod(0o755)
    if os.geteuid() == 0:
        for path in (mine, *mine.iterdir()):
            os.chown(path, 65534, 65534)
    closed.chmod(0o000)
    report = tmp_path / "report"
    report.touch()
    report.chmod(0o666)

    def look() -> None:
        if os.geteuid() == 0:
            os.setuid(65534)
        report.write_text(str([path.name for path in find_spools(tmp_path)]))

    in_child(look)
    closed.chmod(0o700)
    assert report.read_text() == str([mine.name])


def test_spools_can_be_listed_and_counted_while_others_remove_them(tmp_path):
    folders = [spool(tmp_path, run_id=f"r{i}", start_ms=i) for i in range(150)]
    for folder in folders:
        SpoolWriter(folder).close()
    stop = threading.Event()

    def remove() -> None:
        for folder in folders:
            remove_spool(folder)
        stop.set()

    thread = threading.Thread(target=remove)
    thread.start()
    while not stop.is_set():
        for folder in find_spools(tmp_path):
            assert steps(folder) == []
    thread.join()
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_shipper_killed_while_it_removes_a_spool_leaves_no_half_of_it(tmp_path, monkeypatch):
    """Half a spool would look like that of a trainer that died, and turn a finished run into a killed one."""
    folder = spool(tmp_path)
    monkeypatch.setattr("shutil.rmtree", lambda *_, **__: None)
    remove_spool(folder)
    monkeypatch.undo()
    assert find_spools(tmp_path) == []
    remove_retired(tmp_path)
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_small_file_that_does_not_fit_leaves_the_old_one_and_nothing_else(tmp_path):
    from grokscope.collectors.recording.spool import replace_json  # noqa: PLC0415

    replace_json(tmp_path / "a.json", {"a": 1})

    def overfill() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50, 50))
        with pytest.raises(OSError, match="File too large"):
            replace_json(tmp_path / "a.json", {"a": "x" * 100})

    in_child(overfill)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.json", '{"a": 1}')]
