"""Training on two processes: one run, its values those of the whole training in one process."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("ranks.py")


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Train in every way, and give what each rank logged and what one process finds."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT)], cwd=tmp_path_factory.mktemp("ranks"), capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "grokscope:" not in done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("way", ["data_parallel", "sharded", "lightning"])
def test_the_first_process_logs_one_run_with_the_values_of_the_whole(told, way):
    first, second = (rank[way] for rank in told["ranks"])
    assert second == []
    ((status, rows),) = first
    assert status == "FINISHED"
    for key in ("train/batch_loss", "test/loss", "gradients/norm"):
        found = {str(step): value for step, name, value in rows if name == key}
        assert found == pytest.approx(told["by_hand"][key], rel=1e-4), key


def test_what_lightning_means_over_processes_is_kept_so(told):
    ((_, rows),) = told["ranks"][0]["lightning"]
    found = {str(step): value for step, name, value in rows if name == "mean over ranks"}
    assert found == pytest.approx(told["by_hand"]["whole loss"], rel=1e-5)
