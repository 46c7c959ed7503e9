"""Each thing that can be wrong with a store, brought about for real, is told apart by its own error."""

import base64
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from grokscope.store import (
    AccessError,
    BusyStoreError,
    CorruptStoreError,
    MissingStoreError,
    NotMLflowError,
    SchemaError,
    ServerFailedError,
    StoreError,
    UnknownStoreError,
    UnreachableError,
    open_store,
)
from grokscope.store.rest import calls as rest_calls
from grokscope.store.sqlite import schema as sqlite_schema


def sentence(uri):
    with pytest.raises(StoreError) as caught:
        open_store(uri)
    return type(caught.value), str(caught.value)


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("runs.db", "'runs.db' is not the address of a store. Did you mean sqlite:///runs.db?"),
        ("./mlruns", "'./mlruns' is not the address of a store."),
        ("", "'' is not the address of a store."),
        ("file:///data/mlruns", "'file:///data/mlruns' is a folder store, which MLflow 3 no longer opens."),
        ("ftp://me:secret@host", "'ftp://host' has the unknown scheme 'ftp'."),
        ("sqlite://", "'sqlite://' names no file."),
        ("sqlite:///:memory:", "'sqlite:///:memory:' names no file."),
    ],
)
def test_text_that_is_no_address_of_a_store_is_answered_with_those_that_are(uri, said):
    kind, message = sentence(uri)
    assert kind is UnknownStoreError
    assert message.startswith(said)


def test_a_file_that_is_not_there_is_missing_and_is_not_created(tmp_path):
    kind, message = sentence(f"sqlite:///{tmp_path}/none.db")
    assert kind is MissingStoreError
    assert message.startswith(f"there is no store at {tmp_path}/none.db. ")
    assert list(tmp_path.iterdir()) == []


def test_a_text_file_and_a_folder_are_no_databases(tmp_path):
    (tmp_path / "text.db").write_text("not a database at all " * 50)
    assert sentence(f"sqlite:///{tmp_path}/text.db")[0] is CorruptStoreError
    assert sentence(f"sqlite:///{tmp_path}")[0] is CorruptStoreError


def test_a_truncated_file_is_corrupt(file):
    file.write_bytes(file.read_bytes()[:5000])
    assert sentence(f"sqlite:///{file}")[0] is CorruptStoreError


def test_damage_that_shows_only_while_reading_is_corrupt_too(file):
    store = open_store(f"sqlite:///{file}")
    with file.open("r+b") as damaged:
        damaged.write(b"\0" * 4096)
    with pytest.raises(CorruptStoreError):
        store.runs()


def test_a_database_of_something_else_is_not_mlflows_and_is_left_as_it_was(tmp_path):
    path = tmp_path / "shop.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE orders (id INTEGER)")
    connection.close()
    before = path.read_bytes()
    kind, message = sentence(f"sqlite:///{path}")
    assert kind is SchemaError
    assert "found orders. Point --store at an MLflow store." in message
    assert path.read_bytes() == before


def test_tables_of_an_older_mlflow_that_its_client_refuses_too_say_how_to_upgrade(file):
    connection = sqlite3.connect(file)
    connection.execute("ALTER TABLE metrics RENAME COLUMN is_nan TO was_nan")
    connection.execute("UPDATE alembic_version SET version_num = '451aebb31d03'")
    connection.commit()
    connection.close()
    before = file.read_bytes()
    kind, message = sentence(f"sqlite:///{file}")
    assert kind is SchemaError
    assert message == (
        f"{file} is a store of an MLflow before 1.29 (schema 451aebb31d03) and cannot be read: its table "
        "metrics lacks is_nan. To upgrade it, stop what writes to it, make a copy, and run 'grokscope up "
        f"--store sqlite:///{file} --upgrade-store' (or `mlflow db upgrade` with its address); clients and "
        "servers of the older version then fail."
    )
    assert file.read_bytes() == before


def test_a_table_that_lacks_a_column_is_read_by_mlflows_client_and_says_so(file, monkeypatch):
    needed = {**sqlite_schema._NEEDED, "tags": {"key", "colour"}}
    monkeypatch.setattr(sqlite_schema, "_NEEDED", needed)
    store = open_store(f"sqlite:///{file}")
    assert store.notice is not None
    assert store.notice.endswith("its table tags lacks colour, so it is of another MLflow version.")
    assert store.experiments().rows() == [("0", "Default", 0, None)]


def test_a_store_that_mlflow_is_just_making_is_left_to_it_and_read_directly_soon_after(tmp_path):
    path = tmp_path / "mlflow.db"
    making = f"from mlflow import MlflowClient; MlflowClient('sqlite:///{path}').search_experiments()"
    child = subprocess.Popen([sys.executable, "-c", making], stderr=subprocess.DEVNULL)
    met = set()
    while child.poll() is None:
        try:
            open_store(f"sqlite:///{path}").close()
        except StoreError as error:
            met.add(type(error))
    assert child.returncode == 0
    assert met >= {MissingStoreError, BusyStoreError}
    assert open_store(f"sqlite:///{path}").notice is None


def test_a_port_where_nobody_listens_is_unreachable():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{free.getsockname()[1]}"
    kind, message = sentence(uri)
    assert kind is UnreachableError
    assert message.startswith(f"nobody answers at {uri} (")
    assert "refused" in message


def test_a_driver_that_does_not_exist_is_told_as_such():
    kind, message = sentence("postgresql+nodriver://ann:secret@127.0.0.1:1/mlflow")
    assert kind is UnknownStoreError
    assert "postgresql.nodriver" in message


def test_a_database_server_where_nobody_listens_is_unreachable_and_hides_the_password():
    kind, message = sentence("postgresql+psycopg://ann:secret@127.0.0.1:1/mlflow")
    assert kind is UnreachableError
    assert "secret" not in message


@contextmanager
def answering(status, body, kind="text/html", headers=()):
    class Handler(BaseHTTPRequestHandler):
        def _answer(self):
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self.send_response(status)
            self.send_header("content-type", kind)
            for header in headers:
                self.send_header(*header)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _answer  # noqa: N815 -- http.server asks for these names

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "body", "kind", "error"),
    [
        (200, b"<html>Sign in</html>", "text/html", NotMLflowError),
        (404, b"<html>Not found</html>", "text/html", NotMLflowError),
        (404, b'{"detail": "Not Found"}', "application/json", NotMLflowError),
        (200, b'{"hello": "world"}', "application/json", NotMLflowError),
        (200, b"[]", "application/json", NotMLflowError),
        (401, b"You are not authenticated", "text/plain", AccessError),
        (403, b"Invalid Host header", "text/plain", AccessError),
        (429, b"slow down", "text/plain", BusyStoreError),
        (500, b"oops", "text/plain", ServerFailedError),
        (503, b"<html>proxy</html>", "text/html", ServerFailedError),
    ],
)
def test_a_server_that_answers_otherwise_than_mlflow_is_told_apart(status, body, kind, error):
    # A server that says "come back in ten minutes" must not stop the dashboard for ten minutes.
    with answering(status, body, kind, headers=[("retry-after", "600")]) as uri:
        assert sentence(uri)[0] is error


@contextmanager
def guarded(server, user, password):
    """Put a proxy before a server that lets in whoever has the password, as teams do."""
    expected = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        def _pass_on(self):
            content = self.rfile.read(int(self.headers.get("content-length", 0))) or None
            if self.headers.get("authorization") != expected:
                return self._answer(401, b"You are not authenticated", "text/plain")
            asked = urllib.request.Request(server + self.path, content, method=self.command)
            asked.add_header("content-type", self.headers.get("content-type", "application/json"))
            with urllib.request.urlopen(asked, timeout=60) as answer:
                return self._answer(answer.status, answer.read(), "application/json")

        def _answer(self, status, body, kind):
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _pass_on  # noqa: N815 -- http.server asks for these names

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{proxy.server_address[1]}"
        proxy.shutdown()


def test_a_server_behind_a_password_is_read_with_mlflows_own_variables_and_refused_without(
    server, new_run, log, reference, monkeypatch
):
    run = new_run()
    log(run, ("m", 1, 1, 0.5), ("m", 2, 2, 0.75))
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ann")
    with guarded(server, "ann", "open sesame") as uri:
        for password in (None, "guess"):
            if password:
                monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", password)
            kind, message = sentence(uri)
            assert kind is AccessError
            assert "MLFLOW_TRACKING_PASSWORD" in message
            assert "guess" not in message
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "open sesame")
        store = open_store(uri)
        assert_frame_equal(store.points([run]), reference([run]))
        log(run, ("m", 3, 3, 1.0))
        assert_frame_equal(store.points([run]), reference([run]))
        monkeypatch.delenv("MLFLOW_TRACKING_PASSWORD")  # as a token that expires
        with pytest.raises(AccessError):
            store.runs()


def test_a_server_that_accepts_and_never_answers_is_busy_after_the_time_limit(monkeypatch):
    monkeypatch.setattr(rest_calls, "TIMEOUT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        kind, message = sentence(f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert kind is BusyStoreError
    assert "did not answer within 0.3 s" in message


def test_a_store_that_lost_its_file_says_so_and_goes_on_when_the_file_is_back(file):
    store = open_store(f"sqlite:///{file}")
    away = Path(shutil.move(file, file.with_suffix(".away")))
    with pytest.raises(MissingStoreError):
        store.runs()
    shutil.move(away, file)
    assert store.runs().is_empty()
