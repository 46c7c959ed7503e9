"""Steps are what counts them: the metric that W&B was told, the one that is named, and fractions."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import polars as pl
import pytest

from grokscope.importing import ImportingError
from grokscope.importing.steps import whole_steps

_RUNS = """
import os
os.environ.update(WANDB_MODE="offline", WANDB_SILENT="true", WANDB_DIR=".", WANDB_DISABLE_GIT="true")
import wandb
settings = wandb.Settings(x_disable_stats=True, console="off")
def run(name, logged, defined=(), **end):
    with wandb.init(project="p", name=name, tags=["t"], settings=settings) as run:
        for arguments in defined:
            run.define_metric(**arguments)
        for values in logged:
            run.log(values)
        run.summary["best"] = 0.75
        run.config["late"] = 3
run("defined", [{"loss": 3.0, "n": 10}, {"loss": 2.0, "n": 20}, {"val": 1.5}],
    [{"name": "n"}, {"name": "*", "step_metric": "n", "step_sync": True}])
run("counted", [{"iter": i * 250, "train/loss": 1 / (i + 1)} for i in range(3)])
run("partly", [{"loss": 3.0}, {"loss": 2.0, "val": 1.5, "epoch": 1}],
    [{"name": "val", "step_metric": "epoch"}])
run("plain", [{"loss": 3.0, "epoch": 0.5}, {"loss": 2.0, "epoch": 1.0}])
"""


@pytest.fixture(scope="module")
def counters(tmp_path_factory):
    folder = tmp_path_factory.mktemp("counters")
    subprocess.run([sys.executable, "-c", _RUNS], cwd=folder, env=os.environ, check=True, timeout=200)
    return folder


def test_wandb_steps_are_the_metric_that_counts_them(counters, runs_in):
    runs, _ = runs_in(counters)
    assert {name: curves for name, (curves, _) in runs.items()} == {
        "defined": {"loss": {10: 3.0, 20: 2.0}, "val": {20: 1.5}},
        "counted": {"train/loss": {0: 1.0, 250: 0.5, 500: 1 / 3}},
        # One run has one axis: epochs count but one of its curves.
        "partly": {"loss": {0: 3.0, 1: 2.0}, "val": {1: 1.5}, "epoch": {1: 1.0}},
        "plain": {"loss": {0: 3.0, 1: 2.0}, "epoch": {0: 0.5, 1: 1.0}},
    }
    assert [runs[name][1].notes for name in ("defined", "counted", "partly")] == [
        ("steps are n",),
        ("steps are iter",),
        (),
    ]
    run = runs["plain"][1]
    assert (run.params["late"], run.tags["wandb.summary.best"], run.tags["wandb.tags"]) == ("3", "0.75", "t")


def test_what_is_named_counts_the_steps_and_fractions_are_thousandths(counters, runs_in, events, tmp_path):
    (plain,) = (path for path in counters.glob("wandb/offline-run-*") if b"plain" in _bytes(path))
    ((curves, run),) = runs_in(plain, step="epoch")[0].values()
    assert curves == {"loss": {500: 3.0, 1000: 2.0}}
    assert run.in_thousandths
    assert run.notes == ("steps are epoch", "its steps are fractions; they are counted in thousandths")
    ((curves, _),) = runs_in(plain, step="_step")[0].values()
    assert list(curves["loss"]) == [0, 1]
    events(tmp_path, {"tokens": {0: 100, 5: 200}, "loss": {0: 3.0, 5: 2.0, 7: 1.0}})
    ((curves, _),) = runs_in(tmp_path, step="tokens")[0].values()
    assert curves == {"loss": {100: 3.0, 200: 1.0}}
    _, skipped = runs_in(tmp_path, step="epochs")
    (one,) = skipped.values()
    assert one.reason == "'.' has no metric 'epochs' to count the steps by; it has 'loss', 'tokens'"


def _bytes(folder):
    return b"".join(path.read_bytes() for path in folder.glob("*.wandb"))


def test_a_run_without_an_exit_record_has_ended_and_says_that_nobody_knows_how(
    wandb_logs, bring, held, tmp_path
):
    (path,) = wandb_logs.glob("offline-run*/*.wandb")
    copied = tmp_path / path.name
    shutil.copy(path, copied)
    copied.write_bytes(copied.read_bytes()[:-200])
    bring(copied)
    _, _, tags, row = held("my run ü")
    assert row["status"] == "FINISHED"
    assert tags["grokscope.import.notes"] == "it has no exit record: how it ended is not known"


@pytest.mark.parametrize("steps", [[1.0, None], ["1", "x"], [float("nan")], [1e300], [0.5, 1e17]])
def test_what_counts_nothing_is_no_step(steps):
    with pytest.raises(ImportingError, match=r"'a' has the step .* which is no number that counts"):
        whole_steps(pl.Series(steps), where="a")


def test_epochs_in_any_kind_are_counted_in_thousandths_and_said(runs_in, tmp_path):
    history = [{"step": 0.5, "loss": 2.0}, {"step": 1, "loss": 1.0}]
    (tmp_path / "trainer_state.json").write_text(json.dumps({"log_history": history}))
    with closing(sqlite3.connect(tmp_path / "epochs.db")) as connection:
        connection.execute("CREATE TABLE configs (run_id, config)")
        connection.execute(
            "CREATE TABLE metrics (id INTEGER PRIMARY KEY, run_id, timestamp, run_name, step, metrics)"
        )
        connection.execute("""INSERT INTO metrics VALUES (1, 'r', '', 'r', 1.5, '{"loss": 0.5}')""")
        connection.commit()
    runs, _ = runs_in(tmp_path)
    assert {run.kind: curves["loss"] for curves, run in runs.values()} == {
        "transformers": {500: 2.0, 1000: 1.0},
        "trackio": {1500: 0.5},
    }
    said = ("its steps are fractions; they are counted in thousandths",)
    assert {(run.notes, run.in_thousandths) for _, run in runs.values()} == {(said, True)}


def test_large_whole_steps_keep_their_last_digit():
    assert whole_steps(pl.Series(["9007199254740993", " 1 "]), where="a").steps.to_list() == [2**53 + 1, 1]
