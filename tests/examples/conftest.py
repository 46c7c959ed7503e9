"""Examples, each run once as it is: loops of one's own, and those of frameworks and several processes."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))
_FRAMEWORKS = re.compile(
    r"^(?:from|import) (?:accelerate|lightning|transformers|torch\.distributed)\b", re.MULTILINE
)


def pytest_generate_tests(metafunc):
    """Give each example to one of the two files of tests, which run beside each other."""
    for name, is_framework in (("loop", False), ("framework", True)):
        if name in metafunc.fixturenames:
            found = [e.stem for e in EXAMPLES if bool(_FRAMEWORKS.search(e.read_text())) is is_framework]
            metafunc.parametrize(name, found)


@pytest.fixture(scope="module")
def run_of(tmp_path_factory, wait_until):
    """Run an example once and return its only run, with a client to ask for more."""

    @cache
    def run(name: str) -> tuple[Run, MlflowClient]:
        folder = tmp_path_factory.mktemp(name)
        said = _run_example(name, folder, wait_until)
        client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
        experiment = client.get_experiment_by_name("examples")
        assert experiment is not None, said
        (found,) = client.search_runs([experiment.experiment_id])
        return found, client

    return run


@pytest.fixture(scope="module")
def history_of(run_of):
    """Give the points of a metric that an example logged, by step."""

    def history(name: str, key: str) -> dict[int, float]:
        run, client = run_of(name)
        return {point.step: point.value for point in client.get_metric_history(run.info.run_id, key)}

    return history


def _run_example(name: str, folder: Path, wait_until: Callable[..., None]) -> str:
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
