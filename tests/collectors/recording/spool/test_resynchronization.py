"""Damage costs what it touches: all other records are read once, and what is lost is counted and told."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grokscope.collectors.recording.spool import (
    Cursor,
    Damage,
    SpoolReader,
    SpoolWriter,
    read_spool,
    resynchronization,
    write_cursor,
)
from grokscope.collectors.recording.spool.array_payload import array_payload
from grokscope.collectors.recording.spool.record import MAGIC, frame, points_packer, whole_until
from grokscope.collectors.recording.spool.resynchronization import read_around
from grokscope.schemas.arrays import Axis, LoggedArray


def written(folder, count=200, **options):
    writer = SpoolWriter(folder, **options)
    for step in range(count):
        writer.points(step, 1000 + step, {"m": step / 3})
    writer.close({"event": "end", "status": "FINISHED", "time_ms": 5000})


def read(folder, cursor=None):
    reader = SpoolReader(folder, cursor or Cursor())
    steps = [getattr(read.record, "step", "end") for read in reader.read()]
    reader.look_for_damage()
    return steps, reader.damage


@given(
    st.lists(st.tuples(st.integers(0, 7500), st.binary(min_size=1, max_size=300)), max_size=6), st.booleans()
)
@settings(max_examples=60, deadline=None)
def test_whatever_is_written_over_a_segment_costs_only_the_records_under_it(tmp_path_factory, damage, is_cut):
    folder = tmp_path_factory.mktemp("spool")
    written(folder)
    path = folder / "000000.seg"
    ends = {read.record.step: read.after.offset for read in list(read_spool(folder))[:-1]}
    content = bytearray(path.read_bytes())
    before = bytes(content)
    for at, junk in damage:
        place = min(at, len(content) - 1)
        content[place : place + len(junk)] = junk[: len(content) - place]
    touched = {place for place in range(len(content)) if content[place] != before[place]}
    path.write_bytes(content[: len(content) - 10 * is_cut])
    steps, found = read(folder)
    names = range(len(MAGIC), ends[0] - points_packer(1).size - 8)
    whole = [s for s, end in ends.items() if not touched & {*range(end - points_packer(1).size - 8, end)}]
    expected = [] if touched & {*names} else whole
    assert [step for step in steps if step in expected] == expected
    assert set(steps) <= {*ends, "end"}
    assert found.is_loss or len(expected) == 200


def test_bytes_cut_out_of_the_middle_of_a_file_cost_the_records_they_held(tmp_path):
    written(tmp_path)
    path = tmp_path / "000000.seg"
    content = path.read_bytes()
    path.write_bytes(content[:1000] + content[2000:])
    steps, found = read(tmp_path)
    assert steps == [*range(26), *range(54, 200), "end"]
    assert found.sentence == "36 bytes could not be read (segment 0, byte 988: its checksum is wrong)"


@pytest.mark.parametrize("cut", [100, 101, 119, 8, 3, 0])
def test_a_middle_segment_that_is_cut_is_told_wherever_it_is_cut(tmp_path, cut):
    """Also between two records, where nothing is torn: the next one says how long it was."""
    written(tmp_path, 40, segment_bytes=500)
    path = tmp_path / "000001.seg"
    size = path.stat().st_size
    whole, _ = read(tmp_path)
    path.write_bytes(path.read_bytes()[:cut])
    steps, found = read(tmp_path)
    assert set(steps) < set(whole)
    assert steps[-1] == "end"
    assert f"it has {cut} bytes of {size}" in found.sentence


def test_every_cut_of_a_middle_segment_is_told(tmp_path):
    written(tmp_path, 40, segment_bytes=500)
    path = tmp_path / "000001.seg"
    content = path.read_bytes()
    for cut in range(len(content)):
        path.write_bytes(content[:cut])
        assert read(tmp_path)[1].is_loss


@pytest.mark.parametrize(("cut", "lost"), [(3, "an unknown number of bytes"), (12, "4 bytes"), (None, "")])
def test_a_segment_is_told_as_cut_only_if_it_is_though_nothing_says_how_long_it_was(tmp_path, cut, lost):
    """As in segments of an earlier version."""
    content = MAGIC + frame(b"E{}")
    (tmp_path / "000000.seg").write_bytes(content[:cut])
    (tmp_path / "000001.seg").write_bytes(content)
    steps, found = read(tmp_path)
    why = "could not be read (segment 0, byte 8: its checksum is wrong, or it is cut)"
    assert (len(steps), found.sentence) == (1 + (cut is None), lost and f"{lost} {why}")
    assert bool(found) == (cut is not None)


def test_of_whole_segments_nothing_is_told(tmp_path):
    written(tmp_path, 40, segment_bytes=500)
    assert not read(tmp_path)[1]


def test_a_segment_that_is_gone_is_told(tmp_path):
    written(tmp_path, 60, segment_bytes=500)
    (tmp_path / "000001.seg").unlink()
    assert "(segment 1, byte 0: segment 1 is missing)" in read(tmp_path)[1].sentence
    (tmp_path / "000002.seg").unlink()
    steps, found = read(tmp_path)
    assert steps[-1] == "end"
    assert "(segment 1, byte 0: segments 1 to 2 are missing)" in found.sentence
    write_cursor(tmp_path, Cursor(segment=1, offset=20))
    assert "segments 1 to 2 are missing" in read(tmp_path, Cursor(segment=1, offset=20))[1].sentence


def test_what_a_shipper_has_sent_and_deleted_is_not_missed(tmp_path):
    written(tmp_path, 60, segment_bytes=500)
    reader = SpoolReader(tmp_path, Cursor())
    first = next(iter(reader.read()))
    after = next(r.after for r in read_spool(tmp_path) if r.after.segment == 2)
    for number in range(2):
        (tmp_path / f"00000{number}.seg").unlink()
    steps, found = read(tmp_path, after)
    assert steps[-1] == "end"
    assert not found
    assert list(reader.read())[-1].record.content["status"] == "FINISHED"  # one that was behind goes on
    assert not reader.damage
    assert first.record.step == 0


@pytest.mark.parametrize(
    ("cursor", "told"),
    [
        (Cursor(segment=99, offset=8), "its cursor was wrong"),
        (Cursor(segment=2, offset=10**9), "its cursor was wrong"),
        (Cursor(segment=0, offset=61), "its cursor was wrong"),
        (Cursor(), "its cursor is lost"),
    ],
)
def test_from_a_cursor_that_tells_no_place_all_that_is_left_is_read_again(tmp_path, cursor, told):
    written(tmp_path, 60, segment_bytes=500)
    if cursor == Cursor():
        (tmp_path / "000000.seg").unlink()
    steps, found = read(tmp_path, cursor)
    assert steps == read(tmp_path)[0]
    assert told in found.sentence
    assert not found.is_loss


def test_a_damaged_segment_that_is_kept_elsewhere_is_not_missed_as_well(tmp_path):
    """A shipper may be killed once it has put it away, and before it has removed the rest."""
    written(tmp_path, 60, segment_bytes=500)
    damage = Damage(tmp_path)
    damage.note(1, 20, size=3, why="its checksum is wrong")
    damage.save()
    (tmp_path / "000001.seg").unlink()
    list(SpoolReader(tmp_path, Cursor(), damage=damage).read())
    assert damage.sentence == "3 bytes could not be read (segment 1, byte 20: its checksum is wrong)"


def test_half_a_frame_behind_the_last_record_of_a_killed_writer_is_no_damage(tmp_path):
    written(tmp_path, 3)
    path = tmp_path / "000000.seg"
    content = path.read_bytes()
    ends = [read.after.offset for read in read_spool(tmp_path)]
    for cut in range(ends[-2], len(content)):
        path.write_bytes(content[:cut])
        assert not read(tmp_path)[1]


def test_damage_is_counted_once_however_often_it_is_read_and_whoever_reads_it(tmp_path):
    written(tmp_path)
    path = tmp_path / "000000.seg"
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)
    said = set()
    for _ in range(3):
        damage = Damage(tmp_path)
        assert list(SpoolReader(tmp_path, Cursor(), damage=damage).read())
        damage.save()
        said.add(damage.sentence)
    assert said == {"37 bytes could not be read (segment 0, byte 988: its checksum is wrong)"}
    assert (tmp_path / "damage.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "content", ["", "[]", '{"segments": 3, "remarks": 4}', "[" * 10**5, '{"segments": {"x": {}}}']
)
def test_a_note_of_damage_that_is_damaged_itself_is_taken_for_none(tmp_path, content):
    (tmp_path / "damage.json").write_text(content)
    assert not Damage(tmp_path)
    odd = {"segments": {"1": {"size": "x", "why": [3, "a"]}, "9" * 99: {}}, "remarks": ["b\0\ud800", 5]}
    (tmp_path / "damage.json").write_text(json.dumps(odd))
    assert Damage(tmp_path).sentence == "an unknown number of bytes could not be read (a); b?"


HOSTILE = {
    "letters": b"P" * (1 << 20),
    "small frames that are wrong": (frame(b"E{}")[:4] + b"\0\0\0\0" + b"E{}") * (1 << 16),
    "long frames that are wrong": b"\xff\xff\x07\0" + b"\0\0\0\0P" * (1 << 18),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_made_to_cost_much_is_given_up_after_a_cost_in_proportion_to_its_length(name, monkeypatch):
    data, looked_at = HOSTILE[name], []

    def counted(data, begin):
        end, cost = whole_until(data, begin)
        looked_at.append(cost)
        return end, cost

    monkeypatch.setattr(resynchronization, "whole_until", counted)
    assert list(read_around(data, is_rest=True)) == []
    spent = sum(looked_at) + 64 * len(looked_at)
    assert spent < 17 * len(data) + 2**20  # what is quadratic sums up a million times as much


def test_whole_frames_are_found_behind_a_megabyte_of_anything():
    junk = bytes(range(256)) * 4096
    record = frame(b"E{}")
    found = list(read_around(record + junk + record, is_rest=True))
    assert [first for _, first, _ in found] == [0, len(record) + len(junk)]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            MAGIC[:3],
            "an unknown number of bytes could not be read (segment 0, byte 0: it is cut before its fir",
        ),
        (MAGIC + frame(b"X12"), "1 records and 3 bytes could not be read (segment 0, byte 8: "),
    ],
)
def test_damage_to_a_last_segment_is_told_with_its_place_and_what_it_costs(tmp_path, content, told):
    (tmp_path / "000000.seg").write_bytes(content)
    reader = SpoolReader(tmp_path, Cursor())
    assert list(reader.read()) == []
    reader.look_for_damage()
    assert reader.damage.sentence.startswith(told)


@given(
    st.lists(st.tuples(st.integers(8, 6000), st.binary(min_size=1, max_size=300)), max_size=4),
    st.binary(min_size=16, max_size=16),
)
@settings(max_examples=40, deadline=None)
def test_arrays_behind_damage_are_read_whatever_bytes_their_values_have(tmp_path_factory, damage, values):
    folder = tmp_path_factory.mktemp("spool")
    writer = SpoolWriter(folder)
    logged = [
        LoggedArray(
            name="PKAE",
            step=step,
            time_ms=1000,
            precision="float32",
            shape=(4,),
            axes=(Axis(name="P", labels=tuple("PKAE")),),
            data=values,
        )
        for step in range(40)
    ]
    for one in logged:
        writer.array(one)
    writer.close()
    path = folder / "000000.seg"
    ends = [read.after.offset for read in read_spool(folder)]
    assert len(ends) == 40
    content = before = path.read_bytes()
    for at, junk in damage:
        place = min(at, len(content) - 1)
        content = content[:place] + junk[: len(content) - place] + content[place + len(junk) :]
    path.write_bytes(content)
    size = len(frame(array_payload(logged[0])))
    whole = [step for step, end in enumerate(ends) if content[end - size : end] == before[end - size : end]]
    assert [one.record for one in read_spool(folder)] == [logged[step] for step in whole]
