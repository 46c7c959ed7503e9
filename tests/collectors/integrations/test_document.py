"""Every snippet of docs/integrations.md runs as it stands there, with what its reader brings."""

import re
from functools import partial
from pathlib import Path

import accelerate
import keras
import lightning.pytorch as pl
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments

from grokscope.collectors import tracker
from grokscope.collectors.testing import MemorySink

PAGE = (Path(__file__).parents[3] / "docs" / "integrations.md").read_text()
SNIPPETS = dict(re.findall(r"^## ([^\n]+)\n\n```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
TOLD = {
    "What training has seen": {"train/batch_loss", "progress/examples", "progress/epochs"},
    "Lightning": {"train/batch_loss", "test/loss", "gradients/norm", "progress/examples"},
    "Hugging Face Trainer": {"train/batch_loss", "test/loss", "trainer/mean_train_loss", "progress/examples"},
    "Keras 3": {"train/batch_loss", "test/loss", "train/epoch_loss", "val/loss"},
    "Accelerate": {"train/batch_loss", "test/loss", "gradients/norm"},
    "Code that calls W&B": {"val/loss", "weights/norm", "summary/best"},
}
MLFLOW = "Code that calls MLflow"  # runs in the store of test_mlflow_metrics

pytestmark = pytest.mark.filterwarnings(
    "ignore::lightning.fabric.utilities.warnings.PossibleUserWarning",
    "ignore:.*LeafSpec:FutureWarning",
    "ignore::DeprecationWarning:keras",
)

INPUTS, TARGETS = torch.linspace(-1, 1, 80).reshape(20, 4), torch.arange(20) % 3


class Module(pl.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 3)

    def forward(self, inputs):
        return self.layer(inputs)

    def training_step(self, batch, _):
        return cross_entropy(self(batch[0]), batch[1])

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def brought(folder: Path) -> dict[str, object]:
    """Return what the snippets' reader has."""
    model, keras_model = nn.Linear(4, 3), keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    keras_model.compile("sgd", loss, metrics=["accuracy"])
    tokens = torch.arange(32).reshape(4, 8) % 8
    off = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")
    trainer = partial(pl.Trainer, accelerator="cpu", **dict.fromkeys(off, False))
    quiet = {"report_to": [], "disable_tqdm": True, "save_strategy": "no", "use_cpu": True}
    size = GPT2Config(vocab_size=8, n_positions=8, n_embd=8, n_layer=1, n_head=1)
    return {
        "Trainer": trainer,
        "HuggingFaceTrainer": Trainer,
        "arguments": TrainingArguments(str(folder), max_steps=1, logging_steps=1, **quiet),
        "language_model": GPT2LMHeadModel(size),
        "tokens": tokens,
        "rows": [{"input_ids": row, "labels": row} for row in tokens],
        "module": Module(),
        "loader": DataLoader(TensorDataset(INPUTS, TARGETS), batch_size=10),
        "test_set": (INPUTS, TARGETS),
        "held_out": (INPUTS.numpy(), TARGETS.numpy()),
        "inputs": INPUTS.numpy(),
        "targets": TARGETS.numpy(),
        "keras_model": keras_model,
        "model": model,
        "optimizer": torch.optim.SGD(model.parameters(), lr=0.1),
        "accelerator": accelerate.Accelerator(cpu=True),
        "cross_entropy": cross_entropy,
    }


@pytest.mark.parametrize("title", TOLD)
def test_the_snippet_runs_and_logs_what_its_section_says(title, tmp_path, monkeypatch, capsys):
    sink = MemorySink()
    monkeypatch.setattr(tracker, "open_sink", lambda *_, **__: sink)
    exec(compile(SNIPPETS[title], title, "exec"), brought(tmp_path))
    assert TOLD[title] <= {key for _, key, _ in sink.rows()}
    assert sink.status == "FINISHED"
    assert "grokscope:" not in capsys.readouterr().err


def test_every_snippet_of_the_page_is_run():
    assert SNIPPETS.keys() == TOLD.keys() | {MLFLOW}
    assert len(SNIPPETS) == PAGE.count("```python")
