"""Real logs, written by the real tools in processes of their own, and a store to import into."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient

from grokscope.importing import Limits, SourceKind, find_source, parse_source, plan_import, totals, write_plan
from grokscope.importing.recognition import groups_in
from grokscope.importing.worker import Asked, read_source
from grokscope.store import open_store

_TENSORBOARD = """
from torch.utils.tensorboard import SummaryWriter
for seed in range(2):
    with SummaryWriter(f"logs/seed {seed}") as writer:
        for step in range(5):
            writer.add_scalar("Loss/train", 1 / (step + 1) + seed, step)
            writer.add_scalar("Acc/test", step / 4, step, new_style=True)
        writer.add_scalar("odd[0]", float("nan"), 1)
        writer.add_scalar("odd[0]", float("-inf"), 2)
        writer.add_text("note", "x")
        writer.add_hparams({"lr": 0.1, "opt": "adam"}, {"hp/last": 1.0})
"""
_WANDB = """
import os
os.environ.update(WANDB_MODE="offline", WANDB_SILENT="true", WANDB_DIR=".", WANDB_DISABLE_GIT="true")
import wandb
settings = wandb.Settings(x_disable_stats=True, console="off")
config = {"lr": 0.1, "model": {"n_layer": 2}, "api_key": "hidden"}
with wandb.init(project="grok", name="my run ü", config=config, group="g", settings=settings) as run:
    for i in range(5):
        run.log({"train/loss": 1 / (i + 1), "val_acc": float("nan") if i == 2 else i / 4,
                 "eval": {"x": i}, "note": "text" * 9000, "up": float("inf")}, step=i * 10)
"""
_TRACKIO = """
import trackio
trackio.init(project="proj", name="r1", config={"lr": 0.1, "m": {"d": 2}}, group="g", auto_log_gpu=False)
for i in range(5):
    value = float("nan") if i == 1 else float("inf") if i == 2 else 0.1 * i
    trackio.log({"val_acc": value, "note": "x", "n": {"a": i}}, step=i * 10)
trackio.finish()
"""
_TRANSFORMERS = """
import os
os.environ.update(WANDB_MODE="offline", WANDB_SILENT="true", WANDB_DIR=".", WANDB_DISABLE_GIT="true")
import torch
from transformers import Trainer, TrainingArguments
class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(2, 1)
    def forward(self, x, labels=None):
        out = self.layer(x).squeeze(-1)
        return {"loss": ((out - labels) ** 2).mean(), "logits": out}
rows = [{"x": torch.tensor([i / 8, 1.0]), "labels": torch.tensor(float(i))} for i in range(8)]
arguments = TrainingArguments("out/my-model", max_steps=4, logging_steps=1, eval_strategy="steps",
    eval_steps=2, save_steps=2, report_to=["tensorboard", "wandb"], run_name="hf",
    per_device_train_batch_size=4, use_cpu=True, disable_tqdm=True)
Trainer(Model(), arguments, train_dataset=rows, eval_dataset=rows).train()
"""


def _written(folder: Path, program: str) -> Path:
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TRACKIO_DIR": str(folder / "trackio")}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=environment,
        capture_output=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr.decode()
    return folder


@pytest.fixture(autouse=True)
def _own_home(monkeypatch, tmp_path):
    monkeypatch.setenv("GROKSCOPE_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="session")
def tensorboard_logs(tmp_path_factory):
    return _written(tmp_path_factory.mktemp("tensorboard"), _TENSORBOARD) / "logs"


@pytest.fixture(scope="session")
def wandb_logs(tmp_path_factory):
    return _written(tmp_path_factory.mktemp("wandb"), _WANDB) / "wandb"


@pytest.fixture(scope="session")
def trackio_logs(tmp_path_factory):
    return _written(tmp_path_factory.mktemp("trackio"), _TRACKIO) / "trackio"


@pytest.fixture(scope="session")
def trainer_logs(tmp_path_factory):
    return _written(tmp_path_factory.mktemp("transformers"), _TRANSFORMERS) / "out"


@pytest.fixture
def events():
    """Write scalars, ``{tag: {step: value}}``, with TensorBoard's own writer."""
    import tensorboard.summary.writer.event_file_writer as writers  # noqa: PLC0415 - seconds
    from tensorboard.compat.proto import event_pb2, summary_pb2  # noqa: PLC0415 - seconds

    def write(folder, curves, *, time=1, restart=None):
        writer = writers.EventFileWriter(str(folder))
        if restart is not None:
            log = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
            writer.add_event(event_pb2.Event(wall_time=time, step=restart, session_log=log))
        for tag, values in curves.items():
            for step, value in values.items():
                one = summary_pb2.Summary.Value(tag=tag, simple_value=value)
                summary = summary_pb2.Summary(value=[one])
                writer.add_event(event_pb2.Event(wall_time=time, step=step, summary=summary))
        writer.close()
        (made,) = (path for path in folder.iterdir() if "tfevents" in path.name and ".host." not in path.name)
        made.rename(folder / f"events.out.tfevents.{time:010}.host.1")

    return write


@pytest.fixture
def runs_in():
    """Read a source in this process; give its runs as {name: (curves, run)}, and what was skipped."""

    def read(source, *, kind=None, **asked):
        found = find_source(str(source), kind=kind and SourceKind(kind))
        logs, skipped = read_source(found, Asked(**asked))
        runs = {}
        for log in logs:
            curves = {}
            for metric, step, value in log.points.select("metric", "step", "value").iter_rows():
                curves.setdefault(metric, {})[step] = value
            runs[log.run.name] = (curves, log.run)
        assert len(runs) == len(logs)
        return runs, {one.path: one for one in skipped}

    return read


@pytest.fixture
def kinds_in():
    """Tell the kinds of the logs in a folder, by what its files begin with."""

    def tell(folder):
        groups, _ = groups_in(find_source(str(folder)), Limits())
        return [group.format.kind for group in groups]

    return tell


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    """An empty MLflow store; its creation takes seconds, so tests copy it."""
    path = tmp_path_factory.mktemp("empty") / "mlflow.db"
    MlflowClient(tracking_uri=f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def uri(empty_store, tmp_path):
    return f"sqlite:///{shutil.copy(empty_store, tmp_path / 'mlflow.db')}"


@pytest.fixture
def bring(uri):
    """Import a source; give (runs made, runs found, points added)."""

    def call(source, *, experiment=None, patterns=(), step=None, **options):
        found = find_source(str(source), **options)
        parsed = parse_source(found, patterns=patterns, step=step)
        plan = plan_import(parsed, found, uri=uri, experiment=experiment)
        result = totals(plan)
        written = sum(write_plan(plan, uri=uri))
        assert written == result[2]
        return result

    return call


@pytest.fixture
def held(uri):
    """Read what a run holds: its curves as {metric: {step: value}}, its params, its tags, its row."""

    def call(name):
        store = open_store(uri)
        (row,) = [row for row in store.runs().iter_rows(named=True) if row["name"] == name]
        points = store.points([row["run_id"]])
        curves = {}
        for metric, step, value in points.select("metric", "step", "value").iter_rows():
            curves.setdefault(metric, {})[step] = value
        pairs = [
            dict(f([row["run_id"]]).select("key", "value").iter_rows()) for f in (store.params, store.tags)
        ]
        return curves, *pairs, row

    return call
