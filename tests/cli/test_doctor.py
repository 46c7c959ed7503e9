"""``grokscope doctor``: each ill is found on a real store, named with a remedy, and counted in the status."""

import json
import os
import sqlite3
import sys
import time
from contextlib import closing

import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric

from grokscope.cli.main import run
from grokscope.collectors.recording.spool import Meta, prepare_spool, publish_spool


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    path = tmp_path_factory.mktemp("doctor") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def uri(empty, tmp_path):
    (tmp_path / "mlflow.db").write_bytes(empty.read_bytes())
    return f"sqlite:///{tmp_path}/mlflow.db"


@pytest.fixture
def doctor(monkeypatch, capsys, tmp_path):
    """Examine a store; give the status and the findings by subject."""
    monkeypatch.setenv("GROKSCOPE_HOME", str(tmp_path / "home"))

    def call(uri: str):
        monkeypatch.setattr(sys, "argv", ["grokscope", "doctor", "--store", uri, "--format", "json"])
        with pytest.raises(SystemExit) as ended:
            run()
        found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return ended.value.code or 0, {finding["subject"]: finding for finding in found}

    return call


def log(uri, *, start_ms, status=None, last_ms=None):
    client = MlflowClient(uri)
    made = client.create_run("0", start_time=start_ms, run_name="quiet").info.run_id
    client.log_batch(made, [Metric("loss", 1.0, last_ms or start_ms, 1)])
    if status:
        client.set_terminated(made, status, end_time=start_ms + 1)
    return made


def now_ms():
    return int(time.time() * 1000)


def test_a_healthy_store_is_well_in_every_respect(doctor, uri):
    log(uri, start_ms=now_ms())
    log(uri, start_ms=now_ms() - 10**9, status="FINISHED")
    status, found = doctor(uri)
    assert status == 0
    assert {finding["health"] for finding in found.values()} == {"ok"}
    assert found["runs"]["says"] == "1 running, none of them silent"
    assert "1 experiments, 2 runs, some 2 points" in found["size"]["says"]
    assert "2 points of 2 runs" in found["speed"]["says"]


def test_a_run_without_a_sign_of_life_is_named_with_the_way_to_end_it(doctor, uri):
    run_id = log(uri, start_ms=now_ms() - 3_600_000)
    status, found = doctor(uri)
    assert status == 1
    assert found["runs"]["health"] == "warn"
    assert "'quiet'" in found["runs"]["says"]
    assert run_id in found["runs"]["remedy"]


def test_points_from_the_future_tell_of_a_wrong_clock(doctor, uri):
    log(uri, start_ms=now_ms(), last_ms=now_ms() + 3_600_000)
    status, found = doctor(uri)
    assert (status, found["clocks"]["health"]) == (1, "warn")


def test_a_store_of_another_schema_is_read_slowly_and_says_so(doctor, uri, tmp_path):
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as connection:
        connection.execute("ALTER TABLE params RENAME COLUMN value TO worth")
        connection.commit()
    status, found = doctor(uri)
    assert status in (1, 2)
    assert "params lacks value" in json.dumps(found)


@pytest.mark.parametrize("content", [None, b"no database"])
def test_a_store_that_is_missing_or_broken_fails_with_a_remedy(doctor, tmp_path, content):
    if content is not None:
        (tmp_path / "x.db").write_bytes(content)
    status, found = doctor(f"sqlite:///{tmp_path}/x.db")
    assert status == 2
    assert found["store"]["health"] == "fail"
    assert found["store"]["remedy"]
    assert found["spools"]["health"] == "ok"


def test_spools_that_wait_and_letters_that_were_refused_are_counted(doctor, uri, tmp_path):
    meta = Meta(run_id="a" * 32, store=uri, experiment="e", name="n", params={}, tags={})
    folder = publish_spool(prepare_spool(tmp_path / "home", meta))
    status, found = doctor(uri)
    assert (status, found["spools"]["health"]) == (1, "warn")
    assert found["spools"]["remedy"] == "Run 'grokscope sync'; no point is lost."
    (folder / "state.json").write_text(json.dumps({"why": "the run was deleted"}))
    (tmp_path / "home" / "dead").mkdir()
    (tmp_path / "home" / "dead" / "r.jsonl").write_text("{}\n")
    status, found = doctor(uri)
    assert (status, found["spools"]["health"], found["refused"]["health"]) == (2, "fail", "warn")
    assert "the run was deleted" in found["spools"]["says"]


def test_a_folder_that_cannot_be_written_fails(doctor, uri, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anywhere
    status, found = doctor(uri)
    assert (status, found["disk"]["health"]) == (2, "fail")


def test_the_table_for_people_has_a_line_a_finding(monkeypatch, capsys, uri, tmp_path):
    monkeypatch.setenv("GROKSCOPE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(sys, "argv", ["grokscope", "doctor", "--store", uri])
    with pytest.raises(SystemExit):
        run()
    out = capsys.readouterr().out
    assert out.splitlines()[0].split() == ["what", "is", "found", "what", "would", "help"]
    assert "store" in out
