"""A home and a store of a test's own, and small cells to train."""

import sys
from collections.abc import Callable

import pytest

from grokscope.experiments import Cell


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GROKSCOPE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


@pytest.fixture
def store(tmp_path) -> str:
    return f"sqlite:///{tmp_path}/mlflow.db"


@pytest.fixture
def short_cell() -> Callable[..., Cell]:
    """Give a cell of one of our experiments, with changed settings."""

    def make(*, seed: int = 0, group: str = "g", **settings) -> Cell:
        small = {"steps": 20, "p": 11, "hidden": 8}
        return Cell(
            experiment="e", group=group, seed=seed, settings=small | settings, train="modular-arithmetic"
        )

    return make


@pytest.fixture
def command_cell() -> Callable[..., Cell]:
    """Give a cell that is a command of this Python."""

    def make(script: str, *, seed: int = 0) -> Cell:
        return Cell(experiment="e", group="g", seed=seed, command=(sys.executable, "-c", script))

    return make
