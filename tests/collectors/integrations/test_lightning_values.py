"""What the callback keeps is what Lightning's own loggers are given, at the steps that it belongs to."""

import lightning.pytorch as pl
import pytest
import torch
from lightning.pytorch.callbacks import GradientAccumulationScheduler
from lightning.pytorch.loggers import Logger
from lightning.pytorch.plugins import MixedPrecision
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from grokscope.collectors.integrations.lightning import GrokscopeCallback
from grokscope.collectors.testing import MemorySink

pytestmark = pytest.mark.filterwarnings(
    "ignore::lightning.fabric.utilities.warnings.PossibleUserWarning", "ignore:.*LeafSpec:FutureWarning"
)

INPUTS, TARGETS = torch.linspace(-1, 1, 200).reshape(50, 4), torch.arange(50) % 3
BATCHES, LOSS = 5, "train/batch_loss"
SCALED = [MixedPrecision("16-mixed", "cpu", scaler=torch.amp.GradScaler("cpu"))]


class Recorder(Logger):
    """Lightning's own values, at its own steps, which count from 0."""

    name, version = "recorder", 0

    def __init__(self) -> None:
        super().__init__()
        self.rows: set[tuple[int, str, float]] = set()

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        self.rows |= {(step + 1, name, value) for name, value in metrics.items() if name != "epoch"}

    def log_hyperparams(self, *_: object) -> None:
        """Keep none."""


class Module(pl.LightningModule):
    """Logs in every way that there is, and keeps the loss of every batch."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(4, 3)
        self.losses: list[float] = []

    def forward(self, inputs: Tensor) -> Tensor:
        return self.layer(inputs)

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        loss = cross_entropy(self(batch[0]), batch[1])
        self.losses.append(loss.item())
        self.log("each", loss)
        self.log("mean", loss, on_step=False, on_epoch=True)
        self.log("both", loss, on_step=True, on_epoch=True)
        return loss

    def on_train_batch_end(self, *_: object) -> None:
        self.log("after the batch", float(len(self.losses)))

    def on_train_epoch_end(self) -> None:
        self.log("after the epoch", float(len(self.losses)))

    def validation_step(self, batch: tuple[Tensor, Tensor], _: int, dataloader_idx: int = 0) -> None:
        loss = cross_entropy(self(batch[0]), batch[1])
        self.log("val_loss", loss)
        self.log("val_both", loss, on_step=True, on_epoch=True)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.5)


class Manual(Module):
    """Two optimizers, stepped by hand at every second batch and at the last one of three."""

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        loss = super().training_step(batch, index)
        self.manual_backward(loss / 2)
        if index % 2:
            for optimizer in self.optimizers():
                optimizer.step()
                optimizer.zero_grad()
        return loss

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        return [torch.optim.SGD([part], lr=0.5) for part in self.layer.parameters()]


def loader(n: int = 50) -> DataLoader:
    return DataLoader(TensorDataset(INPUTS[:n], TARGETS[:n]), batch_size=10)


def trainer_with(*callbacks: pl.Callback, recorder: Recorder | None = None, **options: object) -> pl.Trainer:
    return pl.Trainer(
        accelerator="cpu", logger=recorder or False, log_every_n_steps=1, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, callbacks=list(callbacks),
        **{"max_epochs": 2} | options,
    )  # fmt: skip


def fitted(*others: pl.Callback, module: Module | None = None, validated=(), **options: object):
    """Train and return the module, our rows and Lightning's."""
    sink, recorder, module = MemorySink(), Recorder(), module or Module()
    callback = GrokscopeCallback(experiment="e", sink=sink)
    loaders = list(validated) or None
    trainer_with(callback, *others, recorder=recorder, **options).fit(module, loader(), loaders)
    assert sink.status == "FINISHED"
    # What is counted of batches is no value of Lightning's.
    return module, [row for row in sink.rows() if not row[1].startswith("progress/")], recorder.rows


def losses_of(rows: list[tuple[int, str, float]]) -> dict[int, float]:
    return {step: value for step, key, value in rows if key == LOSS}


def own(rows: list[tuple[int, str, float]]) -> list[tuple[int, str, float]]:
    """Return what the module logged, which must be there once."""
    return sorted(row for row in rows if row[1] != LOSS)


def epochs_and_steps(theirs: set[tuple[int, str, float]]) -> list[tuple[int, str, float]]:
    """Leave out single batches of a validation, which Lightning counts by themselves."""
    return sorted(row for row in theirs if not row[1].startswith("val_both_step"))


def means(losses: list[float], parts: list[int]) -> list[float]:
    found, begin = [], 0
    for size in parts:
        found.append(sum(losses[begin : begin + size]) / size)
        begin += size
    return found


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({}, [1] * 10),
        ({"accumulate_grad_batches": 2}, [2, 2, 1] * 2),
        ({"accumulate_grad_batches": 3, "max_epochs": 3}, [3, 2] * 3),
        ({"precision": "bf16-mixed", "accumulate_grad_batches": 2}, [2, 2, 1] * 2),
        ({"plugins": SCALED, "accumulate_grad_batches": 2}, [2, 2, 1] * 2),
        ({"max_epochs": -1, "max_steps": 4, "accumulate_grad_batches": 2}, [2, 2, 1, 2]),
    ],
)
def test_a_step_s_loss_is_the_mean_of_its_batches_and_all_else_is_lightning_s_own(options, parts):
    module, rows, theirs = fitted(validated=[loader(30)], **options)
    assert losses_of(rows) == pytest.approx(dict(enumerate(means(module.losses, parts), start=1)))
    assert own(rows) == epochs_and_steps(theirs)


def test_the_parts_of_a_step_may_change_with_the_epoch():
    module, rows, theirs = fitted(GradientAccumulationScheduler({0: 1, 1: 4}))
    expected = means(module.losses, [1] * BATCHES + [4, 1])
    assert losses_of(rows) == pytest.approx(dict(enumerate(expected, start=1)))
    assert own(rows) == epochs_and_steps(theirs)


def test_epochs_are_kept_at_their_own_last_step_without_a_validation_too():
    module, rows, _ = fitted()
    found = {step: value for step, key, value in rows if key == "mean"}
    assert found == pytest.approx(dict(zip([5, 10], means(module.losses, [5, 5]), strict=True)))
    assert [(step, value) for step, key, value in rows if key == "after the epoch"] == [(5, 5.0), (10, 10.0)]


def test_each_loader_of_a_validation_has_its_name_and_no_value_comes_twice():
    _, rows, theirs = fitted(validated=[loader(30), loader(20)], check_val_every_n_epoch=2, max_epochs=5)
    names = [f"{name}/dataloader_idx_{i}" for name in ("val_both_epoch", "val_loss") for i in (0, 1)]
    assert sorted((step, key) for step, key, _ in rows if key.startswith("val")) == [
        (step, name) for step in (10, 20) for name in names
    ]
    assert own(rows) == epochs_and_steps(theirs)


def test_a_validation_inside_an_epoch_is_kept_where_it_was():
    _, rows, theirs = fitted(validated=[loader(30)], val_check_interval=2, accumulate_grad_batches=2)
    assert [step for step, key, _ in rows if key == "val_loss"] == [1, 2, 4, 5]
    assert own(rows) == epochs_and_steps(theirs)


def test_what_is_stepped_by_hand_is_logged_at_the_steps_of_its_optimizers():
    module, rows, _ = fitted(module=Manual(), max_epochs=1)
    assert losses_of(rows) == pytest.approx(dict(zip([2, 4], means(module.losses, [2, 2]), strict=True)))
    each = [(step, value) for step, key, value in rows if key == "each"]
    assert each == [(2, module.losses[1]), (4, module.losses[3])]
    assert [step for step, key, _ in rows if key == "mean"] == [4]


def test_a_second_fit_of_a_trainer_goes_on_in_the_run_of_the_first():
    sink, module = MemorySink(), Module()
    callback = GrokscopeCallback(experiment="e", sink=sink)
    trainer = trainer_with(callback, max_epochs=1)
    trainer.fit(module, loader(), loader(10))
    run = callback.tracker.run_id
    trainer.fit_loop.max_epochs = 2
    trainer.fit(module, loader(), loader(10))
    assert callback.tracker.run_id == run
    assert losses_of(sink.rows()) == pytest.approx(dict(enumerate(module.losses, start=1)))
    assert [step for step, key, _ in sink.rows() if key == "val_loss"] == [5, 10]


def test_a_resumed_training_goes_on_counting(tmp_path):
    sinks = MemorySink(), MemorySink()
    for sink, path, epochs in ((sinks[0], None, 1), (sinks[1], tmp_path / "last.ckpt", 2)):
        module = Module()
        trainer = trainer_with(GrokscopeCallback(experiment="e", sink=sink), max_epochs=epochs)
        trainer.fit(module, loader(), loader(10), ckpt_path=path)
        trainer.save_checkpoint(tmp_path / "last.ckpt")
    assert losses_of(sinks[1].rows()) == pytest.approx(dict(enumerate(module.losses, start=6)))
    assert [step for step, key, _ in sinks[1].rows() if key in ("mean", "val_loss")] == [10, 10]
