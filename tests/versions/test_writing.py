"""Nobody migrates a store unasked: points wait on disk, writers are refused, an upgrade says what it does."""

import re
import subprocess
import sys
from pathlib import Path

import mlflow
import pytest
from alembic.script import ScriptDirectory

from grokscope.collectors.recording.ship.mlflow.run_store import MlflowRunStore
from grokscope.collectors.recording.ship.run_store import Ending, OtherVersion, Scalar
from grokscope.collectors.recording.spool import Meta, SpoolWriter, WriterLock, prepare_spool, publish_spool
from grokscope.schemas import Verdict, release_of, revision_of
from grokscope.schemas.mlflow_versions import installed_revisions
from grokscope.schemas.verdicts.verdict import Pattern
from grokscope.store import SchemaError, open_store
from grokscope.store.mlflow_client.transport import ClientTransport

REPOSITORY = Path(__file__).parents[2]
SAID = {
    "2.22.5": "clients and servers of the older version then fail. Nothing is written to it. To upgrade it",
    "3.18.0": "does not know, so nothing is written to it. Install that version of MLflow here",
}
TRAINER = """
import json, sys, time
from pathlib import Path
from grokscope.collectors import Tracker
from grokscope.schemas import home
tracker = Tracker(experiment="e", store=sys.argv[1], config={"lr": 0.1})
for step in range(5):
    tracker.log(step, {"train/loss": 1.0 / (step + 1)})
deadline = time.monotonic() + 60
while time.monotonic() < deadline:  # a short training may end before anybody has looked at the store
    if any(json.loads(p.read_text())["state"] == "other version" for p in (home() / "ship").glob("*.json")):
        break
    time.sleep(0.05)
tracker.close()
"""


@pytest.fixture
def leave(grokscope, tmp_path):
    """Leave what a dead trainer has logged for a store: five points of an ended run."""

    def spool(uri, run_id):
        folder = publish_spool(
            prepare_spool(tmp_path / "home", Meta(run_id=run_id, store=uri, experiment="e", name="n"))
        )
        WriterLock(folder).release()
        writer = SpoolWriter(folder)
        for step in range(5):
            writer.points(step, 1000 + step, {"train/loss": 1.0})
        writer.close({"event": "end", "status": "FINISHED", "time_ms": 2000})

    return spool


def test_a_tracker_leaves_an_older_store_as_it_is_and_says_why(store_of, grokscope, tmp_path):
    uri, file, _ = store_of("2.22.5")
    before = file.read_bytes()
    command = [sys.executable, "-c", TRAINER, uri]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path, timeout=120)
    assert done.returncode == 0
    assert done.stderr.count(f"{uri} is a store of MLflow 2.18 to 2.22 (schema 0584bdc529eb), which ") == 1
    assert SAID["2.22.5"] in done.stderr
    assert "5 points or more have not reached" in done.stderr
    assert file.read_bytes() == before


@pytest.mark.parametrize("version", SAID)
def test_sync_and_doctor_say_why_points_for_a_store_of_another_version_wait(
    version, store_of, leave, grokscope, findings
):
    uri, file, _ = store_of(version)
    before = file.read_bytes()
    leave(uri, "left")
    status, _, said = grokscope("sync")
    expected = f"{uri} is a store of {release_of(revision_of(uri))}, which "
    assert (status, said.count(expected)) == (2, 1)
    assert SAID[version] in said
    assert "grokscope: 5 points wait on disk and none is lost: sqlite:" in said
    found = findings(uri)
    assert "which reads it and writes nothing to it" in found["version"]["says"]
    assert expected in found["version"]["remedy"]
    assert found["spools"]["health"] == "warn"
    assert file.read_bytes() == before


def test_an_upgrade_that_was_asked_for_says_what_it_does_keeps_a_copy_and_ships(
    store_of, written, leave, grokscope, call
):
    uri, file, run = store_of("2.22.5")
    leave(uri, "older")
    leave(f"sqlite:///{written('3.18.0')}", "newer")  # what cannot be sent does not keep the rest
    found = revision_of(uri)
    kept = file.with_name(f"mlflow.db.before-upgrade-from-{found}")
    status, _, said = grokscope("sync", "--upgrade-store")
    assert status == 2
    assert (
        f"grokscope: {uri} is migrated from {release_of(found)} to the schema of the MLflow here; clients "
        f"and servers of the older version then fail; a copy from before is kept as {kept}\n"
    ) in said
    assert SAID["3.18.0"] in said
    assert "grokscope: 5 points wait on disk and none is lost: sqlite:" in said
    assert (revision_of(uri), revision_of(f"sqlite:///{kept}")) == (installed_revisions()[-1], found)
    store = open_store(uri)
    assert store.experiments()["name"].to_list() == ["e", "modular", "Default"]
    assert store.runs("modular")["run_id"].to_list() == [run]
    assert store.points(store.runs("e")["run_id"].to_list()).height == 5
    failed = call("2.22.5", "import sys, mlflow; mlflow.MlflowClient(sys.argv[1]).search_experiments()", uri)
    assert failed.returncode != 0


def test_up_upgrades_when_asked_and_refuses_what_it_cannot_upgrade(store_of, grokscope, written, tmp_path):
    newer = f"sqlite:///{written('3.18.0')}"
    status, _, said = grokscope("up", "--store", newer, "--upgrade-store", "--no-browser")
    assert (status, SAID["3.18.0"] in said) == (2, True)
    uri, file, _ = store_of("2.22.5")
    kept = file.with_name(f"mlflow.db.before-upgrade-from-{revision_of(uri)}")
    kept.write_text("mine")
    status, _, said = grokscope("up", "--store", uri, "--upgrade-store", "--no-browser")
    assert status == 2
    assert said.startswith(f"grokscope: {kept} is there already, where {file} is copied before ")
    assert kept.read_text() == "mine"


def write_points(uri, run):
    run_store = MlflowRunStore(uri)
    run_store.open_run(Meta(run_id="mine", store=uri, experiment="e", name="n"))


WRITERS = {
    "run_store": (OtherVersion, write_points),
    "role": (
        SchemaError,
        lambda uri, _: open_store(uri).set_alias("modular", name="loss", canonical="train/loss"),
    ),
    "verdict": (
        SchemaError,
        lambda uri, run: open_store(uri).write_verdict(Verdict(run=run, pattern=Pattern.MEMORIZATION)),
    ),
    "client": (SchemaError, lambda uri, _: ClientTransport(uri)),
}


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("version", SAID)
def test_no_writer_changes_a_store_of_another_version(version, writer, store_of):
    uri, file, run = store_of(version)
    before = file.read_bytes()
    error, write = WRITERS[writer]
    with pytest.raises(error, match=release_of(revision_of(uri)).partition(" (")[0]):
        write(uri, run)
    assert file.read_bytes() == before


def test_neither_a_demo_nor_an_import_begins_on_a_store_that_it_cannot_write_to(
    store_of, grokscope, tmp_path
):
    uri, file, _ = store_of("2.22.5")
    before = file.read_bytes()
    (tmp_path / "log.csv").write_text("step,loss\n1,0.5\n")
    for command in (("demo", "--headless"), ("import", str(tmp_path / "log.csv"))):
        status, _, said = grokscope(*command, "--store", uri)
        assert (status, SAID["2.22.5"] in said) == (2, True)
    assert file.read_bytes() == before


def test_points_reach_a_server_of_another_version(server):
    uri, _ = server
    run_store = MlflowRunStore(uri)
    run = run_store.open_run(Meta(run_id="mine", store=uri, experiment="e", name="n", params={"lr": "0.1"}))
    run_store.send(
        run, [Scalar("m", 0.5, 1, 1000), Scalar("m", 0.5, 1, 1000), Scalar("m", float("inf"), 2, 1001)]
    )
    run_store.heartbeat(run, 1002)
    run_store.end_run(run, Ending(status="FINISHED", time_ms=2000))
    store = open_store(uri)
    assert store.runs("e").select("run_id", "status", "end_ms").rows() == [(run, "FINISHED", 2000)]
    assert store.points([run]).select("step", "value").rows() == [(1, 0.5), (2, float("inf"))]


def test_mlflows_client_is_opened_in_two_places_which_both_ask_first():
    rooms = (REPOSITORY / "collectors", REPOSITORY / "dashboard")
    texts = {
        f"{path.parent.name}/{path.stem}": path.read_text() for room in rooms for path in room.rglob("*.py")
    }
    opening = {name: text for name, text in texts.items() if re.search(r"MlflowClient\(\w", text)}
    assert opening.keys() == {"mlflow/run_store", "mlflow_client/client"}
    asked = r"with first_open\(self._uri\):\n( {16}[^\n]*\n)* {16}client = MlflowClient\("
    assert re.search(asked, opening["mlflow/run_store"])
    assert opening["mlflow/run_store"].count("MlflowClient(self") == 1
    assert opening["mlflow_client/client"].index("    require_version(uri)\n") < opening[
        "mlflow_client/client"
    ].index("MlflowClient(t")


def test_the_order_of_versions_is_that_of_mlflow_s_own_scripts():
    folder = Path(mlflow.__file__).parent / "store" / "db_migrations"
    newest_first = [script.revision for script in ScriptDirectory(folder).walk_revisions()]
    assert list(installed_revisions()) == newest_first[::-1]
