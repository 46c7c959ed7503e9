"""Runs of code that has never heard of us, logged by MLflow and by what others build on it, are judged."""

import os
import shutil
import subprocess
import sys

import pytest

from grokscope.schemas import Pattern, params_on_axes
from grokscope.store import RoleKind, open_store, roles_of, under_roles
from grokscope.transitions import detect

# The training set is fit by step 40; of the held-out set, nothing is before step 200 and all from 280 on.
_CURVE = """
def accuracy(step, held_out):
    return min(1.0, max(0.1, (step - 200) / 80 if held_out else step / 40))
"""
_PLAIN = """
import mlflow
with mlflow.start_run(run_name="plain"):
    mlflow.log_params({"lr": 0.01, "n_layer": 2})
    for step in range(0, 401, 10):
        mlflow.log_metrics({"train_acc": accuracy(step, False), "val_acc": accuracy(step, True)}, step=step)
"""
_TRANSFORMERS = """
import torch
from transformers import Trainer, TrainingArguments

class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight, self.steps = torch.nn.Parameter(torch.zeros(1)), 0
    def forward(self, place, held_out, labels=None):  # right on the first examples of a split
        self.steps += self.training
        share = torch.tensor([accuracy(self.steps, bool(flag)) for flag in held_out])
        right = (place < 100 * share).float()
        logits = torch.stack([1 - right, right], 1)
        return {"loss": logits[:, 0].mean() + 0 * self.weight.sum(), "logits": logits}

def rows(held_out):
    return [{"place": place, "held_out": held_out, "labels": 1} for place in range(100)]

arguments = TrainingArguments("out", max_steps=400, logging_steps=10, eval_strategy="steps", eval_steps=10,
    save_strategy="no", report_to=["mlflow"], per_device_train_batch_size=4, per_device_eval_batch_size=100,
    use_cpu=True, disable_tqdm=True, learning_rate=0.01)
Trainer(Model(), arguments, train_dataset=rows(0), eval_dataset={"train": rows(0), "test": rows(1)},
    compute_metrics=lambda p: {"accuracy": float((p.predictions.argmax(1) == p.label_ids).mean())}).train()
"""
_LIGHTNING = """
import lightning, torch
from lightning.pytorch.loggers import MLFlowLogger

class Module(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.save_hyperparameters({"lr": 0.01, "n_layer": 2})
        self.weight = torch.nn.Parameter(torch.zeros(1))
    def training_step(self, batch):
        self.log("train_acc", accuracy(self.global_step, False))
        self.log("train_loss", loss := (self.weight * 0).sum(), on_step=True, on_epoch=True)
        return loss
    def validation_step(self, batch):
        self.log("val_acc", accuracy(self.global_step, True))
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.01)

data = torch.utils.data.DataLoader(torch.zeros(400, 1))
lightning.Trainer(max_steps=400, logger=MLFlowLogger(experiment_name="others"), log_every_n_steps=10,
    val_check_interval=10, limit_val_batches=1, num_sanity_val_steps=0, enable_checkpointing=False,
    enable_progress_bar=False, enable_model_summary=False, accelerator="cpu").fit(Module(), data, data)
"""


@pytest.fixture(scope="module", params=["plain", "transformers", "lightning"])
def logged(request, master, tmp_path_factory):
    """Run a program as it is, in a process of its own; give the store, and its only run's points."""
    folder = tmp_path_factory.mktemp(request.param)
    uri = f"sqlite:///{shutil.copy(master, folder / 'mlflow.db')}"
    program = {"plain": _PLAIN, "transformers": _TRANSFORMERS, "lightning": _LIGHTNING}[request.param]
    told = {"MLFLOW_TRACKING_URI": uri, "MLFLOW_EXPERIMENT_NAME": "others", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", _CURVE + program],
        cwd=folder,
        env={**os.environ, **told},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    store = open_store(uri)
    (run,) = store.runs("others")["run_id"]
    return store, run


def test_the_run_is_judged_without_a_change_to_the_code_that_logged_it(logged):
    store, run = logged
    (verdict,) = detect(under_roles(store.points([run]), {}))
    assert verdict.pattern is Pattern.GROKKING
    assert 30 <= verdict.memorized.step <= 60
    assert 200 <= verdict.onset.step < verdict.generalized.step <= 300


def test_its_curves_have_roles_and_its_params_are_on_the_axes(logged):
    store, run = logged
    kinds = {role.kind for role in roles_of(store.metrics([run])["metric"])}
    assert {RoleKind.FIT, RoleKind.OUTCOME} <= kinds
    params = dict(store.params([run]).select("key", "value").iter_rows())
    assert params_on_axes(params)["intervention.protocol.lr"] == "0.01"
