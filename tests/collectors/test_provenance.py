"""From which code and on what machine a run was made stands on it, and nothing waits for git."""

import os
import subprocess
import sys

import pytest
from mlflow import MlflowClient

from grokscope.schemas.tags import MACHINE

TRAIN = """
import time
began = time.monotonic()
from grokscope.collectors import Tracker
ready = time.monotonic()
with Tracker(experiment="made", store="{store}") as tracker:
    print(time.monotonic() - ready)
    tracker.log(0, {{"train/loss": 1.0}})
"""
IDENTITY = ["-c", "user.name=a", "-c", "user.email=a@b.c"]


@pytest.fixture
def project(tmp_path):
    """A folder with a script that trains."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "train.py").write_text(TRAIN.format(store=f"sqlite:///{tmp_path}/mlflow.db"))
    return folder


def git(folder, *command):
    done = subprocess.run(["git", "-C", str(folder), *IDENTITY, *command], check=True, capture_output=True)
    return done.stdout.decode().strip()


def trained(project, script="train.py", **environment):
    """Run a script from elsewhere; return the run's tags and the seconds that its start took."""
    home = str(project.parent / "home")
    done = subprocess.run(
        [sys.executable, project / script],
        cwd=project.parent,
        env={**os.environ, "GROKSCOPE_HOME": home, **environment},
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    sync = [sys.executable, "-m", "grokscope.cli.main", "sync"]  # what a busy machine has not yet sent
    subprocess.run(sync, env={**os.environ, "GROKSCOPE_HOME": home}, check=True, timeout=120)
    client = MlflowClient(f"sqlite:///{project.parent}/mlflow.db")
    experiment = client.get_experiment_by_name("made")
    [run] = client.search_runs([experiment.experiment_id], max_results=1)
    return run.data.tags, float(done.stdout)


def test_a_run_has_the_commit_of_its_script_and_says_whether_something_was_changed(project):
    git(project, "init", "-q", "-b", "trunk")
    git(project, "add", "-A")
    git(project, "commit", "-qm", "first")
    tags, _ = trained(project)
    head = git(project, "rev-parse", "HEAD")
    assert (tags["mlflow.source.git.commit"], tags["mlflow.source.git.branch"]) == (head, "trunk")
    assert tags["mlflow.source.git.dirty"] == "false"
    assert tags["mlflow.source.name"] == str(project / "train.py")
    assert f"Python {sys.version_info.major}.{sys.version_info.minor}" in tags[MACHINE]
    (project / "other.py").write_bytes((project / "train.py").read_bytes())
    assert trained(project, script="other.py")[0]["mlflow.source.git.dirty"] == "true"  # it is in no commit
    with (project / "train.py").open("a") as script:
        script.write("# changed\n")
    assert trained(project)[0]["mlflow.source.git.dirty"] == "true"


def test_without_a_repository_a_run_has_no_commit_and_trains(project):
    tags, _ = trained(project, GIT_CEILING_DIRECTORIES=str(project.parent))
    assert "mlflow.source.git.commit" not in tags
    assert tags["mlflow.source.name"] == str(project / "train.py")


def test_a_git_that_never_answers_holds_nothing_up(project):
    slow = project.parent / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nexec sleep 600\n")
    slow.chmod(0o755)
    tags, took_s = trained(project, PATH=f"{slow.parent}:{os.environ['PATH']}")
    assert "mlflow.source.git.commit" not in tags
    assert took_s < 60  # a second of patience, on any machine


def test_a_path_that_is_no_text_stops_no_training(project):
    odd = project / os.fsdecode(b"caf\xe9.py")
    odd.write_bytes((project / "train.py").read_bytes())
    tags, _ = trained(project, script=odd.name)
    assert tags["mlflow.source.name"].startswith(str(project / "caf"))
