"""How long a record may be, and how often a writer at its cap looks whether there is room again."""

from types import SimpleNamespace

import pytest

from grokscope.collectors.recording.spool import SpoolWriter, read_spool, segment_files, segments
from grokscope.collectors.recording.spool import writer as writer_module
from grokscope.collectors.recording.spool.record import frame, is_torn, read_frames

LONGEST = 16 * 2**20
"""Bytes of a payload, as every version of the format has them."""


def test_a_frame_of_sixteen_mebibytes_is_read_and_a_longer_one_is_not():
    longest, longer = (frame(b"E".ljust(size)) for size in (LONGEST, LONGEST + 1))
    assert [len(payload) for payload, _ in read_frames(longest)] == [LONGEST]
    assert list(read_frames(longer)) == []
    assert is_torn(longest[:-1])
    assert not is_torn(longer[:-1])


@pytest.mark.parametrize(("longest", "records"), [(45, [3]), (44, [1, 2])])
def test_a_record_is_written_as_two_only_if_it_is_longer_than_may_be(tmp_path, monkeypatch, longest, records):
    monkeypatch.setattr(writer_module, "MAX_PAYLOAD", longest)
    writer = SpoolWriter(tmp_path)
    writer.points(1, 1000, {"a": 1.0, "b": 2.0, "c": 3.0})  # 21 bytes, and 8 a value
    writer.close()
    assert [len(read.record.values) for read in read_spool(tmp_path)] == records


def test_at_the_cap_a_writer_looks_for_room_once_a_second(tmp_path, monkeypatch):
    clock = iter([10.0, 10.999, 11.0])
    monkeypatch.setattr(segment_files, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    writer = SpoolWriter(tmp_path, segment_bytes=100, cap_bytes=250)
    step = 0
    while not writer.dropped:  # looks at 10.0
        writer.points(step, 1000, {"m": 1.0})
        step += 1
    for _, path in list(segments(tmp_path))[:-1]:
        path.unlink()
    writer.points(100, 1000, {"m": 1.0})  # at 10.999
    writer.points(101, 1000, {"m": 1.0})  # at 11.0
    writer.close()
    assert writer.dropped == 2
    assert [read.record.step for read in read_spool(tmp_path)][-1] == 101
