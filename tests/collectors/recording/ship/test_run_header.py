"""What a run is besides its points: whatever of it MLflow does not take costs only itself, and is told."""

import json

import pytest
from mlflow.entities import ViewType

from grokscope.collectors.recording.ship.delivery.delivery import Delivery
from grokscope.collectors.recording.ship.lock import ShipLock
from grokscope.collectors.recording.ship.mlflow.run_store import MlflowRunStore
from grokscope.collectors.recording.ship.service import Service
from grokscope.collectors.recording.sink import open_sink

END = {"event": "end", "status": "FINISHED", "time_ms": 9000}


def deliver(folder, meta, tmp_path) -> list[dict]:
    """Deliver a spool in a few calls; return what was refused."""
    dead = tmp_path / "dead.jsonl"
    delivery = Delivery(folder, meta, run_store=MlflowRunStore(meta.store), dead_letters=dead)
    for _ in range(5):
        if not delivery.is_done:
            delivery.advance()
    assert delivery.is_done
    assert not folder.exists()
    return [json.loads(line) for line in dead.read_text().splitlines()] if dead.exists() else []


def only_run(client):
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    (run,) = client.search_runs(experiments, run_view_type=ViewType.ALL)
    return run


ODD = {
    "experiment-without-a-name": ({"experiment": ""}, "no experiment without a name"),
    "long-experiment": ({"experiment": "e" * 600}, "MLflow takes 256 characters"),
    "long-name": ({"name": "n" * 400}, "MLflow takes 250 characters"),
    "long-value": ({"params": {"lr": "0.1", "text": "v" * 7000}}, "MLflow takes 6000 characters"),
    "bad-param": ({"params": {"lr": "0.1", "a<b": "1"}}, "Names may only contain"),
    "long-param": ({"params": {"lr": "0.1", "p" * 251: "1"}}, "exceeds the maximum length"),
    "bad-tag": ({"tags": {"a<b": "1", "mine": "2"}}, "Names may only contain"),
    "long-tag": ({"tags": {"mine": "t" * 9000}}, "MLflow takes 8000 characters"),
    "surrogates": ({"name": "a\ud800", "params": {"lr": "0.1", "odd": "\udcff\0"}}, None),
    "start": ({"start_ms": 2**70}, None),
}


@pytest.mark.parametrize("name", ODD)
def test_a_part_of_a_run_that_mlflow_does_not_take_costs_only_itself(new_spool, client, tmp_path, name):
    changes, why = ODD[name]
    plain = {"experiment": "e", "params": {"lr": "0.1"}}
    folder, meta, writer = new_spool()
    meta = type(meta)(**{f: getattr(meta, f) for f in meta.__slots__} | plain | changes)
    for step in range(3):
        writer.points(step, 1000, {"m": float(step)})
    writer.close(END)
    refused = deliver(folder, meta, tmp_path)
    run = only_run(client)
    assert (run.data.metrics, run.info.status) == ({"m": 2.0}, "FINISHED")
    assert run.data.params["lr"] == "0.1"
    assert ("mine" in run.data.tags) == ("tag" in name)
    if why is None:
        assert refused == []
    else:
        assert [why in letter["why"] for letter in refused] == [True]
        assert run.data.tags["grokscope.refused"].startswith("1; the last: ")


def test_a_param_that_a_later_attempt_changes_is_told_and_stays_as_it_was(new_spool, client, tmp_path):
    params = {f"p{n}": "1" for n in range(150)}
    for attempt, lr in ((1, "0.1"), (2, "0.2")):
        new = {"later": "yes"} if attempt == 2 else {}
        folder, meta, writer = new_spool(attempt=attempt, start_ms=attempt, params=params | new | {"lr": lr})
        writer.points(attempt, 1000, {"m": 1.0})
        writer.close(END)
        refused = deliver(folder, meta, tmp_path)
    ((key, value),) = [(letter["key"], letter["value"]) for letter in refused]
    assert (key, value) == ("lr", "0.2")
    assert only_run(client).data.params == params | {"lr": "0.1", "later": "yes"}


ENDS = {
    "SUCCESS": ("FAILED", "not as 'SUCCESS'"),
    "RUNNING": ("FAILED", "not as 'RUNNING'"),
    "SCHEDULED": ("FAILED", "not as 'SCHEDULED'"),
    "": ("FAILED", "not as ''"),
    "killed": ("KILLED", None),
}


@pytest.mark.parametrize("told", ENDS)
def test_a_run_ends_whatever_end_is_told_of_it(new_spool, client, tmp_path, told):
    status, why = ENDS[told]
    folder, meta, writer = new_spool()
    writer.points(0, 4000, {"m": 1.0})
    writer.close({"event": "end", "status": told, "time_ms": 9000})
    refused = deliver(folder, meta, tmp_path)
    run = only_run(client)
    assert (run.info.status, run.info.end_time, run.data.metrics) == (status, 9000, {"m": 1.0})
    if why is not None:
        assert why in refused[0]["why"]
        assert why in run.data.tags["grokscope.refused"]
    else:
        assert refused == []


def test_an_experiment_s_artifacts_stay_beside_the_store_whatever_its_name(
    store, client, new_spool, tmp_path
):
    for number, name in enumerate(("/etc", "../../up", "a/../../../b")):
        _, meta, _ = new_spool(f"run-{number}", experiment=name)
        MlflowRunStore(store).open_run(meta)
        place = client.get_experiment_by_name(name).artifact_location
        assert place.startswith((tmp_path / "mlartifacts").as_uri() + "/")
        assert ".." not in place


def test_what_was_refused_is_told_when_the_run_is_closed_and_on_the_run(
    store, client, tmp_path, monkeypatch, capsys
):
    home = tmp_path / "home"
    monkeypatch.setenv("GROKSCOPE_HOME", str(home))
    shipping = ShipLock(home, store)  # no other process is started to ship
    assert shipping.acquire()
    sink = open_sink("run-a", store=store, experiment="e", name="n", params={})
    for step in range(3):
        sink.points(step, 1000, {"good": 1.0} | ({f"a<\x1b[31m{step}": 1.0} if step < 2 else {}))
    sink.end("FINISHED", 9000)
    assert Service(home, store, run_store=MlflowRunStore(store)).run(idle_seconds=0.0)
    assert sink.wait_shipped(5) == 0
    said = capsys.readouterr().err
    assert "of run run-a the store refused 2 records" in said
    assert str(home / "dead" / "run-a.jsonl") in said
    assert "Names may only contain" in said
    assert "\x1b" not in said
    run = only_run(client)
    assert run.data.tags["grokscope.refused"].startswith("2; the last: Invalid value")
    assert (run.data.metrics, run.info.status) == ({"good": 1.0}, "FINISHED")
    shipping.release()


def test_a_shipper_that_is_killed_while_it_keeps_dead_letters_has_each_record_once(
    new_spool, client, store, tmp_path
):
    folder, meta, writer = new_spool()
    for step in range(4):
        writer.points(step, 1000, {"good": 1.0, "../bad": 1.0})
    writer.close(END)
    dead = tmp_path / "dead.jsonl"
    first = Delivery(folder, meta, run_store=MlflowRunStore(store), dead_letters=dead)
    while (
        not dead.exists() or len(dead.read_text().splitlines()) < 3
    ):  # and then it dies, before it has noted how far it came
        first.advance()
    lines = dead.read_text().splitlines(keepends=True)
    dead.write_text("".join(lines[:2]) + lines[2][:30])
    again = Delivery(folder, meta, run_store=MlflowRunStore(store), dead_letters=dead)
    while not again.is_done:
        again.advance()
    now = [line for line in dead.read_text().splitlines() if line != lines[2][:30]]
    assert [json.loads(line)["step"] for line in now] == [0, 1, 2, 3]
    assert only_run(client).data.tags["grokscope.refused"].startswith("4; ")


def test_what_failed_of_the_evaluations_is_a_tag_of_the_run(new_spool, client, tmp_path):
    folder, meta, writer = new_spool()
    writer.points(0, 1000, {"m": 1.0})
    writer.close(
        END | {"failed": "3 evaluations failed: the split 'valid' could not be measured (KeyError())"}
    )
    assert deliver(folder, meta, tmp_path) == []
    run = only_run(client)
    assert run.data.tags["grokscope.failed"].startswith("3 evaluations failed: the split 'valid'")
    assert (run.data.metrics, run.info.status) == ({"m": 1.0}, "FINISHED")


def test_a_run_that_is_withdrawn_is_deleted_and_others_stay(new_spool, client, tmp_path):
    for run_id, more in (("run-a", {}), ("run-b", {"withdrawn": True})):
        folder, meta, writer = new_spool(run_id)
        writer.points(0, 1000, {"m": 1.0})
        writer.close(END | more)
        assert deliver(folder, meta, tmp_path) == []
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    assert [run.info.run_name for run in client.search_runs(experiments)] == ["run-a"]
