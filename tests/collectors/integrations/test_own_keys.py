"""What a program logs by a key that the tracker measures too: two curves, never one of both."""

import pickle

import lightning.pytorch as pl
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from grokscope.collectors import Measuring
from grokscope.collectors.integrations import wandb
from grokscope.collectors.integrations.hugging_face import GrokscopeCallback as ForTrainer
from grokscope.collectors.integrations.keras import GrokscopeCallback as ForKeras
from grokscope.collectors.integrations.lightning import GrokscopeCallback
from grokscope.collectors.testing import MemorySink
from grokscope.schemas.metrics.aliases import resolve

pytestmark = pytest.mark.filterwarnings(
    "ignore::lightning.fabric.utilities.warnings.PossibleUserWarning", "ignore:.*LeafSpec:FutureWarning"
)

INPUTS, TARGETS = torch.linspace(-1, 1, 80).reshape(20, 4), torch.arange(20) % 3
OURS, THEIRS = (INPUTS[:10], TARGETS[:10]), TensorDataset(INPUTS[10:], TARGETS[10:])


class Module(pl.LightningModule):
    """Logs by keys that a tracker writes, and keeps what it logged by step."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(4, 3)
        self.kept: dict[str, dict[int, float]] = {}
        self.ours: dict[int, float] = {}

    def forward(self, inputs: Tensor) -> Tensor:
        return self.layer(inputs)

    def keep(self, name: str, value: Tensor, *, step: int) -> None:
        self.log(name, value)
        self.kept.setdefault(name, {})[step] = value.item()

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        loss = cross_entropy(self(batch[0]), batch[1])
        step = self.global_step + 1
        self.keep("train/batch_loss", 2 * loss, step=step)
        self.keep("weights/norm", loss, step=step)
        self.keep("progress/examples", torch.tensor(3.0), step=step)
        self.keep("progress/epochs", torch.tensor(0.5), step=step)
        self.keep("lr", torch.tensor(0.1), step=step)
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], _: int) -> None:
        self.keep("val/loss", cross_entropy(self(batch[0]), batch[1]), step=self.global_step)
        if not self.trainer.sanity_checking:
            self.ours[self.global_step] = cross_entropy(self(OURS[0]), OURS[1]).item()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.5)


def curves(sink: MemorySink) -> dict[str, dict[int, float]]:
    found: dict[str, dict[int, float]] = {}
    for step, key, value in sink.rows():
        assert found.setdefault(key, {}).setdefault(step, value) == value, (step, key)
    return found


@pytest.mark.parametrize("kind", [GrokscopeCallback, ForTrainer, ForKeras])
def test_a_callback_can_be_sent_to_the_processes_that_train(kind):
    callback = pickle.loads(pickle.dumps(kind({"val": OURS}, experiment="e")))
    assert callback.tracker is None
    assert callback._own.is_own("val/loss")


@pytest.mark.parametrize("name", ["val", "valid"])
def test_lightning_s_values_by_names_of_ours_are_curves_of_their_own(name, capsys):
    sink, module = MemorySink(), Module()
    callback = GrokscopeCallback(
        {name: OURS}, experiment="e", sink=sink, measuring=Measuring(dataset_examples=20)
    )
    trainer = pl.Trainer(
        max_epochs=2, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, callbacks=[callback],
    )  # fmt: skip
    data = DataLoader(TensorDataset(INPUTS, TARGETS), batch_size=10)
    trainer.fit(module, data, DataLoader(THEIRS, batch_size=10))
    found = curves(sink)
    module.kept["val/loss"].pop(0)  # of the check before training
    assert found["lr"] == pytest.approx(module.kept.pop("lr"))
    for key, points in module.kept.items():
        assert found[f"log/{key}"] == pytest.approx(points), key
    at_epochs = {step: found["val/loss"][step] for step in module.ours}
    assert at_epochs == pytest.approx(module.ours)
    assert list(found["val/loss"]) == [1, 2, 3, 4]
    assert found["progress/examples"] == {1: 10.0, 2: 20.0, 3: 30.0, 4: 40.0}
    assert found["progress/epochs"] == {1: 0.5, 2: 1.0, 3: 1.5, 4: 2.0}
    assert found["log/train/batch_loss"] == pytest.approx(
        {step: 2 * value for step, value in found["train/batch_loss"].items()}
    )
    said = capsys.readouterr().err
    assert [said.count(f"goes by log/{family}/...") for family in ("val", "weights", "progress")] == [1, 1, 1]
    assert resolve(found.keys())["val/loss"] == "val/loss"
    assert resolve(found.keys())["log/val/loss"] == "log/val/loss"


def test_lightning_s_values_keep_their_names_where_the_tracker_measures_nothing_by_them(capsys):
    sink, module = MemorySink(), Module()
    callback = GrokscopeCallback(experiment="e", sink=sink)
    trainer = pl.Trainer(
        max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, callbacks=[callback],
    )  # fmt: skip
    data = DataLoader(TensorDataset(INPUTS, TARGETS), batch_size=10)
    trainer.fit(module, data, DataLoader(THEIRS, batch_size=10))
    found = curves(sink)
    assert found["val/loss"] == pytest.approx({2: module.kept["val/loss"][2]})
    assert found["weights/norm"] == pytest.approx(module.kept["weights/norm"])
    assert "goes by log/val" not in capsys.readouterr().err


def test_a_norm_that_wandb_is_given_is_apart_from_that_of_a_watched_model(capsys):
    sink, model = MemorySink(), nn.Linear(2, 2)
    with wandb.init(project="p", sink=sink) as run:
        run.watch(model)
        for step in range(2):
            run.log({"weights/norm": step + 5.0, "gradients/norm": 1.0, "loss": 1.0})
    found = curves(sink)
    norm = torch.cat([p.detach().flatten() for p in model.parameters()]).norm().item()
    assert found["weights/norm"] == pytest.approx({0: norm, 1: norm})
    assert found["log/weights/norm"] == {0: 5.0, 1: 6.0}
    assert found["gradients/norm"] == {0: 1.0, 1: 1.0}
    assert capsys.readouterr().err.count("goes by log/weights/...") == 1
