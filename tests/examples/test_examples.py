"""Every example runs as it is, and what it logs arrives."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_example_runs_and_its_run_is_stored(example, tmp_path):
    home = tmp_path / "home"
    done = subprocess.run(
        [sys.executable, str(example)],
        cwd=tmp_path,
        env={**os.environ, "GROKSCOPE_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    deadline = time.monotonic() + 60
    while list((home / "spool").iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    (run,) = client.search_runs([client.get_experiment_by_name("examples").experiment_id])
    assert run.info.status == "FINISHED"
    assert {"train/batch_loss", "test/accuracy", "weights/norm", "gradients/norm"} <= run.data.metrics.keys()
