"""The mirror never changes what is read, only how much of it is asked for again."""

import json
import math
import os
import subprocess
import sys

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from grokscope.store import open_store
from grokscope.store.cache import mirror as mirror_module
from grokscope.store.cache.files import MirrorSegment
from grokscope.store.cache.location import open_mirror, prune
from grokscope.store.remote.store import RemoteStore
from grokscope.store.rest.transport import RestTransport
from grokscope.store.sqlite import histories as sqlite_histories

VALUES = st.sampled_from([0.0, 1.0, -1.5, math.nan, math.inf, -math.inf])
ROWS = st.tuples(st.sampled_from("ab"), st.integers(0, 5), st.integers(1, 6), VALUES)
LOGS = st.tuples(st.just("log"), st.integers(0, 1), st.lists(ROWS, min_size=1, max_size=4))
READS = st.tuples(st.just("read"), st.sampled_from([[0], [1], [0, 1]]), st.sampled_from([None, ["a"], ["b"]]))
TOGGLES = st.tuples(st.just("delete and restore"), st.integers(0, 1), st.none())
RESTARTS = st.tuples(st.just("restart"), st.just(0), st.booleans())


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A mirror of the test's own."""
    monkeypatch.setenv("GROKSCOPE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def run(client, new_run, log):
    """A run with 300 points of two metrics."""
    run_id = new_run()
    log(run_id, *[(key, step, step, step / 7) for key in "ab" for step in range(300)])
    return run_id


def files(home):
    return sorted(path.name for path in home.rglob("*.parquet"))


def nothing_is_read_whole(monkeypatch):
    def refuse(*_args, **_options):
        raise AssertionError("a history was read from the store again")

    monkeypatch.setattr(sqlite_histories, "history", refuse)


@settings(max_examples=20, deadline=None)
@given(actions=st.lists(LOGS | READS | TOGGLES | RESTARTS, max_size=10))
def test_late_rows_restorations_and_restarts_in_any_order_end_in_the_clients_full_reading(
    actions, client, new_run, log, reference
):
    # Times are drawn apart from steps: clocks jump, and old steps arrive late.
    runs = [new_run("0", run_name="the same name") for _ in range(2)]
    store = open_store(client.tracking_uri)
    for kind, where, what in actions:
        if kind == "log":
            log(runs[where], *what)
        elif kind == "read":
            chosen = [runs[i] for i in where]
            assert_frame_equal(store.points(chosen, what), reference(chosen, what))
        elif kind == "restart":
            if what:  # else as a process that was killed: what was not saved is read again
                store.close()
            store = open_store(client.tracking_uri)
        else:
            client.delete_run(runs[where])
            client.restore_run(runs[where])
    assert_frame_equal(store.points(runs), reference(runs))
    store.close()


def test_a_new_process_reads_the_mirror_and_asks_the_store_only_for_new_rows(
    home, client, run, log, reference, monkeypatch
):
    first = open_store(client.tracking_uri)
    first.points([run])
    first.close()
    log(run, ("a", 7, 999, 5.0), ("a", 300, 300, 6.0))
    nothing_is_read_whole(monkeypatch)
    assert_frame_equal(open_store(client.tracking_uri).points([run]), reference([run]))


def test_a_curve_asked_for_later_than_its_run_is_read_then(home, client, run, reference):
    first = open_store(client.tracking_uri)
    first.points([run], ["a"])
    first.close()
    second = open_store(client.tracking_uri)
    assert_frame_equal(second.points([run], ["b"]), reference([run], ["b"]))
    assert_frame_equal(second.points([run]), reference([run]))


def test_one_process_writes_and_others_read_what_it_saved(home, client, run, new_run, log, reference):
    writer = open_store(client.tracking_uri)
    writer.points([run])
    reader, other = open_store(client.tracking_uri), new_run()
    log(other, ("a", 1, 1, 1.0))
    before = files(home)
    assert_frame_equal(reader.points([run, other]), reference([run, other]))
    reader.close()
    assert files(home) == before


def test_a_reader_whose_files_the_writer_has_replaced_reads_the_store(home, client, run, reference):
    writer = open_store(client.tracking_uri)
    writer.points([run])
    reader = open_store(client.tracking_uri)
    for path in home.rglob("*.parquet"):
        path.unlink()
    assert_frame_equal(reader.points([run]), reference([run]))


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "manifest.json").write_text("{"),
        lambda folder: (folder / "manifest.json").write_text("[]"),
        lambda folder: (folder / "manifest.json").unlink(),
        lambda folder: next(folder.glob("*.parquet")).write_bytes(b"PAR1 no more"),
        lambda folder: next(folder.glob("*.parquet")).unlink(),
        lambda folder: _change(folder, "format", 0),
        lambda folder: _change(folder, "store", "sqlite:////another.db"),
        lambda folder: _change(folder, "state", {"number": "many"}),
        lambda folder: _change(folder, "state", None),
    ],
)
def test_a_damaged_mirror_or_one_of_another_format_or_store_is_read_anew(
    home, client, run, reference, damage
):
    first = open_store(client.tracking_uri)
    first.points([run])
    first.close()
    damage(next((home / "mirror").iterdir()))
    for _ in range(2):
        store = open_store(client.tracking_uri)
        assert_frame_equal(store.points([run]), reference([run]))
        store.close()


def _change(folder, name, value):
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, name: value}))


def test_a_home_that_cannot_be_written_costs_the_mirror_and_nothing_else(
    tmp_path, client, run, reference, monkeypatch
):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("GROKSCOPE_HOME", str(tmp_path / "file"))
    assert_frame_equal(open_store(client.tracking_uri).points([run]), reference([run]))


def test_a_disk_that_fills_while_saving_leaves_the_former_state_and_the_reading_goes_on(
    home, client, run, log, reference, monkeypatch
):
    store = open_store(client.tracking_uri)
    store.points([run])
    log(run, ("a", 301, 301, 1.0))

    def full(*_args):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(MirrorSegment, "write", full)
        assert_frame_equal(store.points([run]), reference([run]))
        store.close()
    assert len(files(home)) == 1
    assert_frame_equal(open_store(client.tracking_uri).points([run]), reference([run]))


SAVING_FOREVER = """
import sys, polars as pl
from pathlib import Path
from grokscope.schemas import POINT_SCHEMA
from grokscope.store.cache.location import open_mirror
mirror = open_mirror("sqlite:////x.db", root=Path(sys.argv[1]))
for number in range(10**6):
    rows = [("r", "m", number * 100 + i, 0, float(i)) for i in range(100)]
    points = pl.DataFrame(rows, schema=POINT_SCHEMA, orient="row")
    mirror.save({("r", "m"): [points]}, state={"number": number}, complete={"r": None})
    print(number, flush=True)
"""


def test_a_writer_killed_at_any_moment_leaves_a_whole_state(tmp_path):
    for kept in (1, 4, 9):
        process = subprocess.Popen([sys.executable, "-c", SAVING_FOREVER, tmp_path], stdout=subprocess.PIPE)
        for _ in range(kept):
            process.stdout.readline()
        process.kill()
        process.stdout.close()
        process.wait()
        mirror = open_mirror("sqlite:////x.db", root=tmp_path)
        number = mirror.state["number"]
        assert number >= kept - 1
        assert sorted(pl.concat(mirror.read(["r"], None))["step"]) == list(range((number + 1) * 100))
        mirror.reset()
        mirror.close()


def test_files_are_few_however_often_it_is_saved(home, client, run, log, monkeypatch):
    monkeypatch.setattr(mirror_module, "SAVE_S", 0.0)
    store = open_store(client.tracking_uri)
    for step in range(40):
        log(run, ("c", step, step, 1.0))
        store.points([run])
    assert len(files(home)) <= 7


def test_the_runs_used_last_are_kept_when_a_store_outgrows_its_room(home, client, new_run, log, monkeypatch):
    monkeypatch.setattr(mirror_module, "MAX_ROWS", 100)
    runs = [new_run() for _ in range(3)]
    for run in runs:
        log(run, *[("a", step, step, 1.0) for step in range(45)])
    for run in runs:
        store = open_store(client.tracking_uri)
        store.points([run])
        store.close()
    kept = open_mirror(client.tracking_uri)
    assert len(kept.complete) == 1
    assert pl.concat(kept.read(runs, None)).height == 45


def test_mirrors_not_used_for_longest_are_removed_beyond_the_limit_and_open_ones_never(tmp_path):
    for age, name in enumerate(("new", "middle", "old")):
        mirror = open_mirror(f"sqlite:////{name}.db", root=tmp_path)
        mirror.reset()
        mirror.close()
        folder = max(tmp_path.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        os.utime(folder / "manifest.json", (10**6 - age, 10**6 - age))
    open_again = open_mirror("sqlite:////old.db", root=tmp_path)
    assert len(prune(tmp_path, max_bytes=0)) == 2
    assert len(list(tmp_path.iterdir())) == 1
    assert open_again.is_writable


def test_neither_a_password_nor_a_token_is_in_the_mirror(tmp_path):
    mirror = open_mirror("postgresql://ann:secret@db/mlflow", root=tmp_path)
    mirror.reset()
    found = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"postgresql://db/mlflow" in found
    assert b"secret" not in found


def test_over_http_a_run_that_ended_is_not_asked_for_again_and_one_that_goes_on_is(
    home, server, client, run, log, reference, monkeypatch
):
    client.set_terminated(run, "FINISHED", end_time=10**6)
    first = open_store(server)
    assert_frame_equal(first.points([run]), reference([run]))
    first.close()
    asked = []
    since = RestTransport.since
    monkeypatch.setattr(
        RestTransport, "since", lambda self, key, steps: asked.append(key) or since(self, key, steps)
    )
    second = open_store(server)
    assert isinstance(second, RemoteStore)
    assert_frame_equal(second.points([run]), reference([run]))
    assert asked == []
    log(run, ("a", 300, 10**6, 1.0))
    assert_frame_equal(second.points([run]), reference([run]))
    assert asked == ["a"]
