"""A store that asks for a password: it is never on disk, and the environment gives it to a later shipper."""

import os
import sys

import psycopg

from grokscope.collectors.ship import __main__ as program
from grokscope.collectors.ship import backlogs
from grokscope.collectors.ship.service import Service
from grokscope.collectors.spool import read_meta
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
    assert "if it asks for a password, set MLFLOW_TRACKING_URI to its whole address" in waiting.complaint(30)
    assert postgres.password not in waiting.complaint(30)
    run = Service.run
    monkeypatch.setattr(Service, "run", lambda service: run(service, idle_seconds=0.0))
    for name, value in {**program.PATIENCE, "MLFLOW_TRACKING_URI": postgres.uri}.items():
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
