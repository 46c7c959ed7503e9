"""Code that calls MLflow finds, inside ``spooled``, what it would have found without it."""

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import mlflow
import pytest
from mlflow.tracking import MlflowClient

from grokscope.collectors.integrations import mlflow_metrics

PAGE = (Path(__file__).parents[3] / "docs" / "integrations.md").read_text()
(SNIPPET,) = re.findall(r"^## Code that calls MLflow\n\n```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
SCRIPT = """
import mlflow
from mlflow.entities import LoggedModelOutput
from grokscope.collectors.integrations.mlflow_metrics import spooled
mlflow.set_experiment("e")
with mlflow.start_run(run_name="other") as other:
    pass
before = mlflow.log_metric, mlflow.log_metrics, mlflow.end_run, mlflow.tracking.fluent.end_run
with spooled(mlflow):
    with mlflow.start_run(run_name="parent") as parent:
        for step in range(2):
            mlflow.log_metric("loss", step + 0.5, step=step)
            with mlflow.start_run(run_name=f"child {step}", nested=True):
                mlflow.log_metrics({"loss": step + 0.25}, step)
        mlflow.log_metric("default", 7)
        mlflow.log_metric("positional", 1.0, 5, None, 123, other.info.run_id)
        mlflow.log_metrics({"keyword": 2.0}, run_id=other.info.run_id, timestamp=456)
        mlflow.log_metrics({"unasked": 1.0}, 3, None, None, None, None, None)
        mlflow.log_metrics({"later": 1.0}, step=1, synchronous=False).wait()
        model = mlflow.create_external_model(name="m")
        mlflow.log_metric("of model", 3.0, model_id=model.model_id)
        mlflow.log_outputs([LoggedModelOutput(model.model_id, step=9)])
    with mlflow.start_run(run_id=parent.info.run_id):
        mlflow.log_metric("at its step", 4.0, step=9)
    try:
        with mlflow.start_run(run_name="broken"):
            mlflow.log_metric("loss", 1.0)
            raise ValueError
    except ValueError:
        pass
    mlflow.start_run(run_name="by hand")
    mlflow.log_metric("loss", 1.0)
    mlflow.end_run("KILLED")
    assert mlflow.active_run() is None
assert before == (mlflow.log_metric, mlflow.log_metrics, mlflow.end_run, mlflow.tracking.fluent.end_run)

import lightning.pytorch as pl, torch
from contextlib import nullcontext
from grokscope.collectors.integrations.lightning import GrokscopeCallback
class Line(pl.LightningModule):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layer = torch.nn.Linear(1, 1)
    def training_step(self, batch, index):
        loss = ((self.layer(batch) - 1) ** 2).mean()
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)
mlflow.pytorch.autolog(log_models=False, checkpoint=False)
for name, block in (("autolog", nullcontext()), ("autolog inside", spooled(mlflow))):
    ours = GrokscopeCallback(experiment="e", name=f"beside {name}")
    trainer = pl.Trainer(
        max_epochs=3, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, callbacks=[ours],
    )
    with block, mlflow.start_run(run_name=name):
        trainer.fit(Line(), torch.utils.data.DataLoader(torch.ones(8, 1), batch_size=2))
        mlflow.log_metric("own", 1.5, step=4)
print(model.model_id)
"""


@pytest.fixture(scope="module")
def logged(tmp_path_factory, wait_until):
    """Run the script, and give its store's client, its runs by name, and its model's id."""
    folder = tmp_path_factory.mktemp("drop-in")
    store = f"sqlite:///{folder}/mlflow.db"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SNIPPET + SCRIPT],
        env=os.environ | {"GROKSCOPE_HOME": str(folder / "home"), "MLFLOW_TRACKING_URI": store},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    wait_until(lambda: not list((folder / "home" / "spool").iterdir()))
    client = MlflowClient(store)
    runs = client.search_runs([client.get_experiment_by_name("e").experiment_id])
    return client, {run.info.run_name: run for run in runs}, done.stdout.split()[-1]


def points(logged, run: str, key: str) -> list[tuple[int, float]]:
    client, runs, _ = logged
    return [(m.step, m.value) for m in client.get_metric_history(runs[run].info.run_id, key)]


def test_every_point_is_in_the_run_that_was_active(logged):
    assert points(logged, "parent", "loss") == [(0, 0.5), (1, 1.5)]
    for step in range(2):
        assert points(logged, f"child {step}", "loss") == [(step, step + 0.25)]
    assert points(logged, "parent", "default") == [(0, 7.0)]
    assert points(logged, "parent", "unasked") == [(3, 1.0)]


def test_the_snippet_of_the_page_of_integrations_logs_into_the_run_that_it_starts(logged):
    client, _, _ = logged
    (run,) = client.search_runs([client.get_experiment_by_name("Default").experiment_id])
    assert (run.info.run_name, run.info.status) == ("drop-in", "FINISHED")
    found = [(m.step, m.value) for m in client.get_metric_history(run.info.run_id, "train_loss")]
    assert found == [(1, 0.5)]


def test_a_run_around_others_stays_one_attempt(logged):
    assert {run.data.tags.get("grokscope.attempt") for run in logged[1].values()} == {"1", None}


def test_what_names_a_run_or_a_time_of_its_own_goes_there_however_it_is_passed(logged):
    client, runs, _ = logged
    other = runs["other"].info.run_id
    found = [*client.get_metric_history(other, "positional"), *client.get_metric_history(other, "keyword")]
    assert [(m.step, m.timestamp, m.value) for m in found] == [(5, 123, 1.0), (0, 456, 2.0)]
    assert {"positional", "keyword"}.isdisjoint(runs["parent"].data.metrics)


def test_what_is_asked_to_be_logged_later_can_be_waited_for(logged):
    assert points(logged, "parent", "later") == [(1, 1.0)]


def test_a_metric_of_a_model_or_at_its_step_is_the_model_s(logged):
    client, _, model = logged
    found = {m.key: (m.step, m.value) for m in client.get_logged_model(model).metrics}
    assert found == {"of model": (0, 3.0), "at its step": (9, 4.0)}


@pytest.mark.parametrize(
    ("run", "status"),
    [("parent", "FINISHED"), ("child 1", "FINISHED"), ("broken", "FAILED"), ("by hand", "KILLED")],
)
def test_a_run_ends_as_it_ends_in_mlflow(logged, run, status):
    assert logged[1][run].info.status == status


@pytest.mark.parametrize("name", ["log_metric", "log_metrics", "end_run"])
def test_the_stand_ins_take_what_mlflow_s_own_functions_take(name):
    """Those arguments that are ours to read have MLflow's names, order and defaults; others pass."""
    own = list(inspect.signature(getattr(mlflow_metrics._DropIn, name)).parameters.values())[1:]
    read = [(p.name, p.default) for p in own if p.kind is p.POSITIONAL_OR_KEYWORD]
    theirs = [(p.name, p.default) for p in inspect.signature(getattr(mlflow, name)).parameters.values()]
    assert read == theirs[: len(read)]


def test_mlflow_s_autologging_of_lightning_is_what_it_is_without_us_inside_and_beside(logged):
    _, runs, _ = logged
    assert runs["autolog"].data.metrics.keys() == {"train_loss", "own"}
    plain = points(logged, "autolog", "train_loss")
    assert [step for step, _ in plain] == [0, 1, 2]  # its epochs; our callback counts steps
    assert runs["autolog inside"].data.metrics == runs["autolog"].data.metrics
    assert points(logged, "autolog inside", "train_loss") == plain
    for name in ("autolog", "autolog inside"):
        beside = points(logged, f"beside {name}", "train_loss")
        assert beside == [(4 * (step + 1), value) for step, value in plain]
        assert points(logged, name, "own") == [(4, 1.5)]
