"""Records that a store refuses: each becomes a dead letter and costs none of the others."""

import json
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from mlflow.entities import ViewType

from grokscope.collectors.recording.ship import backlogs
from grokscope.collectors.recording.ship.delivery.dead_letters import (
    DeadLetters,
    dead_letters,
    letters_path,
)
from grokscope.collectors.recording.ship.delivery.delivery import Delivery
from grokscope.collectors.recording.ship.mlflow.run_store import MlflowRunStore
from grokscope.collectors.recording.ship.run_store import Refused
from grokscope.collectors.recording.ship.service import Service
from grokscope.collectors.recording.spool import Meta, SpoolWriter, WriterLock, prepare_spool, publish_spool


class Picky:
    """Takes a batch whole or not at all, as MLflow does, and refuses those that hold a poisoned step."""

    def __init__(self, poisoned) -> None:
        self.poisoned = poisoned
        self.taken: dict[int, None] = {}
        self.calls = 0

    def open_run(self, meta):
        return meta.run_id

    def send(self, run, scalars):
        self.calls += 1
        bad = self.poisoned & {s.step for s in scalars}
        if bad:
            raise Refused(f"bad: {min(bad)}")
        # What comes again is stored once, as in MLflow.
        self.taken |= {s.step: None for s in scalars}

    def describe(self, run, labels): ...

    def heartbeat(self, run, time_ms): ...

    def end_run(self, run, ending): ...


@given(st.sets(st.integers(0, 1099), max_size=12))
@settings(max_examples=40, deadline=None)
def test_of_a_batch_with_poison_all_the_rest_arrives_in_order(poisoned):
    home = Path(tempfile.mkdtemp())
    meta = Meta(run_id="r", store="s", experiment="e", name="n")
    folder = publish_spool(prepare_spool(home, meta))
    WriterLock(folder).release()
    writer = SpoolWriter(folder)
    for step in range(1100):
        writer.points(step, 1000, {"m": 1.0})
    writer.close({"event": "end", "status": "FINISHED", "time_ms": 9000})
    run_store = Picky(poisoned)
    delivery = Delivery(folder, meta, run_store=run_store, dead_letters=home / "dead" / "r.jsonl")
    while not delivery.is_done:
        delivery.advance()
    assert list(run_store.taken) == [step for step in range(1100) if step not in poisoned]
    dead = (home / "dead" / "r.jsonl").read_text().splitlines() if poisoned else []
    refused = [json.loads(line) for line in dead]
    assert [b["step"] for b in refused] == sorted(poisoned)
    assert all(b["why"] == f"bad: {b['step']}" for b in refused)
    assert run_store.calls <= 2 + 2 * 13 * len(poisoned)  # bisected, not tried one by one


def test_what_mlflow_itself_refuses_is_given_up_too(new_spool, client, tmp_path):
    poison = {"../up": 1.0, "x" * 251: 2.0, "a<b": 3.0}
    folder, meta, writer = new_spool()
    for step in range(50):
        writer.points(step, 1000, {"good": float(step)} | (poison if step == 7 else {}))
    writer.close({"event": "end", "status": "FINISHED", "time_ms": 9000})
    delivery = Delivery(
        folder, meta, run_store=MlflowRunStore(meta.store), dead_letters=tmp_path / "dead.jsonl"
    )
    while not delivery.is_done:
        delivery.advance()
    dead = [json.loads(line) for line in (tmp_path / "dead.jsonl").read_text().splitlines()]
    assert {d["key"]: d["value"] for d in dead} == poison
    (run,) = client.search_runs([client.get_experiment_by_name("e").experiment_id])
    assert len(client.get_metric_history(run.info.run_id, "good")) == 50


def test_points_of_an_experiment_deleted_meanwhile_stay_on_disk_with_the_reason(
    new_spool, client, store, tmp_path
):
    folder, _, writer = new_spool(is_alive=True)
    writer.points(0, 1000, {"m": 1.0})
    service = Service(tmp_path / "home", store, run_store=MlflowRunStore(store))
    service.tick()
    experiment = client.get_experiment_by_name("e").experiment_id
    client.delete_experiment(experiment)
    writer.points(1, 1000, {"m": 2.0})
    service.tick()
    (stuck,) = backlogs(tmp_path / "home")
    assert "has no place for the run" in stuck.stuck[0]
    assert (folder / "000000.seg").exists()
    assert len(client.search_runs([experiment], run_view_type=ViewType.ALL)) == 1
    writer.close()


def test_of_a_run_of_which_nothing_was_refused_nothing_is_told(tmp_path):
    DeadLetters(letters_path(tmp_path, "run-a"), run_id="run-a").add({"key": "a<b"}, "no such name")
    letters_path(tmp_path, "run-b").touch(0o600)
    assert [(one.run_id, one.count) for one in dead_letters(tmp_path)] == [("run-a", 1)]
    assert dead_letters(tmp_path, "run-b") == dead_letters(tmp_path, "run-c") == []
