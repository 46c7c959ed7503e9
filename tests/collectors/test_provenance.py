"""From which code and on what machine a run was made stands on it, and nothing waits for git."""

import json
import os
import subprocess
import sys

import pytest
from mlflow import MlflowClient

from grokscope.schemas.tags import MACHINE

TELL = """
import json, time
from grokscope.collectors.provenance import provenance
ready = time.monotonic()
print(json.dumps(provenance() | {"seconds": time.monotonic() - ready}))
"""
TRAIN = """
from grokscope.collectors import Tracker
with Tracker(experiment="made", store="{store}") as tracker:
    tracker.log(0, {{"train/loss": 1.0}})
"""
IDENTITY = ["-c", "user.name=a", "-c", "user.email=a@b.c"]


@pytest.fixture
def project(tmp_path):
    """A folder with a program."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "train.py").write_text(TELL)
    return folder


def git(folder, *command):
    done = subprocess.run(["git", "-C", str(folder), *IDENTITY, *command], check=True, capture_output=True)
    return done.stdout.decode().strip()


def committed(folder):
    git(folder, "init", "-q", "-b", "trunk")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")


def told(project, script="train.py", **environment):
    """Start a program of the project from elsewhere; return what it says of itself."""
    done = subprocess.run(
        [sys.executable, project / script],
        cwd=project.parent,
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
        timeout=120,
    )
    return json.loads(done.stdout)


def test_a_program_knows_its_commit_and_whether_something_was_changed(project):
    committed(project)
    tags = told(project)
    head = git(project, "rev-parse", "HEAD")
    assert (tags["mlflow.source.git.commit"], tags["mlflow.source.git.branch"]) == (head, "trunk")
    assert tags["mlflow.source.git.dirty"] == "false"
    assert tags["mlflow.source.name"] == str(project / "train.py")
    assert f"Python {sys.version_info.major}.{sys.version_info.minor}" in tags[MACHINE]
    (project / "other.py").write_text(TELL)
    assert told(project, "other.py")["mlflow.source.git.dirty"] == "true"  # it is in no commit
    (project / "train.py").write_text(f"{TELL}# changed\n")
    assert told(project)["mlflow.source.git.dirty"] == "true"


def test_without_a_repository_there_is_no_commit(project):
    tags = told(project, GIT_CEILING_DIRECTORIES=str(project.parent))
    assert "mlflow.source.git.commit" not in tags
    assert tags["mlflow.source.name"] == str(project / "train.py")


def test_a_git_that_never_answers_holds_nothing_up(project):
    slow = project.parent / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nexec sleep 600\n")
    slow.chmod(0o755)
    tags = told(project, PATH=f"{slow.parent}:{os.environ['PATH']}")
    assert "mlflow.source.git.commit" not in tags
    assert tags["seconds"] < 60  # a second of patience, on any machine


def test_a_run_has_it_and_a_path_that_is_no_text_stops_no_training(project):
    store = f"sqlite:///{project.parent}/mlflow.db"
    odd = project / os.fsdecode(b"caf\xe9.py")
    odd.write_text(TRAIN.format(store=store))
    committed(project)
    environment = {**os.environ, "GROKSCOPE_HOME": str(project.parent / "home")}
    subprocess.run([sys.executable, odd], env=environment, check=True, timeout=120)
    sync = [sys.executable, "-m", "grokscope.cli.main", "sync"]  # what a busy machine has not yet sent
    subprocess.run(sync, env=environment, check=True, timeout=120)
    client = MlflowClient(store)
    [run] = client.search_runs([client.get_experiment_by_name("made").experiment_id])
    assert run.data.tags["mlflow.source.git.commit"] == git(project, "rev-parse", "HEAD")
    assert run.data.tags["mlflow.source.name"].startswith(str(project / "caf"))
