"""The same small training in other people's frameworks, and by hand in plain torch beside each."""

import tempfile

import accelerate
import keras
import lightning.pytorch as pl
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, Dataset, TensorDataset
from transformers import PretrainedConfig, PreTrainedModel, Trainer, TrainingArguments
from transformers.modeling_outputs import SequenceClassifierOutput

from grokscope.collectors import Tracker
from grokscope.collectors.integrations import wandb
from grokscope.collectors.integrations.hugging_face import GrokscopeCallback as ForTrainer
from grokscope.collectors.integrations.keras import GrokscopeCallback as ForKeras
from grokscope.collectors.integrations.lightning import GrokscopeCallback as ForLightning

ByHand = dict[str, dict[int, float]]
RATE, SIZE, EPOCHS = 0.5, 10, 2


def points(n: int, seed: int = 1) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    targets = torch.arange(n) % 3
    return torch.eye(3, 8)[targets] + 0.4 * torch.randn(n, 8, generator=generator), targets


TRAIN, TEST = points(50), points(30, 2)


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))


def loader(data: tuple[Tensor, Tensor] = TRAIN) -> DataLoader:
    return DataLoader(TensorDataset(*data), batch_size=SIZE)


@torch.no_grad()
def scores(model: nn.Module, data: tuple[Tensor, Tensor] = TEST) -> tuple[float, float]:
    logits = model(data[0])
    return cross_entropy(logits, data[1]).item(), (logits.argmax(-1) == data[1]).float().mean().item()


def by_hand(*, parts: int = 1, model: nn.Module | None = None) -> ByHand:
    """Train in plain torch; a step ends after ``parts`` batches, and at an epoch's end."""
    model = model or network()
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    found: ByHand = {"train/batch_loss": {}, "test/loss": {}, "test/accuracy": {}}
    step, losses = 0, []
    for _ in range(EPOCHS):
        for index, (inputs, targets) in enumerate(loader(), start=1):
            loss = cross_entropy(model(inputs), targets)
            (loss / parts).backward()
            losses.append(loss.item())
            if index % parts and index < len(loader()):
                continue
            optimizer.step()
            optimizer.zero_grad()
            step += 1
            found["train/batch_loss"][step] = sum(losses) / len(losses)
            found["test/loss"][step], found["test/accuracy"][step] = scores(model)
            losses = []
    return found


class Module(pl.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.network = network()

    def forward(self, inputs: Tensor) -> Tensor:
        return self.network(inputs)

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        loss = cross_entropy(self(batch[0]), batch[1])
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], _: int) -> None:
        self.log("val_acc", (self(batch[0]).argmax(-1) == batch[1]).float().mean())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=RATE)


class ManualModule(Module):
    automatic_optimization = False

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        loss, optimizer = cross_entropy(self(batch[0]), batch[1]), self.optimizers()
        optimizer.zero_grad()
        self.manual_backward(loss)
        optimizer.step()
        return loss


def _fitted(module: pl.LightningModule, *validated: DataLoader, **options: object) -> None:
    callback = ForLightning({"test": TEST}, experiment="frameworks")
    trainer = pl.Trainer(
        max_epochs=EPOCHS, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, callbacks=[callback], **options,
    )  # fmt: skip
    trainer.fit(module, loader(), *validated)


def lightning_plain() -> ByHand:
    _fitted(Module())
    return by_hand()


def lightning_with_accumulation() -> ByHand:
    _fitted(Module(), accumulate_grad_batches=5)
    return by_hand(parts=5)


def lightning_with_epoch_metrics() -> ByHand:
    _fitted(Module(), loader(TEST))
    found = by_hand()
    losses = list(found["train/batch_loss"].values())
    epochs = {5: sum(losses[:5]) / 5, 10: sum(losses[5:]) / 5}
    accuracies = {step: found["test/accuracy"][step] for step in (5, 10)}
    return found | {"train_loss": epochs, "val_acc": accuracies}


def lightning_by_hand() -> ByHand:
    _fitted(ManualModule())
    return by_hand()


class Rows(Dataset):
    def __init__(self, data: tuple[Tensor, Tensor]) -> None:
        self.data = data

    def __len__(self) -> int:
        return len(self.data[0])

    def __getitem__(self, i: int) -> dict[str, Tensor]:
        return {"inputs": self.data[0][i], "labels": self.data[1][i]}


class Classifier(PreTrainedModel):
    config_class = PretrainedConfig

    def __init__(self, config: PretrainedConfig) -> None:
        super().__init__(config)
        self.network = network()
        self.post_init()

    def forward(self, inputs: Tensor, labels: Tensor | None = None) -> SequenceClassifierOutput:
        logits = self.network(inputs)
        return SequenceClassifierOutput(None if labels is None else cross_entropy(logits, labels), logits)


class InOrder(Trainer):
    def _get_train_sampler(self, *_: object) -> None:
        return None


def _trained(parts: int) -> ByHand:
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder, num_train_epochs=EPOCHS, per_device_train_batch_size=SIZE, learning_rate=RATE,
            optim="sgd", lr_scheduler_type="constant", max_grad_norm=0.0, logging_steps=1,
            gradient_accumulation_steps=parts, eval_strategy="epoch", save_strategy="no",
            report_to=[], disable_tqdm=True, use_cpu=True,
            per_device_eval_batch_size=SIZE,
        )  # fmt: skip
        callback = ForTrainer({"test": TEST}, experiment="frameworks")
        model = Classifier(PretrainedConfig())
        model.network.load_state_dict(network().state_dict())
        InOrder(
            model, arguments, train_dataset=Rows(TRAIN), eval_dataset=Rows(TEST), callbacks=[callback]
        ).train()
    found = by_hand(parts=parts)
    ends = sorted(found["test/loss"])
    return found | {
        "val/loss": {step: found["test/loss"][step] for step in (ends[len(ends) // 2 - 1], ends[-1])}
    }


def trainer_plain() -> ByHand:
    return _trained(1)


def trainer_with_accumulation() -> ByHand:
    return _trained(5)


def accelerate_with_accumulation() -> ByHand:
    accelerator = accelerate.Accelerator(cpu=True, gradient_accumulation_steps=5)
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    model, optimizer, batches = accelerator.prepare(model, optimizer, loader())
    with Tracker(model, optimizer, experiment="frameworks") as tracker:
        step, losses = 0, []
        for _ in range(EPOCHS):
            for inputs, targets in batches:
                with accelerator.accumulate(model):
                    loss = cross_entropy(model(inputs), targets)
                    accelerator.backward(loss)
                    optimizer.step()
                    optimizer.zero_grad()
                losses.append(accelerator.gather(loss.detach()).mean())
                if accelerator.sync_gradients:
                    step += 1
                    tracker.log(step, {"train/batch_loss": torch.stack(losses).mean()})
                    tracker.evaluate(step, test=TEST)
                    losses = []
    return by_hand(parts=5)


def keras_fit() -> ByHand:
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(16, "relu"), keras.layers.Dense(3)])
    first, _, last = network()
    weights = [part.detach().numpy() for layer in (first, last) for part in (layer.weight.T, layer.bias)]
    model.set_weights(weights)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(RATE), loss, metrics=["accuracy"])
    inputs, targets = (part.numpy() for part in TRAIN)
    callback = ForKeras({"test": TEST}, experiment="frameworks")
    held_out = tuple(part.numpy() for part in TEST)
    model.fit(
        inputs, targets.astype(np.int64), SIZE, EPOCHS, shuffle=False, verbose=0, callbacks=[callback],
        validation_data=held_out,
    )  # fmt: skip
    found = by_hand()
    return found | {"val/accuracy": {step: found["test/accuracy"][step] for step in (5, 10)}}


def wandb_style() -> ByHand:
    found = by_hand()
    with wandb.init(project="frameworks", config={"lr": RATE}, group="wandb") as run:
        model = network()
        optimizer = torch.optim.SGD(model.parameters(), lr=wandb.config.lr)
        wandb.watch(model)
        for _ in range(EPOCHS):
            for inputs, targets in loader():
                loss = cross_entropy(model(inputs), targets)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                wandb.log({"train/batch_loss": loss.item()}, commit=False)
                wandb.log(dict(zip(("test/loss", "test/accuracy"), scores(model), strict=True)))
        run.summary["best"] = 1.0
    return {key: {step - 1: value for step, value in curve.items()} for key, curve in found.items()}


SCRIPTS = (
    lightning_plain,
    lightning_with_accumulation,
    lightning_with_epoch_metrics,
    lightning_by_hand,
    trainer_plain,
    trainer_with_accumulation,
    accelerate_with_accumulation,
    keras_fit,
    wandb_style,
)
