"""Work on a real cluster: the same answers as here, and what a lost worker or node costs: its attempt."""

import json
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from mlflow.entities import ViewType
from mlflow.tracking import MlflowClient
from torch import nn

from grokscope.cli.runs.stored import stored_runs
from grokscope.collectors.backfill import backfill
from grokscope.collectors.detecting.checkpoints import CheckpointError, Checkpoints
from grokscope.collectors.measures import INSTRUMENTS
from grokscope.collectors.recording.spool import find_spools
from grokscope.collectors.testing import MemorySink
from grokscope.experiments import Cell, Ledger, LocalEngine, Outcome, run_sweep
from grokscope.experiments.cluster import connection, workers
from grokscope.experiments.cluster.connection import ClusterError
from grokscope.experiments.cluster.engine import RayEngine
from grokscope.schemas import CLIENT_RUN_ID, verdict_to_json
from grokscope.schemas.workers import HERE, Done, Failed
from grokscope.store import open_store
from grokscope.transitions import detect

SWEEP = Path(__file__).parents[2] / "data" / "sweep.parquet"
DETECT = ("detect", str(SWEEP), "--format", "json")
COMPARE = ("compare", str(SWEEP), "--by", "weight_decay,fraction", "--target", "test/accuracy>=0.95")
MEASURES = {make.name: make for make in INSTRUMENTS}
# What is read at every step; whether other measures are depends on how busy the machine is.
CURVES = ["train/loss", "train/accuracy", "test/loss", "test/accuracy"]
OWN = """
import os, signal, sys, time
from pathlib import Path
from grokscope.collectors import Tracker

def parent(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])

def train(seed, does=""):
    with Tracker(experiment="mine", config={"lr": 0.1}) as tracker:
        tracker.log(1, {"train/loss": 1.0 + seed})
        if does == "kill" and not Path("killed").exists():
            Path("killed").touch()
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(600)
        if does == "wait":
            Path(f"raylet-{seed}").write_text(str(parent(os.getppid())))
            while not Path("go").exists():
                time.sleep(0.05)
        tracker.log(2, {"train/loss": 0.5 + seed})
"""


@pytest.fixture
def own_cell(place):
    """Give a cell of a training of this test's own."""
    (place / "own.py").write_text(OWN)

    def make(seed: int, does: str) -> Cell:
        return Cell(experiment="e", group="g", seed=seed, settings={"does": does}, train="own.py:train")

    return make


@pytest.fixture
def arrived(place, cluster_home, wait_until):
    """Give the runs of a store, deleted ones too, once nothing is on its way any more."""

    def read(store: str):
        wait_until(
            lambda: (
                not [
                    spool
                    for where in (place / "home", cluster_home)
                    for spool in find_spools(where)
                    if not (spool / "state.json").exists()  # its run was withdrawn
                ]
            )
        )
        client = MlflowClient(store)
        found = client.get_experiment_by_name("e").experiment_id
        runs = client.search_runs([found], run_view_type=ViewType.ALL)
        return client, {run.data.tags[CLIENT_RUN_ID]: run for run in runs}

    return read


def active(runs):
    return {key: run.info.status for key, run in runs.items() if run.info.lifecycle_stage == "active"}


def told_of(store):
    """Return the curves of each run by its tracker's id, and the verdicts."""
    opened = open_store(store)
    runs = opened.runs("e")["run_id"].to_list()
    tags = opened.tags(runs)
    ids = dict(tags.filter(tags["key"] == CLIENT_RUN_ID).select("run_id", "value").iter_rows())
    points = opened.points(runs)
    points = points.with_columns(points["run_id"].replace_strict(ids)).drop("time_ms")
    points = points.filter(points["metric"].is_in(CURVES))
    opened.close()
    curves = sorted(row for row in points.select("run_id", "metric", "step", "value").iter_rows())
    verdicts = [verdict_to_json(one) for one in detect(points)]
    return curves, verdicts


def halved(x):
    return 6 / x


def killed(x):
    """Kill the worker of odd inputs, of 1 once and of 3 always."""
    mark = Path(f"killed-{x}")
    if x % 2 and (x == 3 or not mark.exists()):
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return x


def broken(context):
    raise ValueError(f"no measure at {context.step}")


def test_runs_trained_on_a_cluster_are_those_trained_here(ray, place, new_store, arrived):
    small = {"steps": 20, "p": 11, "hidden": 8}
    cells = [
        Cell(experiment="e", group="g", seed=seed, settings=small, train="modular-arithmetic")
        for seed in range(2)
    ]
    there, here = new_store("there"), new_store("here")
    told = list(run_sweep(cells, store=there, engine=RayEngine(ray), ledger=Ledger(place / "home", there)))
    assert [(one.outcome, one.is_tracked, one.is_on_its_way) for one in told if one.outcome] == [
        (Outcome.FINISHED, True, False)
    ] * 2
    assert max(one.step for one in told) == 20
    again = run_sweep(cells, store=there, engine=RayEngine(ray), ledger=Ledger(place / "home", there))
    assert [one.outcome for one in again] == [Outcome.EARLIER] * 2
    list(run_sweep(cells, store=here, engine=LocalEngine(2), ledger=Ledger(place / "home", here)))
    arrived(here)
    assert told_of(there) == told_of(here)
    assert {row[0] for row in told_of(there)[0]} == {cell.run_id(1) for cell in cells}


def test_a_worker_that_is_killed_costs_its_attempt_and_nothing_is_lost_or_doubled(
    ray, place, new_store, own_cell, arrived
):
    cells, store = [own_cell(0, "kill"), own_cell(1, "")], new_store()
    told = list(run_sweep(cells, store=store, engine=RayEngine(ray), ledger=Ledger(place / "home", store)))
    assert [one.cell.seed for one in told if one.is_lost] == [0]
    assert sorted((one.cell.seed, one.outcome) for one in told if one.outcome) == [
        (0, Outcome.FINISHED),
        (1, Outcome.FINISHED),
    ]
    client, runs = arrived(store)
    again, plain = cells[0].run_id(2), cells[1].run_id(1)
    assert active(runs) == {again: "FINISHED", plain: "FINISHED"}
    assert runs.keys() <= {again, plain, cells[0].run_id(1)}
    history = client.get_metric_history(runs[again].info.run_id, "train/loss")
    assert [(one.step, one.value) for one in history] == [(1, 1.0), (2, 0.5)]


def test_a_node_that_is_killed_costs_the_attempts_on_it(
    cluster, ray, place, new_store, own_cell, arrived, wait_until, children_gone
):
    node = cluster.add_node(num_cpus=1)
    (raylet,) = (one.process.pid for one in node.all_processes["raylet"])
    cells, store = [own_cell(seed, "wait") for seed in range(3)], new_store()

    def kill():
        marks = [place / f"raylet-{seed}" for seed in range(3)]
        wait_until(lambda: any(mark.exists() and mark.read_text() == str(raylet) for mark in marks))
        (seed,) = (n for n, mark in enumerate(marks) if mark.exists() and mark.read_text() == str(raylet))
        wait_until(lambda: cells[seed].run_id(1) in (stored_runs(store, ["e"]) or {}))
        are_gone = children_gone(raylet)
        cluster.remove_node(node, allow_graceful=False)
        wait_until(are_gone)  # a worker that lives on a little might still finish
        (place / "go").touch()
        return seed

    with ThreadPoolExecutor(1) as pool:
        killing = pool.submit(kill)
        ledger = Ledger(place / "home", store)
        told = list(run_sweep(cells, store=store, engine=RayEngine(ray, 3), ledger=ledger))
        lost = killing.result()
    assert [one.cell.seed for one in told if one.is_lost] == [lost]
    assert [one.outcome for one in told if one.outcome] == [Outcome.FINISHED] * 3
    _, runs = arrived(store)
    assert active(runs) == {cell.run_id(1 + (cell.seed == lost)): "FINISHED" for cell in cells}


def test_ctrl_c_ends_the_jobs_on_the_cluster_and_until_then_no_other_sweep_trains_them(
    cluster, ray, place, new_store, own_cell, arrived, wait_until, running, command_lines
):
    cell, store = own_cell(0, "wait"), new_store()
    (place / "a.toml").write_text(
        "train = 'own.py:train'\nexperiment = 'e'\nseeds = [0]\n[grid]\ndoes = ['wait']\n"
    )
    command = ("sweep", "a.toml", "--store", store, "--engine", "ray", "--address", cluster.address)
    environment = {**os.environ, **connection._ONLY_LOOPBACK}
    program = [sys.executable, "-m", "grokscope.cli.main", *command]
    with running(program, start_new_session=True, env=environment) as first:
        wait_until((place / "raylet-0").exists)
        second = run_sweep([cell], store=store, engine=RayEngine(ray), ledger=Ledger(place / "home", store))
        assert next(second).is_held
        first.send_signal(signal.SIGINT)
        assert first.wait(120) == 130
        assert not [words for words in command_lines().values() if cell.run_id(1) in words]
        (place / "go").touch()
        assert [one.outcome for one in second if one.outcome] == [Outcome.FINISHED]
    _, runs = arrived(store)
    assert active(runs) == {cell.run_id(2): "FINISHED"}


def test_gpus_that_no_node_has_are_said(ray):
    with pytest.raises(ClusterError, match="--gpus-per-job 8 is more than the cluster has: 0 GPUs"):
        RayEngine(ray, gpus=8)


def test_results_come_in_order_and_a_task_that_fails_costs_none_of_the_others(ray, place):
    inputs = [3, 0, *range(1, 30)]
    there = list(workers.RayWorkers(ray).map(halved, inputs))
    assert [one.value for one in there if isinstance(one, Done)] == [2.0, *(6 / x for x in range(1, 30))]
    assert isinstance(there[1], Failed)
    assert isinstance(there[1].error, ZeroDivisionError)
    assert list(workers.RayWorkers(ray).map(halved, [])) == []


def test_the_task_of_a_worker_that_is_killed_is_done_again_and_given_up_where_that_does_not_help(
    ray, place, monkeypatch
):
    monkeypatch.setattr(workers, "_RETRIES", 1)
    first, second, third = workers.RayWorkers(ray).map(killed, [1, 2, 3])
    assert (first, second) == (Done(1), Done(2))
    assert isinstance(third, Failed)
    assert isinstance(third.error, workers.WorkersLostError)
    assert "died 2 times" in str(third.error)


def test_verdicts_from_a_cluster_are_those_from_here(grokscope, cluster):
    status, there, err = grokscope(*DETECT, "--engine", "ray", "--address", cluster.address)
    assert (status, err) == (0, "")
    assert there == grokscope(*DETECT)[1]
    assert len(there.splitlines()) == 30


def test_a_comparison_from_a_cluster_is_the_one_from_here(grokscope, cluster):
    arguments = (*COMPARE, "--format", "json")
    status, there, err = grokscope(*arguments, "--engine", "ray", "--address", cluster.address)
    assert (status, err) == (0, "")
    assert there == grokscope(*arguments)[1]
    assert len(json.loads(there)["contrasts"]) == 14


def test_the_report_of_definitions_from_a_cluster_is_the_one_from_here(grokscope, cluster):
    arguments = (*DETECT, "--sensitivity")
    there = grokscope(*arguments, "--engine", "ray", "--address", cluster.address)
    assert there == grokscope(*arguments)


def test_measures_of_saved_states_from_a_cluster_are_those_from_here(ray, place):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 2))
    buffer = Checkpoints(place, last=4).buffer(model, run_id="run", experiment="e")
    for step in range(4):
        nn.init.normal_(model[0].weight, std=1 + step)
        buffer.save(step)
    data = (torch.arange(16.0).view(8, 2), torch.tensor([0, 1] * 4))
    # The last of them begins where it ended at the state before.
    movement, collapse, sharpness = (MEASURES[name] for name in ("movement", "neural_collapse", "sharpness"))

    def measured(by, *measures):
        sink, given = MemorySink(), [one if one is broken else one() for one in measures]
        with pytest.raises(CheckpointError) if broken in measures else nullcontext():
            backfill(place / "run", model, {"test": data}, measures=given, sink=sink, workers=by)
        return sorted(sink.rows())

    here = measured(HERE, movement, collapse, sharpness)
    assert measured(workers.RayWorkers(ray), movement, collapse, sharpness) == here
    rest = measured(HERE, collapse, sharpness)
    assert measured(workers.RayWorkers(ray), broken, movement, collapse, sharpness) == rest != []


def test_a_cluster_of_another_version_is_told(grokscope, cluster, monkeypatch):
    monkeypatch.setattr("ray.__version__", "1.0")
    status, out, said = grokscope(*DETECT, "--engine", "ray", "--address", cluster.address)
    assert (status, out, said.count("\n")) == (2, "", 1)
    assert "mismatch" in said
    assert "Ray: 1.0" in said
