"""A sweep's job: its first tracker writes the sweep's run, whatever the code names; a second one its own."""

import json
import os
import subprocess
import sys

import pytest

from grokscope.collectors import Tracker, TrackerError
from grokscope.collectors.integrations import wandb
from grokscope.collectors.recording import given_run
from grokscope.collectors.recording.given_run import run_for
from grokscope.collectors.testing import MemorySink

STORE = "sqlite:////data/sweep.db"


@pytest.fixture(autouse=True)
def _job(monkeypatch):
    monkeypatch.setenv("GROKSCOPE_RUN_ID", "run-of-the-sweep")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "the sweep")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", STORE)
    monkeypatch.setenv("GROKSCOPE_SWEEP_PARAMS", json.dumps({"lr": 0.1, "group": "lr=0.1", "seed": 3}))


def test_the_first_tracker_takes_the_sweeps_run_experiment_store_and_params():
    given = run_for(None, experiment="mine", store="sqlite:///mine.db")
    assert (given.run_id, given.experiment, given.store) == ("run-of-the-sweep", "the sweep", STORE)
    assert given.params == {"lr": "0.1", "group": "lr=0.1", "seed": "3"}


def test_a_second_tracker_and_one_of_a_process_that_is_started_then_have_runs_of_their_own():
    first, second = (Tracker(experiment="mine", sink=MemorySink()) for _ in range(2))
    assert first.run_id == "run-of-the-sweep"
    assert second.run_id not in (first.run_id, "")
    first.close()
    second.close()
    script = "from grokscope.collectors.recording.given_run import waiting_run; print(waiting_run())"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout == "None\n"


def test_a_tracker_that_is_told_its_run_leaves_the_sweeps_to_another():
    assert run_for("mine", experiment="e", store=None).run_id == "mine"
    assert os.environ["GROKSCOPE_RUN_ID"] == "run-of-the-sweep"


def test_the_params_of_the_code_stand_above_those_of_the_sweep_but_not_its_group(tmp_path, monkeypatch):
    monkeypatch.setenv("GROKSCOPE_HOME", str(tmp_path))
    taken = {}
    monkeypatch.setattr("grokscope.collectors.tracker.open_sink", lambda *_, **told: taken.update(told))
    monkeypatch.setattr("grokscope.collectors.tracker.sink_of_first", lambda make: make() or MemorySink())
    Tracker(experiment="mine", config={"lr": 0.2, "width": 8, "group": "mine"}).close()
    assert taken["params"] == {"lr": "0.2", "group": "lr=0.1", "seed": "3", "width": "8"}
    assert (taken["experiment"], taken["store"]) == ("the sweep", STORE)


def test_secrets_of_a_sweep_are_withheld_from_params_and_what_is_no_json_is_none(monkeypatch):
    monkeypatch.setenv("GROKSCOPE_SWEEP_PARAMS", json.dumps({"api_key": "abc"}))
    assert run_for(None, experiment="e", store=None).params == {"api_key": "[withheld]"}
    monkeypatch.setenv("GROKSCOPE_RUN_ID", "again")
    monkeypatch.setenv("GROKSCOPE_SWEEP_PARAMS", "{")
    assert run_for(None, experiment="e", store=None).params == {}


def test_a_run_id_that_is_none_is_refused(monkeypatch):
    monkeypatch.setenv("GROKSCOPE_RUN_ID", "../elsewhere")
    with pytest.raises(TrackerError, match="a run_id is up to 100 letters"):
        run_for(None, experiment="e", store=None)


def test_the_drop_in_for_wandb_takes_the_sweeps_run_too():
    run = wandb.tracked_run.Run(project="mine", name=None, config={}, run_id=None, sink=MemorySink())
    run.log({"loss": 1.0})
    run.log({"loss": 0.5})
    assert (run.id, run._tracker.run_id) == ("run-of-the-sweep", "run-of-the-sweep")
    assert given_run.waiting_run() is None
    run.finish()


@pytest.fixture
def token(tmp_path, monkeypatch):
    monkeypatch.setenv("GROKSCOPE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GROKSCOPE_SWEEP_TOKEN", given_run.set_out("run-of-the-sweep", store=STORE))


TAKE = (
    "from grokscope.collectors.recording.given_run import run_for; "
    "print(run_for(None, experiment='e', store=None).run_id)"
)


def taken(**environment):
    told = subprocess.run(
        [sys.executable, "-c", TAKE], env=os.environ | environment, capture_output=True, text=True, check=True
    )
    return told.stdout.strip() == "run-of-the-sweep"


@pytest.mark.usefixtures("token")
def test_of_several_processes_of_a_job_one_takes_its_run():
    assert [taken() for _ in range(3)] == [True, False, False]
    assert given_run.waiting_run() is None
    assert run_for(None, experiment="mine", store=None).experiment == "mine"


@pytest.mark.usefixtures("token")
def test_who_has_inherited_the_environment_of_a_job_that_has_ended_has_a_run_of_its_own():
    assert given_run.waiting_run() == "run-of-the-sweep"
    given_run.take_back("run-of-the-sweep", store=STORE)
    given_run.take_back("run-of-the-sweep", store=STORE)
    assert not taken()


@pytest.mark.usefixtures("token")
def test_the_processes_of_one_training_leave_its_run_to_the_first_of_them():
    assert taken(WORLD_SIZE="2", RANK="1")
    assert taken(WORLD_SIZE="2", RANK="0")


@pytest.mark.usefixtures("token")
def test_a_token_leads_to_no_file_elsewhere(tmp_path, monkeypatch):
    (tmp_path / "kept").touch()
    monkeypatch.setenv("GROKSCOPE_SWEEP_TOKEN", "../../../kept")
    assert run_for(None, experiment="e", store=None).run_id != "run-of-the-sweep"
    assert (tmp_path / "kept").exists()


def test_of_two_runs_of_the_drop_in_the_one_that_logs_first_takes_the_sweeps():
    first, second = (
        wandb.tracked_run.Run(project="mine", name=None, config={}, run_id=None, sink=MemorySink())
        for _ in range(2)
    )
    for run in (first, second):
        run.log({"loss": 1.0})
        run.log({"loss": 0.5})
    assert first.id == first._tracker.run_id == "run-of-the-sweep"
    assert second.id == second._tracker.run_id != first.id
    first.finish()
    second.finish()
