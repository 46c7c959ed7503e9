"""Lightning's ``Trainer`` that validates, ends early, fails or resumes: its run tells it as it was."""

import signal

import lightning.pytorch as pl
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from grokscope.collectors.integrations.lightning import GrokscopeCallback
from grokscope.collectors.testing import MemorySink

# Lightning's advice to those who train for real, and its use of what torch has renamed.
pytestmark = pytest.mark.filterwarnings(
    "ignore::lightning.fabric.utilities.warnings.PossibleUserWarning", "ignore:.*LeafSpec:FutureWarning"
)

INPUTS, TARGETS = torch.linspace(-1, 1, 160).reshape(40, 4), torch.arange(40) % 3


class Classifier(pl.LightningModule):
    def __init__(self, fails_at: int | None = None) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 3)
        self._fails_at = fails_at

    def forward(self, inputs: Tensor) -> Tensor:
        return self.layer(inputs)

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        if self.global_step == self._fails_at:
            raise RuntimeError("out of memory")
        return cross_entropy(self(batch[0]), batch[1])

    def validation_step(self, batch: tuple[Tensor, Tensor], _: int) -> None:
        self.log("val_loss", cross_entropy(self(batch[0]), batch[1]))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def trainer_with(*callbacks: pl.Callback, epochs: int = 2) -> pl.Trainer:
    return pl.Trainer(
        max_epochs=epochs, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, callbacks=list(callbacks),
    )  # fmt: skip


def tracked() -> tuple[GrokscopeCallback, MemorySink]:
    sink = MemorySink()
    return GrokscopeCallback({"test": (INPUTS, TARGETS)}, experiment="e", sink=sink), sink


def loader() -> DataLoader:
    return DataLoader(TensorDataset(INPUTS, TARGETS), batch_size=10)


@pytest.mark.filterwarnings("ignore:.*returned .None.")
@pytest.mark.parametrize("is_automatic", [True, False])
def test_a_module_without_an_optimizer_is_kept_where_lightning_counts_steps_and_told_where_not(
    is_automatic, capsys
):
    class Counting(Classifier):
        automatic_optimization = is_automatic

        def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> None:
            self.log("each", float(index))
            self.log("mean", float(index), on_step=False, on_epoch=True)

        def configure_optimizers(self) -> None:
            return None

    callback, sink = tracked()
    trainer_with(callback, epochs=1).fit(Counting(), loader())
    each = [(step, value) for step, key, value in sink.rows() if key == "each"]
    assert each == ([(1, 0.0), (2, 1.0), (3, 2.0), (4, 3.0)] if is_automatic else [])
    assert (4 if is_automatic else 0, "mean", 1.5) in sink.rows()
    said = capsys.readouterr().err
    assert ("no optimizer made a step" in said) is not is_automatic
    assert "holds no parameter" not in said


def test_what_is_validated_while_training_is_kept_and_nothing_of_other_checks(capsys):
    callback, sink = tracked()
    trainer, model = trainer_with(callback), Classifier()
    trainer.fit(model, loader(), loader())
    trainer.validate(model, loader(), verbose=False)
    assert [step for step, key, _ in sink.rows() if key == "val_loss"] == [4, 8]
    assert sink.status == "FINISHED"
    assert "grokscope:" not in capsys.readouterr().err


def test_a_training_that_fails_is_told_so():
    callback, sink = tracked()
    with pytest.raises(RuntimeError, match="out of memory"):
        trainer_with(callback).fit(Classifier(fails_at=3), loader(), loader())
    assert sink.status == "FAILED"
    assert max(step for step, key, _ in sink.rows() if key == "train/batch_loss") == 3


def test_a_training_that_stops_early_has_finished():
    class StopEarly(pl.Callback):
        def on_train_batch_end(self, trainer, *_: object) -> None:
            trainer.should_stop = trainer.global_step == 1

    callback, sink = tracked()
    trainer_with(callback, StopEarly()).fit(Classifier(), loader(), loader())
    assert sink.status == "FINISHED"
    assert {step for step, _, _ in sink.rows()} == {1}


def test_a_training_that_resumes_goes_on_in_its_run(tmp_path):
    callback, _ = tracked()
    trainer = trainer_with(callback)
    trainer.fit(Classifier(), loader(), loader())
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    again, sink = tracked()
    trainer_with(again, epochs=3).fit(Classifier(), loader(), loader(), ckpt_path=tmp_path / "last.ckpt")
    assert again.tracker.run_id == callback.tracker.run_id
    assert min(step for step, _, _ in sink.rows()) == 9


def test_a_training_anew_is_a_run_of_its_own_though_a_checkpoint_was_validated(tmp_path):
    callback, _ = tracked()
    trainer = trainer_with(callback)
    trainer.fit(Classifier(), loader(), loader())
    first = callback.tracker
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    trainer.validate(Classifier(), loader(), ckpt_path=tmp_path / "last.ckpt", verbose=False)
    trainer_with(callback).fit(Classifier(), loader(), loader())
    assert callback.tracker.run_id != first.run_id


def limit(*_: object) -> None:
    raise TimeoutError("limit")


class Ringing:
    def __iter__(self):
        signal.raise_signal(signal.SIGUSR1)
        yield


def test_what_a_signals_handler_raises_while_the_model_is_measured_ends_the_training():
    sink, before = MemorySink(), signal.signal(signal.SIGUSR1, limit)
    callback = GrokscopeCallback({"test": Ringing()}, experiment="e", sink=sink)
    with pytest.raises(TimeoutError, match="limit"):
        trainer_with(callback).fit(Classifier(), loader())
    assert sink.status == "FAILED"
    signal.signal(signal.SIGUSR1, before)


def test_batches_are_counted_each_of_a_step_and_on_from_a_checkpoint(tmp_path):
    counted = {}
    for path, epochs in ((None, 1), (tmp_path / "last.ckpt", 2)):
        sink = MemorySink()
        callback = GrokscopeCallback(experiment="e", sink=sink)
        trainer = pl.Trainer(
            max_epochs=epochs, accelerator="cpu", logger=False, enable_checkpointing=False,
            enable_progress_bar=False, enable_model_summary=False, callbacks=[callback],
            accumulate_grad_batches=2,
        )  # fmt: skip
        trainer.fit(Classifier(), loader(), ckpt_path=path)
        counted[epochs] = [(step, value) for step, key, value in sink.rows() if key == "progress/examples"]
        trainer.save_checkpoint(tmp_path / "last.ckpt")
    assert counted == {1: [(1, 20.0), (2, 40.0)], 2: [(3, 60.0), (4, 80.0)]}
