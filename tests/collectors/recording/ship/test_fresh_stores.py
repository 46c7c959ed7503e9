"""SQLite stores that are opened for the first time, by many at once or again after a user deleted them."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing

from grokscope.collectors.recording.ship import ensure_shipper
from grokscope.collectors.recording.ship.mlflow.run_store import MlflowRunStore
from grokscope.collectors.recording.ship.run_store import Ending, Scalar
from grokscope.collectors.recording.spool import Meta


def test_eight_shippers_can_open_a_fresh_store_at_once(tmp_path):
    """MLflow's own set-up races with itself."""
    store = f"sqlite:///{tmp_path}/mlflow.db"
    begin, go = os.pipe()
    children = []
    for number in range(8):
        child = os.fork()
        if child == 0:
            try:
                os.close(go)
                os.read(begin, 1)  # all at once: it returns when the parent closes its end
                run_store = MlflowRunStore(store)
                run = run_store.open_run(Meta(run_id=f"r{number}", store=store, experiment="e", name="n"))
                run_store.send(run, [Scalar("m", float(number), 0, 1000)])
                run_store.end_run(run, Ending(status="FINISHED", time_ms=2000))
            except BaseException:  # noqa: BLE001 - the parent sees the status
                os._exit(1)
            os._exit(0)
        children.append(child)
    os.close(begin)
    os.close(go)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 8
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as connection:
        values = connection.execute("select value from metrics order by value").fetchall()
        ends = connection.execute("select status from runs").fetchall()
    assert values == [(float(number),) for number in range(8)]
    assert ends == [("FINISHED",)] * 8


def test_a_store_for_which_there_is_no_room_is_not_begun(tmp_path):
    """What MLflow leaves of a store that it could not finish, it never opens again."""
    store = f"sqlite:///{tmp_path}/mlflow.db"
    opened = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)); "
        "from grokscope.collectors.recording.ship.mlflow.run_store import MlflowRunStore; "
        "from grokscope.collectors.recording.spool import Meta; "
        f"MlflowRunStore({store!r}).open_run(Meta(run_id='r', store={store!r}, experiment='e', name='n'))"
    )
    refused = subprocess.run([sys.executable, "-c", opened], capture_output=True, text=True, check=False)
    assert refused.returncode == 1, refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == []
    MlflowRunStore(store).open_run(Meta(run_id="r", store=store, experiment="e", name="n"))
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as connection:
        assert connection.execute("select name from runs").fetchall() == [("n",)]


def test_a_store_that_is_deleted_under_its_shipper_is_made_anew(new_spool, tmp_path, store, wait_until):
    """The shipper of an earlier run still has the old file open, and MLflow would never let go of it."""
    database = tmp_path / "mlflow.db"
    for run_id in ("run-a", "run-b"):
        folder, _, writer = new_spool(run_id)
        writer.points(1, 1000, {"m": 0.5})
        writer.close({"event": "end", "status": "FINISHED", "time_ms": 2000})
        ensure_shipper(tmp_path / "home", store)
        wait_until(lambda folder=folder: not folder.exists())
        with closing(sqlite3.connect(database)) as connection:
            assert connection.execute("select name, status from runs").fetchall() == [(run_id, "FINISHED")]
        database.unlink()
