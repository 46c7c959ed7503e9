"""What goes into a spool comes out of it, whatever happens to the process or the file."""

import math
import os
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grokscope.collectors.recording.spool import Cursor, Event, Points, SpoolReader, SpoolWriter, read_spool
from grokscope.collectors.recording.spool.segment_files import SegmentFiles

AWKWARD = {"a": math.nan, "b": math.inf, "c": -math.inf, "d": -0.0, "e": 5e-324, "f": 1.7976931348623157e308}


def bits(record: Points) -> tuple:
    """NaN and the sign of zero count."""
    return record.step, record.time_ms, record.keys, struct.pack(f"{len(record.values)}d", *record.values)


def written(folder: Path, count: int, **options) -> list[tuple]:
    writer = SpoolWriter(folder, **options)
    for step in range(count):
        keys = ("train/loss",) if step % 3 else ("train/loss", "test/loss")
        writer.points(step, 1000 + step, dict.fromkeys(keys, step + 0.5))
    writer.close({"event": "end", "status": "FINISHED", "time_ms": 5000})
    return [bits(r.record) for r in read_spool(folder) if isinstance(r.record, Points)]


def test_every_value_comes_back_bit_by_bit(tmp_path):
    writer = SpoolWriter(tmp_path)
    writer.points(-7, 2**40, AWKWARD)
    writer.points(2**63 - 1, 1, {"ü/λ loss": 0.1})
    writer.close({"event": "end", "status": "FAILED"})
    first, second, end = (r.record for r in read_spool(tmp_path))
    assert bits(first) == (-7, 2**40, tuple(AWKWARD), struct.pack("6d", *AWKWARD.values()))
    assert bits(second) == (2**63 - 1, 1, ("ü/λ loss",), struct.pack("d", 0.1))
    assert end == Event(content={"event": "end", "status": "FAILED"})


@given(
    st.lists(
        st.tuples(
            st.integers(-(2**63), 2**63 - 1),
            st.dictionaries(st.text(max_size=8), st.floats(width=64), min_size=1, max_size=4),
        ),
        max_size=30,
    ),
    st.integers(60, 400),
)
@settings(max_examples=60, deadline=None)
def test_reading_from_any_cursor_gives_what_comes_after_it(tmp_path_factory, log, segment_bytes):
    folder = tmp_path_factory.mktemp("spool")
    writer = SpoolWriter(folder, segment_bytes=segment_bytes)
    for step, values in log:
        writer.points(step, 1000, values)
    writer.close()
    reads = list(read_spool(folder))
    expected = [(step, 1000, tuple(v), struct.pack(f"{len(v)}d", *v.values())) for step, v in log]
    assert [bits(r.record) for r in reads] == expected
    for done, read in enumerate(reads, start=1):
        assert [bits(r.record) for r in read_spool(folder, read.after)] == expected[done:]


def test_a_file_cut_at_any_byte_keeps_every_record_before_the_cut(tmp_path):
    records = written(tmp_path, 8)
    path = tmp_path / "000000.seg"
    whole = path.read_bytes()
    ends = [r.after.offset for r in read_spool(tmp_path) if isinstance(r.record, Points)]
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        found = [bits(r.record) for r in read_spool(tmp_path) if isinstance(r.record, Points)]
        assert found == records[: sum(end <= cut for end in ends)]


def test_a_flipped_bit_is_never_read_as_data(tmp_path):
    """One in a record costs that record; one in the names of its values costs those that have these names."""
    records = written(tmp_path, 4)
    path = tmp_path / "000000.seg"
    whole = path.read_bytes()
    *_, last, _ = (read.after.offset for read in read_spool(tmp_path))
    for place in range(len(whole) * 8):
        broken = bytearray(whole)
        broken[place // 8] ^= 1 << place % 8
        path.write_bytes(bytes(broken))
        reader = SpoolReader(tmp_path, Cursor())
        found = [bits(r.record) for r in reader.read() if isinstance(r.record, Points)]
        missing = [record for record in records if record not in found]
        assert found == [record for record in records if record not in missing]
        assert len(missing) <= 1 or len({keys for _, _, keys, _ in missing}) == 1
        reader.look_for_damage()
        # The magic costs nothing; a last record of another length looks as if its writer had been killed.
        assert reader.damage.is_loss or place // 8 in (*range(8), *range(last, last + 4))


def test_reading_goes_on_behind_a_torn_segment(tmp_path):
    writer = SpoolWriter(tmp_path, segment_bytes=1)  # every record begins a new segment
    for step in range(3):
        writer.points(step, 1000, {"m": float(step)})
    writer.close()
    second = tmp_path / "000001.seg"
    second.write_bytes(second.read_bytes()[:-1])
    assert [r.record.step for r in read_spool(tmp_path)] == [0, 2]


def test_a_growing_spool_is_read_once(tmp_path):
    writer = SpoolWriter(tmp_path, segment_bytes=200)
    reader = SpoolReader(tmp_path, Cursor())
    seen = []
    for step in range(40):
        writer.points(step, 1000, {"m": 1.0} if step % 2 else {"m": 1.0, "n": 2.0})
        if step % 7 == 0:
            seen += [r.record.step for r in reader.read()]
    writer.close()
    seen += [r.record.step for r in reader.read()]
    assert seen == list(range(40))


def test_a_record_longer_than_a_chunk_is_read(tmp_path):
    writer = SpoolWriter(tmp_path)
    values = {f"layer.{i:06d}/with/a/long/name": float(i) for i in range(60_000)}
    writer.points(1, 1000, values)
    writer.points(2, 1000, {"m": 0.0})
    writer.close()
    first, second = (r.record for r in read_spool(tmp_path))
    assert dict(zip(first.keys, first.values, strict=True)) == values
    assert second.step == 2


def test_beyond_the_cap_points_are_dropped_and_counted_exactly(tmp_path):
    writer = SpoolWriter(tmp_path, cap_bytes=300)
    for step in range(50):
        writer.points(step, 1000, {"m": 1.0, "n": 2.0})
    writer.close()
    kept = [r.record.step for r in read_spool(tmp_path)]
    assert kept == list(range(len(kept)))
    assert writer.dropped == 2 * (50 - len(kept)) > 0


def test_a_full_disk_costs_only_the_points_that_do_not_fit(tmp_path):
    """A file-size limit makes os.write stop in the middle of a frame, as a full disk does."""
    report = tmp_path / "report"
    child = os.fork()
    if child == 0:
        import resource  # noqa: PLC0415 - in the child only
        import signal  # noqa: PLC0415

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (330, 330))
        writer = SpoolWriter(tmp_path)
        for step in range(20):
            writer.points(step, 1000, {"m": 1.0, "n": 2.0})
        report.write_text(str(writer.dropped))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    kept = [r.record.step for r in read_spool(tmp_path)]
    assert kept == list(range(len(kept)))
    assert 0 < len(kept) < 20
    assert int(report.read_text()) == 2 * (20 - len(kept))


def test_a_forked_child_writes_nothing(tmp_path):
    writer = SpoolWriter(tmp_path)
    writer.points(0, 1000, {"m": 1.0})
    child = os.fork()
    if child == 0:
        writer.points(1, 1000, {"m": 2.0})
        writer.close({"event": "end"})
        os._exit(0)
    os.waitpid(child, 0)
    writer.points(2, 1000, {"m": 3.0})
    writer.close()
    assert [r.record.step for r in read_spool(tmp_path)] == [0, 2]


def test_only_the_owner_may_read_a_segment(tmp_path):
    SpoolWriter(tmp_path).close()
    assert (tmp_path / "000000.seg").stat().st_mode & 0o777 == 0o600


def test_after_closing_points_are_counted_as_dropped(tmp_path):
    writer = SpoolWriter(tmp_path)
    writer.close()
    writer.points(0, 1000, {"m": 1.0})
    assert writer.dropped == 1


@pytest.mark.parametrize("garbage", [b"", b"GRKSPL", b"NOTMAGIC" + bytes(64), bytes(64)])
def test_what_is_no_segment_holds_no_records(tmp_path, garbage):
    (tmp_path / "000000.seg").write_bytes(garbage)
    assert list(read_spool(tmp_path)) == []


def test_a_closed_spool_is_never_opened_again_whatever_the_disk_did(tmp_path):
    files = SegmentFiles(tmp_path, segment_bytes=1000, cap_bytes=10_000)
    files.sync_and_close(files.close())
    files.segment.is_torn = True
    assert files.ready() is None
    assert [path.name for path in tmp_path.iterdir()] == ["000000.seg"]


@pytest.mark.parametrize("apart", [-1, 1])
def test_a_forked_child_writes_nothing_whichever_number_it_has(tmp_path, monkeypatch, apart):
    """Numbers begin anew on a machine that has started many processes."""
    writer = SpoolWriter(tmp_path)
    pid = os.getpid()
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: pid + apart)
        writer.points(0, 1000, {"m": 1.0})
        writer.sync()
        assert writer.close({"event": "end"})
    writer.points(1, 1000, {"m": 1.0})
    writer.close()
    assert [r.record.step for r in read_spool(tmp_path)] == [1]


def test_of_full_segments_that_nobody_syncs_the_last_eight_are_kept_open(tmp_path, monkeypatch):
    writer = SpoolWriter(tmp_path, segment_bytes=1)
    for step in range(20):  # each fills a segment
        writer.points(step, 1000, {"m": 1.0})
    synced: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(Path(f"/proc/self/fd/{fd}").readlink().stem))
    writer.sync()
    writer.close()
    assert synced == [*(f"{number:06d}" for number in range(12, 21)), "000020"]


def test_frames_keep_to_the_cap_and_not_a_byte_less(tmp_path):
    files = SegmentFiles(tmp_path, segment_bytes=1000, cap_bytes=100)
    free = 100 - files.segment.size
    assert files.has_room(free)
    assert not files.has_room(free + 1)
    files.sync_and_close(files.close())


@pytest.mark.parametrize("is_closed", [False, True], ids=["the disk refuses", "a signal's handler closes"])
def test_nothing_comes_behind_half_a_frame_where_no_new_segment_can_begin(tmp_path, monkeypatch, is_closed):
    files = SegmentFiles(tmp_path, segment_bytes=1000, cap_bytes=10_000)
    fds = [files.segment.fd]
    files.segment.is_torn = True
    with monkeypatch.context() as patch:
        if is_closed:
            patch.setattr(files, "rotate", files.close)
        else:
            patch.setattr(os, "write", lambda *_: 0)
        assert files.ready() is None
    files.sync_and_close(fds)
