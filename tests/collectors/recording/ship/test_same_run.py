"""One run that several sinks open at one instant: it is made once, or its doubles give way."""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from mlflow.entities import ViewType
from mlflow.tracking import MlflowClient

from grokscope.collectors.recording.ship.mlflow import run_store as mlflow_run_store
from grokscope.collectors.recording.ship.mlflow.run_store import MlflowRunStore
from grokscope.collectors.recording.ship.run_store import RunGone, Scalar, Unavailable
from grokscope.collectors.recording.spool import Meta

SINKS, RUNS = 3, 4


def meta_of(store: str, run_id: str) -> Meta:
    return Meta(run_id=run_id, store=store, experiment="e", name="n", start_ms=1000)


def _opened(run_store: MlflowRunStore, meta: Meta) -> str:
    while True:
        with suppress(Unavailable):  # the database may be busy, or another has written the same tag just now
            return run_store.open_run(meta)


def at_once(store: str, home: Callable[[int], Path | None]) -> None:
    """Let real processes open the same runs, each at one instant, and send a point to each."""
    children = []
    gates = [os.pipe() for _ in range(RUNS)]
    ready = os.pipe()
    for number in range(SINKS):
        child = os.fork()
        if child == 0:
            try:
                for _, go in gates:
                    os.close(go)
                run_store = MlflowRunStore(store, home=home(number))
                run_store._connected()
                for begin, _ in gates:
                    os.write(ready[1], b"x")
                    os.read(begin, 1)  # all at once: it returns when the parent closes its end
                    run = _opened(run_store, meta_of(store, f"run-{begin}"))
                    run_store.send(run, [Scalar("m", float(number), number, 1000)])
            except BaseException:  # noqa: BLE001 - the parent sees the status
                os._exit(1)
            os._exit(0)
        children.append(child)
    os.close(ready[1])
    for begin, go in gates:
        for _ in range(SINKS):
            os.read(ready[0], 1)
        os.close(go)
        os.close(begin)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * SINKS
    os.close(ready[0])


def runs(client: MlflowClient, view: int):
    experiment = client.get_experiment_by_name("e")
    return client.search_runs([experiment.experiment_id], run_view_type=view)


def test_of_sinks_that_share_a_home_one_makes_the_run_and_the_others_find_it(store, client, tmp_path):
    at_once(store, home=lambda number: tmp_path / "home")
    found = runs(client, ViewType.ALL)
    assert len(found) == RUNS
    for run in found:
        steps = [m.step for m in client.get_metric_history(run.info.run_id, "m")]
        assert sorted(steps) == list(range(SINKS))


def test_of_runs_that_several_machines_make_at_one_instant_one_stays_with_all_points(store, client):
    at_once(store, home=lambda number: None)
    found = runs(client, ViewType.ACTIVE_ONLY)
    assert len({run.data.tags["grokscope.client_run_id"] for run in found}) == len(found) == RUNS
    for run in found:
        steps = [m.step for m in client.get_metric_history(run.info.run_id, "m")]
        assert sorted(steps) == list(range(SINKS))


def test_whoever_has_made_a_double_gives_way_to_a_run_that_is_in_use(store, client, monkeypatch):
    """Though its own id is the smaller one: points may be there already."""
    real = mlflow_run_store._runs_of
    theirs: list[str] = []

    def look(client, experiment, meta):
        """See nothing; and then somebody else makes the run, and opens it."""
        monkeypatch.setattr(mlflow_run_store, "_runs_of", real)
        tags = {"grokscope.client_run_id": meta.run_id, "grokscope.attempt": "1"}
        theirs.append(client.create_run(experiment, tags=tags).info.run_id)
        return []

    for number in range(6):  # their ids are random
        monkeypatch.setattr(mlflow_run_store, "_runs_of", look)
        assert MlflowRunStore(store).open_run(meta_of(store, f"r{number}")) == theirs[-1]
    assert {run.info.run_id for run in runs(client, ViewType.ACTIVE_ONLY)} == {*theirs}


def test_an_empty_double_whose_maker_has_died_is_cleared_away(store, client, monkeypatch):
    monkeypatch.setattr(mlflow_run_store, "_BETWEEN_LOOKS", 0.0)
    experiment, tags = client.create_experiment("e"), {"grokscope.client_run_id": "r"}
    made = [client.create_run(experiment, tags=tags) for _ in range(2)]
    mine, other = sorted(made, key=lambda run: run.info.run_id)
    meta = meta_of(store, "r")
    meant = mlflow_run_store._meant(client, experiment, meta, mine=mine.info.run_id)
    assert meant.info.run_id == mine.info.run_id
    (left,) = runs(client, ViewType.ACTIVE_ONLY)
    assert left.info.run_id == mine.info.run_id
    assert client.get_run(other.info.run_id).info.lifecycle_stage == "deleted"
    assert MlflowRunStore(store).open_run(meta) == mine.info.run_id


def test_a_deleted_double_is_not_taken_for_the_run(store, client):
    experiment, tags = client.create_experiment("e"), {"grokscope.client_run_id": "r"}
    run_store, meta = MlflowRunStore(store), meta_of(store, "r")
    for _ in range(3):
        client.delete_run(client.create_run(experiment, tags=tags).info.run_id)
    with pytest.raises(RunGone):
        run_store.open_run(meta)
    run = client.create_run(experiment, tags=tags).info.run_id
    assert run_store.open_run(meta) == run


def test_a_lock_that_stays_taken_keeps_nobody_from_a_run(store, tmp_path, monkeypatch):
    monkeypatch.setattr(mlflow_run_store, "_LOCK_TRIES", 2)
    first, second = (MlflowRunStore(store, home=tmp_path) for _ in range(2))
    opened = []
    with first._one_at_a_time():
        thread = threading.Thread(target=lambda: opened.append(second.open_run(meta_of(store, "r"))))
        thread.start()
        thread.join(60)
    assert len(opened) == 1
