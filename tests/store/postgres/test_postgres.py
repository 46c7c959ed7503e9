"""A real PostgreSQL behind MLflow, read by SQL: the frames of MLflow's client, and nothing written."""

import math
import shutil
import subprocess
import sys

import polars as pl
import pytest
from mlflow.entities import Metric
from polars.testing import assert_frame_equal

from grokscope.store import (
    AccessError,
    BusyStoreError,
    MissingStoreError,
    RunNotFoundError,
    SchemaError,
    StoreError,
    UnreachableError,
    open_store,
)
from grokscope.store.cache.location import mirror_folder
from grokscope.store.mlflow_client.transport import ClientTransport
from grokscope.store.postgres.calls import PostgresCalls
from grokscope.store.postgres.transport import PostgresTransport
from grokscope.store.remote.refresh_policy import RefreshPolicy
from grokscope.store.remote.store import RemoteStore
from grokscope.store.sqlite import schema as sqlite_schema

ODD_ROWS = [
    ("test/accuracy", 0, 1000, 0.1),
    ("test/accuracy", 10, 1010, math.nan),
    ("test/accuracy", 10, 1009, 0.7),
    ("test/accuracy", -3, 1020, math.inf),
    ("test/accuracy", 2**40, 1030, -math.inf),
    ("its α", 5, 1000, 3.0),
    ("its α", 5, 1000, 2.0),
]


def end_connections(postgres):
    statement = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname ~ '^mlflow_'"
    command = [postgres.bin / "psql", "-c", statement]
    subprocess.run(command, check=True, capture_output=True, env=postgres.environment)


def more(writer, run_id, *rows):
    metrics = [Metric(key=k, step=step, timestamp=time_ms, value=value) for k, step, time_ms, value in rows]
    writer.log_batch(run_id, metrics=metrics)


def by_client(database, run_ids, metrics=None):
    return RemoteStore(database, transport=ClientTransport(database)).points(run_ids, metrics)


def test_runs_params_tags_and_points_equal_those_of_mlflows_client(database, writer, logged):
    runs = [logged(*ODD_ROWS), logged(*ODD_ROWS[:2]), logged()]
    writer.log_param(runs[0], "seed", "1")
    writer.set_tag(runs[0], "note", "a 'quoted' one")
    shutil.rmtree(mirror_folder(database), ignore_errors=True)  # of another test's
    open_store(database, mirrored=False).close()
    assert not mirror_folder(database).exists()
    store, slow = open_store(database), RemoteStore(database, transport=ClientTransport(database))
    assert store.notice is None
    assert mirror_folder(database).exists()
    assert_frame_equal(store.points(runs), slow.points(runs))
    assert_frame_equal(store.points(runs, ["its α"]), slow.points(runs, ["its α"]))
    for ask in ("params", "tags", "metrics"):
        assert_frame_equal(getattr(store, ask)(runs), getattr(slow, ask)(runs))
    assert_frame_equal(store.runs(), slow.runs())
    assert_frame_equal(store.experiments(), slow.experiments())


def test_a_refresh_asks_only_from_the_last_step_of_curves_that_went_on(database, writer, logged, monkeypatch):
    runs = [logged(*[("m", step, step, 1.0) for step in range(9)]) for _ in range(2)]
    store = open_store(database)
    store.points(runs)
    asked = []
    since = PostgresTransport.since
    monkeypatch.setattr(
        PostgresTransport,
        "since",
        lambda self, key, steps: asked.append((key, steps)) or since(self, key, steps),
    )
    more(writer, runs[0], ("m", 9, 9, math.nan))
    assert_frame_equal(store.points(runs), by_client(database, runs))
    assert asked == [("m", {runs[0]: 8})]


def test_a_late_old_step_shows_at_the_next_full_reading(database, writer, logged):
    run = logged(("m", 10, 100, 1.0))
    policy = RefreshPolicy()
    store = RemoteStore(database, transport=PostgresTransport(database), policy=policy)
    store.points([run])
    more(writer, run, ("m", 3, 101, 2.0))
    policy.forget([run])
    assert store.points([run])["step"].to_list() == [3, 10]


def test_a_deleted_run_is_named_and_is_back_when_restored(database, writer, logged):
    run, store = logged(*ODD_ROWS), open_store(database)
    writer.delete_run(run)
    assert run not in store.runs()["run_id"].to_list()
    with pytest.raises(RunNotFoundError, match=f"^run '{run}' is deleted"):
        store.points([run])
    writer.restore_run(run)
    assert_frame_equal(store.points([run]), by_client(database, [run]))


def test_our_connection_cannot_write_and_goes_on_after_a_refusal(database):
    calls = PostgresCalls(database)
    with pytest.raises(StoreError, match="read-only transaction"):
        calls.ask("CREATE TABLE mine (x int)")
    assert calls.ask("SELECT 1 AS one").rows() == [(1,)]
    calls.close()


def test_a_statement_that_lasts_too_long_is_ended_and_the_store_is_busy(database, monkeypatch):
    monkeypatch.setattr("grokscope.store.postgres.calls._SETTINGS", ("SET statement_timeout = '100ms'",))
    with pytest.raises(BusyStoreError, match="statement timeout"):
        PostgresCalls(database).ask("SELECT pg_sleep(5)::text")


def test_a_server_that_ends_our_connection_is_asked_again_by_a_new_one(database, postgres, logged):
    run, store = logged(*ODD_ROWS), open_store(database)
    seen = store.points([run])
    end_connections(postgres)
    with pytest.raises(StoreError):
        store.points([run])
    assert_frame_equal(store.points([run]), seen)


def test_what_is_wrong_is_told_apart_and_no_password_is_shown(database, postgres, empty_database):
    addresses = {
        AccessError: database.replace(postgres.password, "wrongsecret"),
        MissingStoreError: database.rpartition("/")[0] + "/nothing",
        SchemaError: empty_database(),
        UnreachableError: database.replace(f":{postgres.port}/", ":1/"),
    }
    for kind, uri in addresses.items():
        with pytest.raises(StoreError) as caught:
            open_store(uri)
        assert type(caught.value) is kind
        assert postgres.password not in str(caught.value)
        assert "wrongsecret" not in str(caught.value)


def test_a_table_that_lacks_a_column_is_read_by_mlflows_client_and_says_so(database, monkeypatch):
    monkeypatch.setattr(sqlite_schema, "_NEEDED", {**sqlite_schema._NEEDED, "tags": {"key", "colour"}})
    store = open_store(database)
    assert store.notice.endswith("its table tags lacks colour, so it is of another MLflow version.")
    assert "Default" in store.experiments()["name"]


def test_without_the_driver_mlflows_client_reads_and_the_notice_says_so(database, logged, monkeypatch):
    run = logged(*ODD_ROWS)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "adbc_driver_postgresql.dbapi", None)
        store = open_store(database)
    assert "is not installed" in store.notice
    assert "postgresql+psycopg://127.0.0.1" in store.notice
    assert_frame_equal(store.points([run]), open_store(database).points([run]))


def test_many_runs_are_read_in_one_statement(database, writer, logged, monkeypatch):
    runs = [logged(("m", step, step, float(step))) for step in range(30)]
    statements = []
    ask = PostgresCalls.ask
    monkeypatch.setattr(PostgresCalls, "ask", lambda self, *a: statements.append(a[0]) or ask(self, *a))
    frame = open_store(database).points(runs, ["m"])
    assert frame.height == 30
    assert frame.schema["value"] == pl.Float64
    assert sum("JOIN metrics" in statement for statement in statements) == 1
