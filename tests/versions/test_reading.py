"""Stores and servers of MLflow 2 and 3 are read as they are, and nothing is changed in them."""

import math
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from grokscope.schemas import Verdict, release_of, revision_of
from grokscope.schemas.verdicts.transition import Date
from grokscope.schemas.verdicts.verdict import Pattern
from grokscope.store import SchemaError, open_store
from grokscope.store.rest import transport as rest_transport
from grokscope.store.sqlite.file import reading
from grokscope.store.sqlite.schema import step_index

VERSIONS = ("2.22.5", "3.18.0")
LONG = 2600


def check_everything(store, run):
    """Compare all that a store gives with what was logged; of two values at a step the later one counts."""
    assert store.notice is None
    theirs = [name for name in store.experiments()["name"] if name != "e"]  # which tests of writing make
    assert theirs == ["modular", "Default"]
    runs = store.runs("modular").select("run_id", "name", "status", "start_ms", "end_ms")
    assert runs.rows() == [(run, "first", "FINISHED", 500, 5000)]
    assert store.params([run]).rows() == [(run, "optim.lr", "0.1")]
    assert (run, "note", "its α") in store.tags([run]).rows()
    assert sorted(store.metrics([run])["metric"]) == ["loss", "test/accuracy"]
    few = store.points([run], ["test/accuracy"]).select("step", "time_ms", "value").rows()
    assert [row if row[0] != 2 else row[:2] for row in few] == [(1, 1001, 0.5), (2, 1002), (3, 1003, 1.0)]
    assert math.isnan(few[1][2])
    many = store.points([run], ["loss"])
    assert many["value"].to_list() == [1.0 / (step + 1) for step in range(LONG)]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_file_of_another_version_is_read_whole_and_left_byte_for_byte(version, store_of):
    uri, file, run = store_of(version)
    before = file.read_bytes()
    check_everything(open_store(uri), run)
    assert open_store(uri).aliases("modular") == {}
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.glob("mlflow.db*")] == ["mlflow.db"]
    # The table of releases is right about the last one of each.
    assert f" {version.rpartition('.')[0]} (" in release_of(revision_of(uri))


def test_a_file_without_the_newest_index_is_read_by_that_of_runs(store_of):
    _, file, _ = store_of("2.22.5")
    with reading(file) as connection:
        assert step_index(connection) == "INDEXED BY index_metrics_run_uuid"


def test_a_run_whose_name_mlflow_1_kept_in_a_tag_only_has_that_name(store_of):
    uri, file, _ = store_of("2.22.5")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE runs SET name = ''")
        connection.commit()
    assert open_store(uri).runs()["name"].to_list() == ["first"]


def test_a_commit_that_a_writer_of_2_22_left_half_written_is_rolled_back_and_not_migrated(store_of):
    uri, file, run = store_of("2.22.5")
    revision = revision_of(uri)
    dying = (
        "import os, signal, sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); "
        "c.execute('PRAGMA cache_size = 1'); c.execute('BEGIN IMMEDIATE'); "
        "c.execute('UPDATE metrics SET value = 7.0'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", dying, file], check=False).returncode == -signal.SIGKILL
    assert file.with_name("mlflow.db-journal").stat().st_size > 0
    check_everything(open_store(uri), run)
    assert revision_of(uri) == revision


@pytest.mark.parametrize("version", ["2.22.5", "3.18.0"])
def test_a_file_that_lacks_what_is_needed_is_refused_with_its_version_and_left_as_it_is(version, store_of):
    uri, file, _ = store_of(version)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("ALTER TABLE params RENAME COLUMN value TO worth")
        connection.commit()
    before = file.read_bytes()
    with pytest.raises(SchemaError) as caught:
        open_store(uri)
    said = str(caught.value)
    assert said.startswith(f"{file} is a store of {release_of(revision_of(uri))} and cannot be read: ")
    assert "its table params lacks value. " in said
    assert ("--upgrade-store" if version == "2.22.5" else "Install a grokscope that knows it") in said
    assert file.read_bytes() == before


def test_a_file_of_a_version_that_nobody_knows_yet_is_read_directly(store_of):
    uri, file, run = store_of("3.18.0")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0123456789ab'")
        connection.execute("ALTER TABLE metrics ADD COLUMN mood TEXT")
        connection.commit()
    check_everything(open_store(uri), run)


def test_a_server_of_another_version_is_read_whole_judged_and_given_roles(server):
    uri, run = server
    check_everything(open_store(uri), run)
    open_store(uri).set_alias("modular", name="loss", canonical="train/loss")
    assert open_store(uri).aliases("modular") == {"loss": "train/loss"}
    open_store(uri).clear_alias("modular", name="loss")
    assert open_store(uri).aliases("modular") == {}
    memorized = Date(step=2, low=1, high=3)
    open_store(uri).write_verdict(Verdict(run=run, pattern=Pattern.MEMORIZATION, memorized=memorized))
    assert (run, "grokscope.memorized_step", "2") in open_store(uri).tags([run]).rows()


def test_a_server_that_cannot_give_many_histories_at_once_is_asked_for_each(server, monkeypatch):
    """As one before MLflow 2.11."""
    uri, run = server
    monkeypatch.setattr(rest_transport, "BULK", "metrics/get-history-of-all")
    check_everything(open_store(uri), run)
