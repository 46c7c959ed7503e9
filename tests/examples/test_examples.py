"""Every example runs as it is, and what it logs arrives."""

import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))
TRACKED = {"train/batch_loss", "test/accuracy", "weights/norm", "gradients/norm"}
# The one that has no tracker of its own: all it logs is what its code gave to MLflow.
LOGGED = {"mlflow_drop_in": {"train_loss", "train_acc"}}


@pytest.fixture(scope="module")
def run_of(tmp_path_factory, wait_until):
    """Run an example once and return its only run, with a client to ask for more."""

    @cache
    def run(name: str) -> tuple[Run, MlflowClient]:
        folder = tmp_path_factory.mktemp(name)
        said = run_example(name, folder, wait_until)
        client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
        experiment = client.get_experiment_by_name("examples")
        assert experiment is not None, said
        (found,) = client.search_runs([experiment.experiment_id])
        return found, client

    return run


def run_example(name: str, folder: Path, wait_until: Callable[..., None]) -> str:
    home = folder / "home"
    done = subprocess.run(
        [sys.executable, str(EXAMPLES[0].with_name(f"{name}.py"))],
        cwd=folder,
        env={**os.environ, "GROKSCOPE_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert "could not be measured" not in done.stderr, done.stderr
    assert "no longer measured" not in done.stderr, done.stderr
    wait_until(lambda: not list((home / "spool").iterdir()))
    return done.stderr


def history(found: tuple[Run, MlflowClient], key: str) -> dict[int, float]:
    run, client = found
    return {point.step: point.value for point in client.get_metric_history(run.info.run_id, key)}


@pytest.mark.parametrize("name", [path.stem for path in EXAMPLES])
def test_the_example_runs_and_its_one_run_is_stored(name, run_of):
    run, _ = run_of(name)
    assert run.info.status == "FINISHED"
    assert LOGGED.get(name, TRACKED) <= run.data.metrics.keys()


@pytest.mark.parametrize(
    "key",
    [
        "train/loss",
        "gradients/norm",
        "updates/ratio",
        "weights/norm",
        "weights/norm/2",
        "weights/spectral_norm/0",
    ],
)
def test_sharded_parameters_are_measured_as_the_whole_that_they_are(key, run_of):
    """The two examples train the same model on the same data: in copies here, in shards there."""
    whole, sharded = (history(run_of(name), key) for name in ("ddp", "fsdp2"))
    steps = whole.keys() & sharded.keys()  # costly measures may have been skipped in either
    assert steps
    assert [sharded[step] for step in steps] == pytest.approx([whole[step] for step in steps], rel=1e-3)


def test_the_drop_in_writes_every_point_into_the_run_that_mlflow_made(run_of):
    found = run_of("mlflow_drop_in")
    assert found[0].info.run_name == "drop-in"
    assert found[0].data.params == {"lr": "0.01", "seed": "0"}
    assert list(history(found, "train_loss")) == list(range(200))


def test_gradients_are_logged_in_their_true_size_under_a_gradient_scaler(run_of):
    norms = history(run_of("amp_and_compile"), "gradients/norm")
    assert all(0.0 < norm <= 1.001 for norm in norms.values())  # clipped at 1; the scale is 65536


@pytest.mark.parametrize("name", ["accelerate_loop", "hugging_face_trainer"])
def test_a_step_is_one_of_the_optimizer_where_gradients_are_accumulated(name, run_of):
    last = {"accelerate_loop": 8 * 12 // 2, "hugging_face_trainer": 60}[name]
    steps = history(run_of(name), "test/accuracy")
    assert 1 <= min(steps) < max(steps) <= last
    assert len(steps) > 25


def test_training_stops_once_generalization_is_confirmed(run_of):
    found = run_of("stop_at_grokking")
    said = list(history(found, "detector/generalization").values())
    assert (said[0], said[-1]) == (1.0, 2.0)  # suspected, then confirmed
    assert max(history(found, "train/batch_loss")) < 3999
