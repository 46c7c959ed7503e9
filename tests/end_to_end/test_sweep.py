"""A sweep that is killed again and again ends with every cell once: real processes, a real store."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack, closing

import pytest
from mlflow.tracking import MlflowClient

from grokscope.collectors.recording.spool import find_spools

pytestmark = pytest.mark.timeout(200)

# A cell takes twice as long as the longest wait before a kill, so that no killed sweep ends by itself.
STEPS, RATES, SEEDS = 30, (0.1, 0.2, 0.3, 0.4), (0, 1)
FUNCTION = f"""
import time
from grokscope.collectors import Tracker

def train(lr, seed):
    with Tracker(experiment="the sweep's stands above", config={{"lr": lr}}) as tracker:
        for step in range({STEPS}):
            tracker.log(step, {{"train/loss": lr / (1 + step), "test/loss": seed + step}})
            time.sleep(0.03)
"""
CONFIG = f'train = "own.py:train"\nseeds = {list(SEEDS)}\ngrid = {{lr = {list(RATES)}}}\nworkers = 2\n'


@pytest.fixture(scope="module")
def blank(tmp_path_factory):
    path = tmp_path_factory.mktemp("blank") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def folder(blank, tmp_path):
    shutil.copy(blank, tmp_path / "mlflow.db")
    (tmp_path / "own.py").write_text(FUNCTION)
    (tmp_path / "grid.toml").write_text(CONFIG)
    return tmp_path


@pytest.fixture
def start(folder):
    environment = {**os.environ, "GROKSCOPE_HOME": str(folder / "home")}
    environment.pop("MLFLOW_TRACKING_URI", None)

    with ExitStack() as processes:

        def starting(*options: str) -> "subprocess.Popen[str]":
            process = subprocess.Popen(
                [sys.executable, "-m", "grokscope.cli.main", "sweep", "grid.toml", *options],
                cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )  # fmt: skip
            processes.enter_context(process)  # closes its pipes, and waits
            processes.callback(process.kill)
            return process

        yield starting


def begun(folder):
    return len(list((folder / "home/runs").glob("*.json")))


def rows(folder, question):
    with closing(sqlite3.connect(folder / "mlflow.db")) as store:
        return store.execute(question).fetchall()


def test_a_sweep_that_is_killed_five_times_trains_every_cell_exactly_once(folder, start, wait_until):
    draw = random.Random(20)
    for _ in range(5):
        before = begun(folder)
        process = start()
        # At whatever moment, once something has begun that can be broken off.
        wait_until(
            lambda before=before, process=process: begun(folder) > before or process.poll() is not None
        )
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(draw.uniform(0, 0.5))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    process = start()
    out, told = process.communicate(timeout=120)
    assert process.returncode == 0, told
    assert out.splitlines()[1:] == [f"lr={rate}     2     2       0" for rate in RATES]
    wait_until(lambda: not find_spools(folder / "home"))

    runs = rows(folder, "SELECT run_uuid, status, lifecycle_stage FROM runs")
    active = {run for run, _, stage in runs if stage == "active"}
    assert {status for run, status, _ in runs if run in active} == {"FINISHED"}
    params = rows(folder, "SELECT run_uuid, key, value FROM params WHERE key IN ('lr', 'seed')")
    cells = Counter(tuple(sorted((key, value) for run, key, value in params if run == one)) for one in active)
    assert cells == {(("lr", str(rate)), ("seed", str(seed))): 1 for rate in RATES for seed in SEEDS}
    points = Counter(
        point for point in rows(folder, "SELECT run_uuid, key, step FROM metrics") if point[0] in active
    )
    keys = ("train/loss", "test/loss")
    assert points == {(run, key, step): 1 for run in active for key in keys for step in range(STEPS)}


def test_a_second_sweep_beside_the_first_trains_nothing_twice(folder, start, wait_until):
    first, second = start(), start()
    for process in (first, second):
        assert process.communicate(timeout=120)[0].splitlines()[1] == "lr=0.1     2     2       0"
        assert process.returncode == 0
    wait_until(lambda: not find_spools(folder / "home"))
    assert rows(folder, "SELECT COUNT(*), lifecycle_stage FROM runs GROUP BY 2") == [(8, "active")]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_sweep_that_is_interrupted_ends_its_jobs_and_says_how_to_go_on(
    folder, start, wait_until, command_lines, number, status
):
    process = start()
    wait_until(lambda: begun(folder) > 0)
    process.send_signal(number)
    _, told = process.communicate(timeout=30)
    assert process.returncode == status
    assert "of 8 runs are left; the same command goes on with them" in told
    mine = {path.stem for path in (folder / "home/runs").glob("*.json")}
    wait_until(lambda: not mine & {word for words in command_lines().values() for word in words})
