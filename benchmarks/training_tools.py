"""What people put into a training loop to see what happens in it: our tracker and others, as a call a step.

Each logs the loss of every step. At the steps of ``log_spaced()`` each does what it is for: grokscope reads
both splits with every default measure; MLflow and Trackio log loss and accuracy of both splits, measured by
hand; wandb.watch and TensorBoard make histograms of weights and gradients, without an evaluation.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, redirect_stdout
from pathlib import Path

FOLDER = Path(tempfile.mkdtemp(prefix="grokscope-bench-"))
os.environ |= {
    "GROKSCOPE_HOME": str(FOLDER / "home"),
    "TRACKIO_DIR": str(FOLDER / "trackio"),
    "WANDB_DIR": str(FOLDER),
    "WANDB_CACHE_DIR": str(FOLDER / "cache"),
    "WANDB_SILENT": "true",
}

import mlflow  # noqa: E402 - these read the environment when they are imported
import torch  # noqa: E402
import trackio  # noqa: E402
import wandb  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.nn.functional import cross_entropy  # noqa: E402
from torch.utils.tensorboard import SummaryWriter  # noqa: E402

from grokscope.collectors import Tracker, log_spaced  # noqa: E402

Split = tuple[Tensor, Tensor]
Splits = tuple[Split, Split]
After = Callable[[int, Tensor], object]
"""What a tool does after a step, with its loss."""
Tool = Callable[[nn.Module, torch.optim.Optimizer, Splits, int], AbstractContextManager[After]]
"""From a model, its optimizer, its splits and a number of steps to what is done after each."""


@contextmanager
def nothing(*_: object) -> Iterator[After]:
    yield lambda *_: None


@contextmanager
def by_hand(model: nn.Module, _: object, splits: Splits, __: int) -> Iterator[After]:
    """Give what every such loop has anyway: loss and accuracy of both splits at due steps, kept in a list."""
    due, kept = log_spaced(), []
    yield lambda step, _: kept.append(measured(model, splits)) if due(step) else None


@contextmanager
def grokscope(model: nn.Module, optimizer: torch.optim.Optimizer, splits: Splits, _: int) -> Iterator[After]:
    train, test = splits
    with Tracker(model, optimizer, experiment="bench", store=f"sqlite:///{FOLDER}/ours.db") as tracker:

        def after(step: int, loss: Tensor) -> None:
            tracker.log(step, {"train/batch_loss": loss})
            if tracker.due(step):
                tracker.evaluate(step, train=train, test=test)

        yield after


@contextmanager
def with_mlflow(model: nn.Module, _: object, splits: Splits, __: int) -> Iterator[After]:
    mlflow.set_tracking_uri(f"sqlite:///{FOLDER}/mlflow.db")
    due = log_spaced()

    def after(step: int, loss: Tensor) -> None:
        values = measured(model, splits) if due(step) else {}
        mlflow.log_metrics({"loss": loss.item(), **values}, step=step, synchronous=False)

    with mlflow.start_run():
        yield after


@contextmanager
def with_trackio(model: nn.Module, _: object, splits: Splits, __: int) -> Iterator[After]:
    due = log_spaced()
    with redirect_stdout(sys.stderr):  # it greets at length
        trackio.init(project="bench", embed=False)
    yield lambda step, loss: trackio.log(
        {"loss": loss.item(), **(measured(model, splits) if due(step) else {})}, step=step
    )
    with redirect_stdout(sys.stderr):
        trackio.finish()


@contextmanager
def wandb_watch(model: nn.Module, _: object, __: Splits, steps: int) -> Iterator[After]:
    readings = sum(map(log_spaced(), range(steps)))
    with wandb.init(project="bench", mode="offline", dir=FOLDER) as run:
        run.watch(model, log="all", log_freq=max(1, steps // readings))
        yield lambda _, loss: run.log({"loss": loss.item()})


@contextmanager
def tensorboard(model: nn.Module, *_: object) -> Iterator[After]:
    due = log_spaced()
    with SummaryWriter(FOLDER / "tensorboard") as writer:

        def after(step: int, loss: Tensor) -> None:
            writer.add_scalar("loss", loss.item(), step)
            if due(step):
                histograms(writer, model, step)

        yield after


def histograms(writer: SummaryWriter, model: nn.Module, step: int) -> None:
    for key, parameter in model.named_parameters():
        writer.add_histogram(f"weights/{key}", parameter, step)
        writer.add_histogram(f"gradients/{key}", parameter.grad, step)


def measured(model: nn.Module, splits: Splits) -> dict[str, float]:
    """Return loss and accuracy of both splits, as people measure them."""
    values: dict[str, float] = {}
    model.eval()
    with torch.no_grad():
        for split, (inputs, targets) in zip(("train", "test"), splits, strict=True):
            logits = model(inputs)
            values[f"{split}/loss"] = cross_entropy(logits, targets).item()
            values[f"{split}/accuracy"] = (logits.argmax(1) == targets).float().mean().item()
    model.train()
    return values


TOOLS: dict[str, Tool] = {
    "nothing": nothing,
    "accuracy by hand": by_hand,
    "grokscope": grokscope,
    "MLflow (async), by hand": with_mlflow,
    "Trackio, by hand": with_trackio,
    "wandb.watch": wandb_watch,
    "TensorBoard histograms": tensorboard,
}
