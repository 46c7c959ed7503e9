"""A store that asks for a password: it is never on disk, and the environment gives it to a later shipper."""

import os
import signal
import sys
from contextlib import suppress
from urllib.parse import quote

import psycopg

from grokscope.collectors.recording.ship import __main__ as program
from grokscope.collectors.recording.ship import backlogs
from grokscope.collectors.recording.ship.service import Service
from grokscope.collectors.recording.sink import open_sink
from grokscope.collectors.recording.spool import read_meta
from grokscope.schemas.secrets import without_credentials


def test_points_left_behind_reach_postgresql_once_the_environment_gives_the_password(
    new_spool, postgres, tmp_path, monkeypatch
):
    home, shown = tmp_path / "home", without_credentials(postgres.uri)
    folder, _, writer = new_spool(store=shown)
    for step in range(5):
        writer.points(step, 1000, {"m": float(step)})
    writer.close({"event": "end", "status": "FINISHED", "time_ms": 9000})
    (waiting,) = backlogs(home)
    assert (
        "if it asks for a password, set MLFLOW_TRACKING_URI to its whole address"
        in waiting.overdue_message(30)
    )
    assert postgres.password not in waiting.overdue_message(30)
    run = Service.run
    monkeypatch.setattr(Service, "run", lambda service: run(service, idle_seconds=0.0))
    for name, value in {**program.MLFLOW_SETTINGS, "MLFLOW_TRACKING_URI": postgres.uri}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["ship", "--home", str(home), "--store", shown])
    assert read_meta(folder).store == shown
    child = os.fork()  # its connections end with it, and the server can go
    if child == 0:
        os._exit(program.main())
    assert os.waitpid(child, 0)[1] == 0
    with psycopg.connect(postgres.uri.replace("+psycopg", "")) as connection:
        stored = connection.execute(
            "select step, value from metrics where key = 'm' order by step"
        ).fetchall()
    assert stored == [(step, float(step)) for step in range(5)]
    texts = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
    assert not [text for text in texts if postgres.password.encode() in text]


def test_no_part_of_a_password_is_in_an_argument_or_on_disk_whatever_characters_it_has(
    postgres, tmp_path, monkeypatch, command_lines, wait_until
):
    """And the names in a database are shorter than MLflow's own checks allow."""
    password, home = "Sl/ash%At@Ques?Hash#Amp&Is=End", tmp_path / "home"
    plain = postgres.uri.replace("+psycopg", "")
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"create role odd superuser login password '{password}'")
    monkeypatch.setenv("GROKSCOPE_HOME", str(home))
    typed = quote(password, safe="/?#&=")  # as SQLAlchemy takes it
    store = f"postgresql+psycopg://odd:{typed}@127.0.0.1:{postgres.port}/{postgres.database}"
    sink = open_sink("odd", store=store, experiment="e" * 300, name="n" * 400, params={"lr": "1"})
    sink.points(0, 1000, {"odd": 0.5})
    sink.end("FINISHED", 2000)
    seen: dict[int, list[str]] = {}
    wait_until(lambda: seen.update(command_lines()) or not sink.folder.exists())
    words = {"grokscope.collectors.recording.ship", str(home)}
    shippers = [pid for pid, arguments in seen.items() if words <= {*arguments}]
    assert shippers
    for pid in shippers:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)  # its connections would keep the server
    with psycopg.connect(plain) as connection:
        query = (
            "select value, status, length(r.name), length(e.name) from metrics join runs r using (run_uuid) "
        )
        query += "join experiments e using (experiment_id) where key = 'odd'"
        assert connection.execute(query).fetchall() == [(0.5, "FINISHED", 250, 256)]
    texts = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
    assert len(texts) > 3
    parts = [b"Sl/ash", b"Sl%2Fash", b"ash%", b"At@Q", b"At%40Q", b"Ques?", b"Ques%3F", b"Hash", b"Amp&Is"]
    assert [part for part in parts for text in (*texts, str(seen).encode()) if part in text] == []
