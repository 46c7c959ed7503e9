"""``grokscope sweep``: what it lists, trains, says and returns, with a user's function and with a command."""

import json
import shutil

import pytest
from mlflow.entities import ViewType
from mlflow.tracking import MlflowClient

from grokscope.cli.runs.stored import stored_runs
from grokscope.collectors.recording.spool import find_spools
from grokscope.store import StoreError

OWN = """
from grokscope.collectors import Tracker

def train(lr, seed):
    with Tracker(experiment="mine", config={"rate": lr}) as tracker:
        tracker.log(1, {"train/loss": lr})
    if lr > 1 and not open("calm").read():
        raise ValueError("it diverged")
"""
SCRIPT = """
import os, sys
from grokscope.collectors import Tracker

tracker = Tracker(experiment="mine", config={"lr": sys.argv[1]})
tracker.log(1, {"train/loss": float(sys.argv[1])})
print("said on stdout", os.environ["MLFLOW_EXPERIMENT_NAME"])
"""


@pytest.fixture
def sweep(grokscope, blank_store, tmp_path):
    """Run the command on a file of this test and a store of its own."""
    shutil.copy(blank_store, tmp_path / "mlflow.db")

    def run(content: str, *options: str):
        (tmp_path / "a.toml").write_text(content)
        return grokscope("sweep", "a.toml", *options)

    return run


@pytest.fixture
def runs(tmp_path, wait_until):
    """Give the runs of an experiment, with deleted ones, once all that is on its way has arrived."""

    def read(experiment: str = "a"):
        wait_until(lambda: not find_spools(tmp_path / "home"))
        client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
        found = client.get_experiment_by_name(experiment).experiment_id
        return client.search_runs([found], run_view_type=ViewType.ALL)

    return read


def test_a_function_of_ones_own_that_fails_is_tried_again_and_only_that(sweep, runs, tmp_path):
    (tmp_path / "own.py").write_text(OWN)
    (tmp_path / "calm").write_text("")
    content = "train = 'own.py:train'\n[grid]\nlr = [0.5, 2.0]\n"
    status, out, err = sweep(content)
    assert status == 1
    assert out.splitlines() == [
        "group   runs  done  failed",
        "lr=0.5     1     1       0",
        "lr=2.0     1     0       1",
    ]
    assert (
        "1 of 2 runs failed; the first, lr=2.0 with seed 0, ended with status 1: ValueError: it diverged"
        in err
    )
    assert len(runs()) == 2  # what has not arrived is withdrawn without a trace
    (tmp_path / "calm").write_text("now")
    status, out, err = sweep(content, "--format", "json")
    told = json.loads(out)
    assert (status, told["finished"], told["earlier"], told["failed"], told["error"]) == (0, 1, 1, 0, None)
    assert "1 of 2 runs were finished before, and not trained again" in err
    assert f"grokscope detect sqlite:///{tmp_path}/mlflow.db --experiment a; to look at them: " in err
    stages = sorted(
        (run.data.params["lr"], run.data.params["rate"], run.data.params["group"], run.info.lifecycle_stage)
        for run in runs()
    )
    assert stages == [
        ("0.5", "0.5", "lr=0.5", "active"),
        ("2.0", "2.0", "lr=2.0", "active"),
        ("2.0", "2.0", "lr=2.0", "deleted"),
    ]


def test_a_command_gets_its_settings_and_its_run(sweep, runs, tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    content = "command = ['python', 'script.py', '{lr}', '{seed}']\nexperiment = 'E'\nseeds = [3]\n"
    status, out, _ = sweep(f"{content}[grid]\nlr = [0.5]\n")
    assert (status, "said on stdout" in out) == (0, False)
    (run,) = runs("E")
    assert run.data.params == {"lr": "0.5", "group": "lr=0.5", "seed": "3"}
    assert (run.info.status, run.data.metrics) == ("FINISHED", {"train/loss": 0.5})


def test_runs_that_log_nothing_are_said(sweep):
    status, out, err = sweep("command = 'true {lr}'\nexperiment = 'an idea'\n[grid]\nlr = [1, 2]\n")
    assert (status, out.splitlines()[1:]) == (0, ["lr=1      1     1       0", "lr=2      1     1       0"])
    assert err.endswith(
        "grokscope: 2 of 2 runs ended well without a Tracker, so nothing of them is in the experiment 'an "
        "idea', unless they log with MLflow alone; see docs/sweeps.md\n"
    )
    assert "what each run did" not in err


def test_where_to_look_is_not_said_where_no_run_has_logged(sweep):
    status, _, err = sweep("command = 'false'\n")
    assert (status, "what each run did" in err, "without a Tracker" in err) == (1, False, False)
    assert "1 of 1 runs failed; the first, a with seed 0, ended with status 1" in err


def test_a_dry_run_lists_the_cells_and_trains_none(sweep, tmp_path):
    content = "command = 'train {lr} {seed}'\nseeds = 2\n[grid]\nlr = [1]\n"
    status, out, err = sweep(content, "--dry-run")
    assert (status, out.splitlines()) == (
        0,
        ["group  seed  trains with", "lr=1      0  train 1 0", "lr=1      1  train 1 1"],
    )
    assert "2 runs in the experiment 'a'" in err
    lines = sweep(content, "--dry-run", "--format", "json")[1].splitlines()
    assert [json.loads(line)["seed"] for line in lines] == [0, 1]
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("content", "options", "sentence"),
    [
        ("train = 3", (), "a.toml: train is a text, got 3"),
        ("command = ['true']", ("--store", "ftp://host"), "unknown scheme 'ftp'"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence_and_status_2(sweep, content, options, sentence):
    status, out, err = sweep(content, *options)
    assert (status, out) == (2, "")
    assert sentence in err
    assert err.count("\n") == 1


def test_a_file_that_is_not_there_is_one_sentence_and_status_2(grokscope):
    status, _, err = grokscope("sweep", "none.toml")
    assert (status, err) == (2, "grokscope: none.toml: it cannot be read (No such file or directory)\n")


def test_the_runs_of_a_store_are_told_by_their_trackers_ids(blank_store, tmp_path):
    shutil.copy(blank_store, tmp_path / "mlflow.db")
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    client = MlflowClient(uri)
    experiment = client.create_experiment("e")
    kept, deleted, other = (
        client.create_run(experiment, tags={"grokscope.client_run_id": name} if name else {})
        for name in ("kept", "deleted", "")
    )
    client.set_terminated(kept.info.run_id)
    client.delete_run(deleted.info.run_id)
    assert other.info.status == "RUNNING"
    assert stored_runs(uri, ["e", "none of that name"]) == {"kept": "FINISHED"}
    assert stored_runs(f"sqlite:///{tmp_path}/none.db", ["e"]) == {}
    with pytest.raises(StoreError):
        stored_runs("ftp://host", ["e"])


def test_a_sweep_whose_experiment_is_called_as_a_secret_is_finished_all_the_same(sweep, runs, tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    content = "command = ['python', 'script.py', '0.5']\nexperiment = 'api_key=abc'\n"
    assert sweep(content)[0] == 0
    assert len(runs("api_key=[withheld]")) == 1
    _, out, _ = sweep(content, "--format", "json")
    assert (json.loads(out)["earlier"], "abc" in json.loads(out)["store"]) == (1, False)
