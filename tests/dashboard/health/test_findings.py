import os
import time
from dataclasses import replace

import pytest

from grokscope.dashboard.health.machine import QUIET_S, machine_findings
from grokscope.dashboard.health.runs import (
    DEAR,
    cost_findings,
    import_findings,
    loss_findings,
    verdict_findings,
    version_findings,
    worst_first,
)
from grokscope.dashboard.health.store import SLOW_S, store_findings
from grokscope.dashboard.state.session import StoreSession
from grokscope.dashboard.tables.live.readings import COSTS, last_readings
from grokscope.store.findings import Finding, Health
from grokscope.transitions.events.records import VERSION


def looked(findings):
    return {finding.subject: (finding.health, finding.says) for finding in findings}


@pytest.fixture(scope="module")
def store(new_training, tmp_path_factory, curves):
    """Runs with what a page on health has to tell."""
    training = new_training(tmp_path_factory.mktemp("health") / "mlflow.db")
    experiment = training.experiment("health")
    cheap = [("collector/seconds", 1.0, 1), ("collector/share", 0.01, 1), ("collector/share", 0.02, 2)]
    dear = [("collector/seconds", 90.0, 1), ("collector/share", 0.3, 1), ("collector/skipped", 4.0, 1)]
    runs = {
        "well": training.run(experiment, "well", [*curves(groks=True), *cheap]),
        "dear": training.run(experiment, "dear", [*curves(groks=False, until=100), *dear]),
        "no scores": training.run(experiment, "no scores", [("weights", 1.0, 0)]),
        "short": training.run(experiment, "short", [("train/accuracy", 0.1, 0), ("test/accuracy", 0.1, 0)]),
        "starts": training.run(experiment, "starts", [], status="RUNNING"),
        "silent": training.run(experiment, "silent", [], status="RUNNING", age_s=900),
        "dropped": training.run(experiment, "dropped", [("collector/dropped", 3.0, 1)]),
    }
    tags = {
        "well": {"grokscope.detector": f"grokscope {VERSION}"},
        "dear": {"grokscope.detector": "grokscope 0.0.1", "grokscope.damage": "20 bytes could not be read"},
        "short": {
            "grokscope.import.kind": "csv",
            "grokscope.import.source": "https://ann:canary@host/log.csv",
            "grokscope.import.notes": "lines count its steps",
        },
        "no scores": {"grokscope.import.kind": "wandb"},
    }
    for name, own in tags.items():
        for key, value in own.items():
            training.client.set_tag(runs[name], key, value)
    return training, runs


@pytest.fixture(scope="module")
def session(store):
    return StoreSession(store[0].uri)


@pytest.fixture(scope="module")
def snapshot(session):
    return session.snapshot("health")


@pytest.fixture(scope="module")
def readings(session, snapshot):
    return last_readings(session.points(snapshot.runs["run_id"].to_list(), COSTS))


def test_verdicts_of_another_detector_are_told_from_those_of_this_one(snapshot):
    said = looked(version_findings(snapshot))
    assert said[f"grokscope {VERSION}"] == (Health.OK, "1 run; it is the one installed here")
    assert said["grokscope 0.0.1"][0] is Health.WARN
    assert said["none"][1].startswith("5 runs without a verdict in the store")


def test_each_run_without_a_verdict_says_why(snapshot):
    said = looked(verdict_findings(snapshot))
    assert said["no scores"] == (
        Health.WARN,
        "nothing that it logged is read as a loss, an accuracy or another score",
    )
    assert said["starts"] == (Health.OK, "no loss, accuracy or other score is logged yet")
    assert said["short"][0] is Health.WARN
    assert "well" not in said


def test_what_is_lost_is_told_by_tags_and_by_the_collectors_own_count(snapshot, readings):
    said = looked(loss_findings(snapshot, readings))
    assert said["dear"] == (Health.FAIL, "of what it had written, 20 bytes could not be read")
    assert said["dropped"] == (Health.FAIL, "the disk of its trainer could not take 3 points")
    assert said["silent"][0] is Health.WARN
    assert set(said) == {"dear", "dropped", "silent"}


def test_the_cost_of_measuring_is_its_last_reading_the_dearest_first(snapshot, readings):
    found = list(cost_findings(snapshot, readings))
    assert [(f.subject, f.health, f.says) for f in found] == [
        ("dear", Health.WARN, "90 s, 30 % of its time, 4 costly readings skipped to keep to the budget"),
        ("well", Health.OK, "1 s, 2.0 % of its time"),
    ]
    assert 0.02 < DEAR < 0.3


def test_notes_of_imports_are_told_without_credentials(snapshot):
    said = looked(import_findings(snapshot))
    assert said["short"] == (Health.WARN, "csv from https://host/log.csv: lines count its steps")
    assert said["no scores"] == (Health.OK, "wandb: nothing to be said")


def test_a_store_that_answers_says_how_fast_and_what_is_held(session, snapshot):
    state = session.store_state(["health"])
    said = looked(store_findings(state, snapshot))
    assert said["answer"] == (Health.OK, "it could be read at the last try")
    assert said["address"][1].endswith(", a SQLite file")
    assert said["mirror on disk"][1].startswith(("none yet", "1", "2", "3", "4", "5", "6", "7", "8", "9"))
    assert state.points == snapshot.curves.height
    slow = looked(store_findings(replace(state, took_s=2 * SLOW_S), snapshot))
    assert slow["last reading"][0] is Health.WARN


def test_a_store_that_cannot_be_read_is_wrong_and_what_hangs_on_it_cannot_be_told(tmp_path):
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"this is not a database" * 100)
    session = StoreSession(f"sqlite:///{broken}")
    snapshot = session.snapshot(None)
    said = looked(store_findings(session.store_state([]), snapshot))
    assert said["answer"][0] is Health.FAIL
    assert said["way of reading"][1].startswith("cannot tell")
    assert said["last reading"][1].startswith("cannot tell")


def test_an_address_is_shown_without_its_password():
    state = StoreSession("postgresql://ann:canary@127.0.0.1:1/mlflow").store_state([])
    assert "canary" not in repr(state)


def test_a_machine_where_nobody_trained_has_nothing_to_send(tmp_path):
    said = looked(machine_findings(tmp_path / "none", now_s=time.time()))
    assert said["points to be sent"] == (Health.OK, "none: no run of this machine waits")
    assert said["refused by a store"][0] is Health.OK
    assert not (tmp_path / "none").exists()


def test_spools_of_runs_at_work_are_told_from_those_that_were_left(tmp_path):
    tmp_path.chmod(0o700)
    for name in ("a", "b"):
        folder = tmp_path / "spool" / name
        folder.mkdir(parents=True, mode=0o700)
        (folder / "meta.json").write_text("{}")
        (folder / "000000.seg").write_bytes(b"x" * 2048)
    (tmp_path / "spool").chmod(0o700)
    now = time.time()
    said = looked(machine_findings(tmp_path, now_s=now))
    assert said["points to be sent"] == (Health.OK, "2 runs at work here send points")
    for file in (tmp_path / "spool" / "b").iterdir():
        os.utime(file, (now - 2 * QUIET_S, now - 2 * QUIET_S))
    health, says = looked(machine_findings(tmp_path, now_s=now))["points to be sent"]
    assert (health, says) == (Health.WARN, "1 run left 2.0 KiB, the first 10 min ago")


def test_refused_records_are_counted(tmp_path):
    (tmp_path / "dead").mkdir(mode=0o700)
    (tmp_path / "dead" / "run.jsonl").write_text('{"why": "no"}\n{"why": "no"}\n')
    health, says = looked(machine_findings(tmp_path, now_s=time.time()))["refused by a store"]
    assert health is Health.FAIL
    assert says.startswith("2 records of 1 run, kept in ")


def test_a_home_that_others_can_write_cannot_be_told(tmp_path):
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool").chmod(0o777)
    health, says = looked(machine_findings(tmp_path, now_s=time.time()))["points to be sent"]
    assert health is Health.WARN
    assert says.startswith("cannot tell")


def test_the_worst_stand_first_and_keep_their_order():
    findings = [Finding(subject=str(i), health=h, says="") for i, h in enumerate([*Health, *Health])]
    assert [f.subject for f in worst_first(findings)] == ["2", "5", "1", "4", "0", "3"]
