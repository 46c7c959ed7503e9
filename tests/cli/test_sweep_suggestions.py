"""``grokscope sweep --suggest``: further runs where they tell most, by what the runs of a real store did."""

import json
import shutil

import polars as pl
import pytest
from mlflow.entities import Metric, Param
from mlflow.tracking import MlflowClient

from grokscope.collectors.recording.spool import find_spools
from grokscope.interventions.designs.next_cells import next_cells
from grokscope.store import open_store

CONFIG = """
command = ["python", "script.py", "{lr}", "{width}", "{depth}", "{seed}"]
[settings]
depth = 2
[grid]
lr = [1e-3, 1e-2, 1e-1, 1.0]
width = [8, 16, 32, 64]
"""
SCRIPT = """
import sys
from grokscope.collectors import Tracker
with Tracker(experiment="mine") as tracker:
    for step in (10, 20):
        tracker.log(step, {"test/accuracy": 0.5})
"""
TARGET = ("--target", "test/accuracy>=0.9")


def did_reach(lr: float, width: int) -> bool:
    """One cell on either side of the boundary is an exception, as real sweeps have them."""
    return (lr >= 0.1) != ((lr, width) in {(0.1, 8), (0.01, 64)})


@pytest.fixture
def sweep(grokscope, blank_store, tmp_path):
    """A sweep of 4 by 4 cells with a seed each, which reach the target at learning rates from .1 on."""
    uri = f"sqlite:///{shutil.copy(blank_store, tmp_path / 'mlflow.db')}"
    client = MlflowClient(uri)
    experiment = client.create_experiment("a")
    for lr in ("0.001", "0.01", "0.1", "1.0"):
        for width in ("8", "16", "32", "64"):
            run = client.create_run(experiment).info.run_id
            values = [(10, 0.2), (20, 0.95 if did_reach(float(lr), int(width)) else 0.3)]
            metrics = [Metric("test/accuracy", value, step, step) for step, value in values]
            params = [Param("lr", lr), Param("width", width), Param("seed", "0"), Param("depth", "2")]
            client.log_batch(run, metrics=metrics, params=params)
            client.set_terminated(run)
    (tmp_path / "script.py").write_text(SCRIPT)

    def call(*options: str, content: str = CONFIG):
        (tmp_path / "a.toml").write_text(content)
        return grokscope("sweep", "a.toml", *options)

    return call


def listed(sweep, count):
    status, out, err = sweep("--suggest", str(count), *TARGET, "--dry-run", "--format", "json")
    assert status == 0, err
    return [json.loads(line) for line in out.splitlines()], err


def test_suggested_runs_lie_in_cells_of_the_sweep_with_seeds_of_their_own_and_are_trained(
    sweep, tmp_path, wait_until
):
    cells, said = listed(sweep, 2)
    grid = [(lr, width) for lr in (0.001, 0.01, 0.1, 1.0) for width in (8, 16, 32, 64)]
    costs = pl.DataFrame(grid, schema=["lr", "width"], orient="row").with_columns(
        reached=pl.Series([did_reach(lr, width) for lr, width in grid]), low=10.0, high=20.0, spent=20.0
    )
    expected = next_cells(costs, x="lr", y="width", count=2).settings()
    assert [{name: cell["settings"][name] for name in ("lr", "width")} for cell in cells] == expected
    for cell in cells:
        assert (type(cell["settings"]["width"]), cell["settings"]["depth"], cell["seed"]) == (int, 2, 1)
        assert cell["group"] == f"lr={cell['settings']['lr']}, width={cell['settings']['width']}"
    assert said.count("of what is uncertain. Seed 1.") == 2
    status, out, err = sweep("--suggest", "2", *TARGET)
    assert status == 0, err
    assert {line.split("  ")[0] for line in out.splitlines()[1:]} == {cell["group"] for cell in cells}
    wait_until(lambda: not find_spools(tmp_path / "home"))
    trained = {(cell["settings"]["lr"], cell["settings"]["width"]) for cell in cells}
    store = open_store(f"sqlite:///{tmp_path}/mlflow.db")
    assert store.runs("a").height == 18
    again, _ = listed(sweep, 6)
    seeds = {(cell["settings"]["lr"], cell["settings"]["width"]): cell["seed"] for cell in again}
    assert {seed for place, seed in seeds.items() if place in trained} <= {2}
    assert {seed for place, seed in seeds.items() if place not in trained} <= {1}


@pytest.mark.parametrize(
    ("options", "content", "sentence"),
    [
        (("--suggest", "2"), CONFIG, "--suggest N and --target 'METRIC>=VALUE' belong together; give both"),
        (TARGET, CONFIG, "--suggest N and --target 'METRIC>=VALUE' belong together; give both"),
        (
            ("--suggest", "1", *TARGET),
            CONFIG.replace("width = [8, 16, 32, 64]", "width = [8]"),
            "runs are suggested between two settings that are numbers; cells of this sweep differ in lr",
        ),
        (
            ("--suggest", "1", "--target", "loss<=1"),
            CONFIG,
            "a.toml: no run of 'a' has the metric 'loss'; name one that was logged",
        ),
        (("--suggest", "1", "--target", "loss"), CONFIG, "a target is METRIC>=VALUE or METRIC<=VALUE"),
        (
            ("--suggest", "1", *TARGET),
            f"experiment = 'new'\n{CONFIG}",
            "experiment 'new' does not exist; existing: 'Default', 'a'",
        ),
    ],
)
def test_what_cannot_be_suggested_is_one_sentence(sweep, options, content, sentence):
    status, out, err = sweep(*options, content=content)
    assert (status, out) == (2, "")
    assert sentence in err
    assert err.count("\n") == 1
