"""PostgreSQL behind a proxy that drips, beside statements that wait, and with what does not belong in it."""

import select
import socket
import subprocess
import threading

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from grokscope.store import BusyStoreError, StoreError, UnreachableError, open_store, opening
from grokscope.store.postgres import calls as postgres_calls
from grokscope.store.postgres.calls import PostgresCalls

PATIENCE_S = 60.0
ROWS = [("m", step, 1000 + step, step / 7) for step in range(5)]


class Relay:
    """A proxy before the server; while it ``drips``, a byte of an answer passes every few hundredths."""

    def __init__(self, port):
        self._port = port
        self.drips, self._stopped = threading.Event(), threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self):
        while not self._stopped.is_set():
            if select.select([self._listening], [], [], 0.05)[0]:
                pair = self._listening.accept()[0], socket.create_connection(("127.0.0.1", self._port))
                self._threads.append(threading.Thread(target=self._pass_on, args=pair))
                self._threads[-1].start()

    def _pass_on(self, ours, theirs):
        with ours, theirs:
            while not self._stopped.is_set():
                for source in select.select([ours, theirs], [], [], 0.05)[0]:
                    is_slow = source is theirs and self.drips.is_set()
                    content = source.recv(1 if is_slow else 65536)
                    if not content:
                        return
                    (ours if source is theirs else theirs).sendall(content)
                    self._stopped.wait(0.05 if is_slow else 0)

    def stop(self):
        self._stopped.set()
        for thread in self._threads:
            thread.join(PATIENCE_S)
        self._listening.close()


@pytest.fixture
def relay(postgres):
    relay = Relay(postgres.port)
    yield relay
    relay.stop()


def test_answers_that_drip_through_a_proxy_are_left_in_time_and_the_store_is_read_again_after(
    database, postgres, relay, logged, monkeypatch
):
    run = logged(*ROWS)
    uri = database.replace(f":{postgres.port}/", f":{relay.port}/")
    store = open_store(uri)
    seen = store.points([run])
    monkeypatch.setattr(postgres_calls, "ANSWER_S", 0.5)
    monkeypatch.setattr(opening, "CHECK_S", 0.5)
    relay.drips.set()
    for ask in (store.runs, lambda: PostgresCalls(uri).ask("SELECT 1 AS one"), lambda: open_store(uri)):
        with pytest.raises(BusyStoreError, match=r"did not answer within 0\.5 s"):
            ask()
    relay.drips.clear()
    monkeypatch.setattr(postgres_calls, "ANSWER_S", PATIENCE_S)
    assert_frame_equal(store.points([run]), seen)


def test_a_statement_that_waits_keeps_no_other_one_waiting(database):
    holder, calls = PostgresCalls(database), PostgresCalls(database)
    lock = "SELECT pg_advisory_lock(7)::text"
    holder.ask(lock)
    waiting = threading.Thread(target=calls.ask, args=(lock,))
    waiting.start()
    assert calls.ask("SELECT 1 AS one").rows() == [(1,)]
    assert waiting.is_alive()
    holder.close()
    waiting.join(PATIENCE_S)
    assert not waiting.is_alive()
    calls.close()


@pytest.mark.parametrize("asked_before", [0, 1])
def test_a_statement_that_fails_is_no_server_that_cannot_be_reached(database, asked_before):
    calls = PostgresCalls(database)
    for _ in range(asked_before):
        assert calls.ask("SELECT 1 AS one").rows() == [(1,)]
    for statement, said in (
        ("SELECT 1 / 0", "division by zero"),
        ("SELECT 'no connection'::integer", "invalid input syntax"),
    ):
        with pytest.raises(StoreError, match=f"could not be read: .*{said}") as caught:
            calls.ask(statement)
        assert type(caught.value) is StoreError
    calls.close()


def test_a_connection_that_the_server_ends_is_no_statement_that_fails(database):
    ended, calls = PostgresCalls(database), PostgresCalls(database)
    pid = ended.ask("SELECT pg_backend_pid()::bigint AS pid").item()
    calls.ask(f"SELECT pg_terminate_backend({pid})")
    with pytest.raises(UnreachableError, match="cannot be reached: "):
        ended.ask("SELECT 1 AS one")
    assert ended.ask("SELECT 1 AS one").rows() == [(1,)]
    ended.close()
    calls.close()


def change(postgres, database, statement):
    name = database.rpartition("/")[2]
    command = [postgres.bin / "psql", "-v", "ON_ERROR_STOP=1", "-d", name, "-c", statement]
    subprocess.run(command, check=True, capture_output=True, env=postgres.environment)


def test_what_is_null_in_the_tables_is_read_as_empty_and_odd_types_are_told(
    database, postgres, writer, logged
):
    run = logged(*ROWS)
    writer.set_tag(run, "note", "x")
    change(postgres, database, f"UPDATE tags SET value = NULL WHERE run_uuid = '{run}'")
    change(
        postgres,
        database,
        f"UPDATE runs SET name = NULL, status = NULL, start_time = NULL WHERE run_uuid = '{run}'",
    )
    change(
        postgres,
        database,
        f"UPDATE latest_metrics SET timestamp = NULL WHERE run_uuid = '{run}'",
    )
    store = open_store(database)
    assert store.runs().filter(pl.col("run_id") == run).select("name", "status").row(0) == ("", "")
    assert store.tags([run]).filter(pl.col("key") == "note")["value"].to_list() == [""]
    assert store.points([run]).height == 5
    change(postgres, database, f"UPDATE runs SET status = 'FINISHED' WHERE run_uuid = '{run}'")
    retyped = "ALTER TABLE runs ALTER start_time TYPE {} USING start_time::{}"
    change(postgres, database, retyped.format("text", "text"))
    try:
        change(postgres, database, f"UPDATE runs SET start_time = 'soon' WHERE run_uuid = '{run}'")
        with pytest.raises(StoreError, match="soon"):
            store.runs()
    finally:
        change(postgres, database, f"UPDATE runs SET start_time = '0' WHERE run_uuid = '{run}'")
        change(postgres, database, retyped.format("bigint", "bigint"))
        # Other tests read the same database through MLflow's client, which takes none of this.
        change(postgres, database, f"UPDATE latest_metrics SET timestamp = 0 WHERE run_uuid = '{run}'")
        change(postgres, database, f"UPDATE tags SET value = '' WHERE run_uuid = '{run}' AND value IS NULL")
        change(postgres, database, f"UPDATE runs SET name = 'odd' WHERE run_uuid = '{run}'")
