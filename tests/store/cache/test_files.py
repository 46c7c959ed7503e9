"""The files of a mirror: how many there are, and what tells that they are as they were written."""

import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

from grokscope.schemas.files.private import reading
from grokscope.store.cache import mirror as mirror_module
from grokscope.store.cache.files import (
    MANIFEST,
    Manifest,
    MirrorError,
    MirrorSegment,
    ReplacedError,
    checksum,
    checksum_of,
)
from grokscope.store.cache.files import _is_sound as is_sound
from grokscope.store.cache.location import open_mirror


def manifest(*rows: int) -> Manifest:
    segments = [
        MirrorSegment(name=f"{n:08}.parquet", rows=r, size=1, checksum="") for n, r in enumerate(rows)
    ]
    return Manifest(store="s", segments=segments)


@pytest.mark.parametrize(
    ("segments", "rows", "first"),
    [((), 3, 0), ((7,), 3, 1), ((6,), 3, 0), ((100, 20, 6), 3, 2), ((100, 18, 6), 3, 1), ((54, 18, 6), 3, 0)],
)
def test_the_segments_at_the_end_that_are_at_most_twice_as_large_are_merged(segments, rows, first):
    assert manifest(*segments).mergeable(rows) == first


SOUND = MirrorSegment(name="00000001.parquet", rows=3, size=9, checksum=checksum_of(b"points"))


@pytest.mark.parametrize(
    ("part", "sound"),
    [
        ({}, True),
        ({"rows": 0, "size": 0}, True),
        ({"rows": -1}, False),
        ({"rows": True}, False),
        ({"rows": 3.0}, False),
        ({"size": 1 << 63}, False),
        ({"name": "../x"}, False),
        ({"checksum": "x"}, False),
    ],
)
def test_a_segment_is_sound_if_every_part_of_it_is(part, sound):
    assert is_sound(replace(SOUND, **part)) is sound


def test_each_saving_has_a_number_of_its_own_and_forgets_runs_that_are_gone():
    used = Manifest(store="s", used={"r": 1, "gone": 2}, number=7)
    after = used.added((), state=None, complete={"r": None})
    assert (after.number, after.used) == (8, {"r": 1})
    assert after.emptied() == Manifest(store="s", number=8)


def test_a_file_and_its_content_have_one_checksum(tmp_path):
    (tmp_path / "f").write_bytes(b"points")
    with reading(tmp_path / "f") as file:
        assert checksum(file) == checksum_of(b"points")


def test_only_the_writer_saves_and_only_if_there_is_something_to_save(tmp_path):
    writer, reader = (open_mirror("sqlite:////x.db", root=tmp_path / "mirror") for _ in range(2))
    for rows, now, is_due in ((0, True, False), (1, True, True)):
        assert (writer.is_due(rows, now=now), reader.is_due(rows, now=now)) == (is_due, False)
    writer.close()
    reader.close()


def test_rows_are_saved_once_they_are_many_or_half_a_minute_has_passed(tmp_path, monkeypatch):
    clock = SimpleNamespace(monotonic=lambda: 100.0, time=time.time)
    monkeypatch.setattr(mirror_module, "time", clock)
    mirror = open_mirror("sqlite:////x.db", root=tmp_path / "mirror")
    assert mirror.is_due(1)
    mirror.save({}, state=None, complete={})
    assert [mirror.is_due(rows) for rows in (199_999, 200_000, 200_001)] == [False, True, True]
    for now_s, is_due in ((129.9, False), (130.0, True)):
        clock.monotonic = lambda now_s=now_s: now_s
        assert mirror.is_due(1) == is_due
    mirror.close()


def saved(folder, content: bytes = b"x" * 1000) -> Manifest:
    (folder / "00000001.parquet").write_bytes(content)
    segment = MirrorSegment(name="00000001.parquet", rows=3, size=len(content), checksum=checksum_of(content))
    (made := Manifest(store="s", segments=[segment])).write(folder)
    return made


def test_a_manifest_is_read_as_it_was_written_if_its_segments_are_as_large_as_they_were(tmp_path):
    made = saved(tmp_path)
    assert Manifest.read(tmp_path, store="s") == made
    (tmp_path / "00000001.parquet").write_bytes(b"x" * 999)
    with pytest.raises(MirrorError, match="has 999 bytes, and 1000 were written"):
        Manifest.read(tmp_path, store="s")
    (tmp_path / "00000001.parquet").unlink()
    with pytest.raises(ReplacedError, match="is missing"):
        Manifest.read(tmp_path, store="s")


@pytest.mark.parametrize("name", ["manifest", "segment"])
def test_what_somebody_else_may_write_to_is_not_believed(tmp_path, name):
    tmp_path.chmod(0o700)
    made = saved(tmp_path)
    path = tmp_path / (MANIFEST if name == "manifest" else "00000001.parquet")
    path.chmod(0o644)
    with pytest.raises(MirrorError):
        made.segments[0].verified(tmp_path, None) if name == "segment" else Manifest.read(tmp_path, store="s")
