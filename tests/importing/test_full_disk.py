"""A disk that takes no more: one sentence, nothing half-written is believed, and what follows is complete."""

import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing, contextmanager
from dataclasses import asdict

import pytest
from mlflow import MlflowClient

from grokscope.importing import ImportingError, Limits, find_source, parse_source, plan_import, write_plan
from grokscope.importing.worker import NO_ROOM
from grokscope.schemas import Pattern, Verdict
from grokscope.store import NoRoomError, open_store

POINTS = 3000


@contextmanager
def room_for(size):
    """Let no file of this process grow beyond ``size`` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def parsed(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("step,loss\n" + "".join(f"{step},{1 / (step + 1)}\n" for step in range(POINTS)))
    source = find_source(str(path))
    return source, parse_source(source)


def test_an_import_goes_on_where_a_full_disk_stopped_it(parsed, uri, tmp_path):
    source, logs = parsed
    database = tmp_path / "mlflow.db"

    def write():
        return sum(write_plan(plan_import(logs, source, uri=uri, experiment="e"), uri=uri))

    with room_for(database.stat().st_size + 500_000), pytest.raises(NoRoomError) as caught:
        write()
    said = str(caught.value)
    assert said.startswith(f"{uri}: ")
    assert said.endswith("free some room and run it again, which goes on from here.")
    assert ("\n" in said, "SQL:" in said, "sqlalche.me" in said) == (False, False, False)
    (status,) = open_store(uri).runs("e")["status"].to_list()
    assert status == "RUNNING"  # it is not said to be whole
    assert 0 < write() < POINTS
    assert write() == 0
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("select count(*), count(distinct step) from metrics").fetchone() == (
            POINTS,
            POINTS,
        )
        assert connection.execute("select status from runs").fetchall() == [("FINISHED",)]


def test_a_store_that_there_is_no_room_for_is_not_left_half_made(parsed, tmp_path):
    source, logs = parsed
    uri = f"sqlite:///{tmp_path}/new/mlflow.db"
    plan = plan_import(logs, source, uri=uri, experiment="e")
    with room_for(50_000), pytest.raises(NoRoomError):
        list(write_plan(plan, uri=uri))
    assert list((tmp_path / "new").iterdir()) == []


def test_a_verdict_that_there_is_no_room_for_leaves_no_tags(uri):
    run = MlflowClient(uri).create_run("0").info.run_id
    store = open_store(uri)
    before = store.tags([run]).rows()
    with room_for(10), pytest.raises(NoRoomError, match="File too large"):
        store.write_verdict(Verdict(run=run, pattern=Pattern.MEMORIZATION))
    assert open_store(uri).tags([run]).rows() == before


def test_a_worker_without_room_for_what_it_read_says_so_by_its_status(tmp_path):
    (tmp_path / "m.csv").write_text("step,loss\n1,0.5\n")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "found.json").symlink_to("/dev/full")
    request = {"files": [str(tmp_path / "m.csv")], "root": str(tmp_path), "kind": None, "is_folder": False}
    asked = {
        "patterns": [],
        "step": None,
        "limits": asdict(Limits()),
        "crashed": {},
        "out": str(tmp_path / "out"),
    }
    done = subprocess.run(
        [sys.executable, "-P", "-m", "grokscope.importing"],
        input=json.dumps({**request, **asked}),
        text=True,
        check=False,
    )
    assert done.returncode == NO_ROOM


def test_where_nothing_can_be_kept_until_it_is_written_is_told(parsed, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(ImportingError) as caught:
        parse_source(parsed[0])
    assert str(caught.value) == (
        f"what is read cannot be kept in {tmp_path}/gone until it is written (No such file or directory); "
        "free some room there, or name another folder in TMPDIR"
    )


def test_a_process_that_cannot_be_started_is_no_full_disk(parsed, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/gone/python")
    with pytest.raises(
        ImportingError, match=r"^it cannot be read in a process of its own \(No such file or directory\)"
    ):
        parse_source(parsed[0])
