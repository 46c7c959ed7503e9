"""Records and files that are whole and make no sense: put aside and told, and in nobody's way."""

import errno
import itertools
import json
import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grokscope.collectors.recording.ship import backlogs
from grokscope.collectors.recording.ship.delivery.delivery import Delivery
from grokscope.collectors.recording.ship.delivery.run_upload import RefusedForNow
from grokscope.collectors.recording.ship.mlflow.run_store import MlflowRunStore
from grokscope.collectors.recording.ship.run_store import Refused
from grokscope.collectors.recording.ship.service import Service
from grokscope.collectors.recording.spool import (
    Meta,
    SpoolWriter,
    WriterLock,
    damage_reports,
    next_attempt,
    prepare_spool,
    publish_spool,
    read_ending,
)
from grokscope.collectors.recording.spool.record import frame, keys_payload, points_packer
from grokscope.schemas.files.private import content_of

END = {"event": "end", "status": "FINISHED", "time_ms": 9000}
DEEP = 10**5
PAYLOADS = {
    "no kind": b"\0",
    "unknown kind": b'X{"event": "end"}',
    "event of nothing": b"E",
    "event that is a list": b"E[1, 2]",
    "event that is a text": b'E"end"',
    "event that is no number": b"ENaN",
    "event that is no json": b"E{'a': 1}",
    "event that is no text": b"E\xff\xfe",
    "event that is deep": b"E" + b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "event with a number of many digits": b'E{"event": "end", "time_ms": ' + b"9" * 5000 + b"}",
    "end at a time that is a text": b'E{"event": "end", "status": "FINISHED", "time_ms": "now"}',
    "end at no time": b'E{"event": "end", "status": "FINISHED", "time_ms": null}',
    "end at a fraction": b'E{"event": "end", "status": "FINISHED", "time_ms": NaN}',
    "end before all times": b'E{"event": "end", "status": "FINISHED", "time_ms": -1}',
    "end after all times": b'E{"event": "end", "status": "FINISHED", "time_ms": 9223372036854775808}',
    "end of a list": b'E{"event": "end", "status": ["FINISHED"], "time_ms": 1}',
    "end that dropped a list": b'E{"event": "end", "status": "FINISHED", "time_ms": 1, "dropped": [1]}',
    "length that is a text": b'E{"event": "after", "bytes": "many"}',
    "names without a number": b"K\0",
    "names that are a text": b'K\7\0\0\0"abc"',
    "names that are numbers": b"K\7\0\0\0[1, 2]",
    "names that are lists": b'K\7\0\0\0[["a"]]',
    "names that are deep": b"K\7\0\0\0" + b"[" * DEEP + b"]" * DEEP,
    "names that are half characters": b'K\7\0\0\0["\\ud800"]',
    "points too short to be any": b"P\0\0",
    "points without names": points_packer(1).pack(b"P", 99, 1, 1, 1.0),
    "points with a value too many": points_packer(2).pack(b"P", 0, 1, 1, 1.0, 2.0),
    "points with a value too few": points_packer(0).pack(b"P", 0, 1, 1),
}


def odd_spool(home, run_id, payload, store="s"):
    """Make a spool with the points 0 and 1, what is odd between them, and an end."""
    folder = publish_spool(prepare_spool(home, Meta(run_id=run_id, store=store, experiment="e", name=run_id)))
    WriterLock(folder).release()
    writer = SpoolWriter(folder)
    writer.points(0, 1000, {"m": 1.0})
    os.write(writer._files.segment.fd, frame(payload))
    writer.points(1, 1000, {"m": 1.0})
    writer.close(END)
    return folder


class Recorder:
    """A place that takes everything, but chokes on one run in a way that nobody has thought of."""

    def __init__(self) -> None:
        self.taken: dict[str, list[int]] = {}
        self.ends: dict[str, str] = {}

    def open_run(self, meta):
        if meta.run_id == "choking":
            raise TypeError("who could have known")
        if meta.run_id == "a-refused":
            raise Refused("not this one")
        return meta.run_id

    def describe(self, run, labels): ...

    def send(self, run, scalars):
        self.taken.setdefault(run, []).extend(s.step for s in scalars)

    def heartbeat(self, run, time_ms): ...

    def end_run(self, run, ending):
        self.ends[run] = ending.status


def shipped(home) -> Recorder:
    service = Service(home, "s", run_store=(run_store := Recorder()), sleep=lambda _: None)
    assert service.run(idle_seconds=0.0)
    return run_store


def test_a_record_that_makes_no_sense_costs_itself_and_is_kept_counted_and_told(tmp_path, store):
    home = tmp_path / "home"
    kept = {}
    for number, payload in enumerate(PAYLOADS.values()):
        folder = odd_spool(home, f"r{number}", payload, store)
        kept[f"{folder.name}.000000.seg"] = (folder / "000000.seg").read_bytes()
    backlogs(home)
    assert Service(home, store, run_store=MlflowRunStore(store), sleep=lambda _: None).run(idle_seconds=0.0)
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as connection:
        steps = connection.execute(
            "select name, step from runs natural join metrics order by 1, 2"
        ).fetchall()
        told = connection.execute("select value from tags where key = 'grokscope.damage'").fetchall()
        statuses = connection.execute("select distinct status from runs").fetchall()
    assert steps == sorted((f"r{number}", step) for number in range(len(PAYLOADS)) for step in (0, 1))
    assert len(told) == len(PAYLOADS)
    assert all(text.startswith("1 records and ") for (text,) in told)
    assert statuses == [("FINISHED",)]
    assert {path.name: path.read_bytes() for path in (home / "dead").glob("*.seg")} == kept
    assert [report.is_loss for report in damage_reports(home)] == [True] * len(PAYLOADS)


@given(
    st.one_of(
        st.binary(min_size=1, max_size=60),
        st.builds(lambda k, b: k + b, st.sampled_from([b"E", b"P", b"K"]), st.binary(max_size=40)),
    )
)
@settings(max_examples=80, deadline=None)
def test_no_payload_stops_a_shipper_or_costs_the_records_beside_it(payload):
    home = Path(tempfile.mkdtemp())
    odd_spool(home, "r", payload)
    run_store = shipped(home)
    assert run_store.taken["r"][:1] + run_store.taken["r"][-1:] == [0, 1]
    assert run_store.ends == {"r": "FINISHED"}


METAS = [
    "", "null", "[]", "3", '"x"', "{", "{}", "\xff", "[" * DEEP, '{"a":' * DEEP, '{"version": "1"}',
    {"store": None}, {"store": ["s"]}, {"store": 7}, {"store": "a\0b"},
    {"run_id": "../../../x"}, {"run_id": ["r"]}, {"name": None}, {"tags": "x"},
    {"params": []}, {"params": {"a": 1}}, {"params": {"a": {"b": "c"}}},
    {"start_ms": "x"}, {"start_ms": 10**30}, {"start_ms": 1.5}, {"attempt": True}, {"attempt": -1},
    {"host": None}, {"kernel": 3}, {"pid": "x"}, {"experiment": "\ud800"}, {"version": 3}, {"version": [1]},
]  # fmt: skip


def test_a_meta_that_makes_no_sense_is_told_with_its_reason_and_left_while_others_are_sent(tmp_path):
    for number, content in enumerate(METAS):
        folder = odd_spool(tmp_path, f"r{number}", b"E{}")
        path = folder / "meta.json"
        if isinstance(content, dict):
            content = json.dumps(json.loads(path.read_text()) | content)  # noqa: PLW2901
        path.write_bytes(content.encode("latin-1"))
    odd_spool(tmp_path, "fine", b"E{}")
    assert shipped(tmp_path).taken == {"fine": [0, 1]}
    (refused,) = backlogs(tmp_path)
    assert len(refused.stuck) == len(METAS)
    assert all("meta.json is damaged or of a later version of grokscope (" in text for text in refused.stuck)
    assert len(list((tmp_path / "spool").glob("*/*.seg"))) == len(METAS)
    assert not (tmp_path.parent / "x.jsonl").exists()


ODD = [
    "", "null", "[]", "\xff\xfe", "[" * DEEP, '{"segment": 1e400, "offset": 0}',
    '{"segment": 0, "offset": 9}', '{"segment": true, "offset": [1]}',
    '{"segment": ' + "9" * 5000 + ', "offset": 8}', '{"segment": 99999999999, "offset": 8}',
    '{"segment": 0, "offset": -8}', '{"attempt": "x", "earliest_ms": 1e99}',
    '{"attempt": -1, "earliest_ms": 9999999999999999}',
]  # fmt: skip


def test_small_files_that_make_no_sense_keep_nothing_from_being_sent(tmp_path):
    runs = [f"r{number}" for number in range(len(ODD))]
    (tmp_path / "runs").mkdir(mode=0o700)
    for run, content in zip(runs, ODD, strict=True):
        folder = odd_spool(tmp_path, run, b"E{}")
        for path in (
            folder / "cursor.json",
            folder / "writer",
            folder / "damage.json",
            tmp_path / "runs" / f"{run}.json",
        ):
            path.write_bytes(content.encode("latin-1"))
        assert read_ending(folder) is None
        attempt = next_attempt(tmp_path, run)
        assert (attempt.number, attempt.earliest_ms) == (1, 0)
    assert sum(backlog.points for backlog in backlogs(tmp_path)) == 2 * len(ODD)
    run_store = shipped(tmp_path)
    assert run_store.taken == {run: [0, 1] for run in runs}
    assert set(run_store.ends.values()) == {"FINISHED"}


def test_a_run_that_fails_in_a_way_nobody_has_thought_of_is_put_off_and_told(tmp_path):
    for run in ("choking", "fine"):
        odd_spool(tmp_path, run, b"E{}")
    run_store = shipped(tmp_path)
    assert run_store.taken == {"fine": [0, 1]}
    (backlog,) = backlogs(tmp_path)
    assert (
        "could not be shipped (TypeError('who could have known')); run 'grokscope sync'" in backlog.stuck[0]
    )


@pytest.mark.parametrize(
    "content", ["", "null", "[1]", "{", '{"says": 3, "is_loss": "no"}', "[" * DEEP, "\xff"]
)
def test_a_report_or_a_dead_letter_that_makes_no_sense_is_shown_as_far_as_it_goes(tmp_path, content):
    (tmp_path / "dead").mkdir(mode=0o700)
    (tmp_path / "dead" / "r.damage.json").write_bytes(content.encode("latin-1"))
    (tmp_path / "dead" / "r.jsonl").write_bytes(content.encode("latin-1"))
    reports = damage_reports(tmp_path)
    assert [report.is_loss for report in reports] == [True] * content.startswith('{"')
    odd_spool(tmp_path, "r", keys_payload(9, ["x"]))
    assert shipped(tmp_path).taken == {"r": [0, 1]}


def test_a_cursor_that_asks_for_more_memory_than_there_is_stops_nothing(tmp_path):
    folder = odd_spool(tmp_path, "r", b"\0")
    (folder / "cursor.json").write_text('{"segment": 0, "offset": 9000000000000000000}')
    assert [backlog.points for backlog in backlogs(tmp_path)] == [2]
    assert shipped(tmp_path).taken == {"r": [0, 1]}


def test_a_disk_that_fails_in_the_middle_of_a_batch_costs_no_point(tmp_path, monkeypatch):
    writer = SpoolWriter(
        publish_spool(prepare_spool(tmp_path, Meta(run_id="r", store="s", experiment="e", name="r"))),
        segment_bytes=200,
    )
    for step in range(60):
        writer.points(step, 1000, {"m": 1.0})
    writer.close(END)
    failures = iter([False] * 3 + [True])

    def failing(path, **options):
        if next(failures, False):
            raise OSError(errno.EIO, "Input/output error")
        return content_of(path, **options)

    monkeypatch.setattr("grokscope.collectors.recording.spool.reader.content_of", failing)
    assert shipped(tmp_path).taken == {"r": list(range(60))}
    assert next(failures, None) is None


def test_a_run_that_is_refused_keeps_no_other_one_waiting(tmp_path):
    odd_spool(tmp_path, "a-refused", b"\0")
    odd_spool(tmp_path, "b-fine", b"\0")
    waits: list[float] = []
    service = Service(tmp_path, "s", run_store=(run_store := Recorder()), sleep=waits.append)
    for _ in range(3):
        service.tick()
    assert (run_store.taken, run_store.ends) == ({"b-fine": [0, 1]}, {"b-fine": "FINISHED"})
    assert waits == []
    assert service.has_spools()


def test_a_run_that_trains_is_not_left_for_good_however_long_it_is_refused(tmp_path):
    meta = Meta(run_id="a-refused", store="s", experiment="e", name="n")
    folder = publish_spool(prepare_spool(tmp_path, meta))
    writer_lock = WriterLock(folder)
    clock = itertools.count(step=1000.0)
    delivery = Delivery(
        folder, meta, run_store=Recorder(), dead_letters=tmp_path / "dead" / "x", clock=clock.__next__
    )
    for _ in range(8):
        with pytest.raises(RefusedForNow):
            delivery.advance()
    writer_lock.release()
    delivery.advance()
    assert delivery.is_done
    assert "refuses the run" in json.loads((folder / "state.json").read_text())["why"]
