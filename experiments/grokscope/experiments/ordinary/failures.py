"""Trainings that went wrong: diverged, lost, taught nothing, taught by heart, or too simple a model."""

from collections.abc import Iterator

import torch
from torch.nn.functional import mse_loss
from torch.optim import SGD, Adam

from grokscope.experiments.ordinary.data import Split, digits, divided
from grokscope.experiments.ordinary.loops import Row, endless, epoch_of, evaluated, learn, mlp, predicted


def sines_diverged() -> Iterator[Row]:
    """A linear regression whose learning rate is warmed up too far, as Keras has it, with NaN to the end."""
    torch.manual_seed(21)
    inputs = torch.rand(500, 5)
    targets = 10 * torch.sin(3 * inputs[:, :1] * inputs[:, 1:2]) + 5 * inputs[:, 2:3]
    train, held_out = divided((inputs, targets), 300)
    model = mlp(5, 1)
    optimizer = SGD(model.parameters(), lr=0.0)
    losses: list[float] = []
    for step, (some, wanted) in zip(range(1, 401), endless(train, 20), strict=False):
        optimizer.param_groups[0]["lr"] = min(0.6, 0.003 * step)
        losses.append(learn(optimizer, mse_loss(model(some), wanted)))
        if step % 5 == 0:
            error = predicted(model, held_out[0]) - held_out[1]
            row = {"val_loss": (error**2).mean().item(), "val_mae": error.abs().mean().item()}
            yield step, {"loss": sum(losses[-5:]) / 5} | row


def digits_lost() -> Iterator[Row]:
    """A schedule with a mistake: the learning rate is raised where it should fall, and the network dies."""
    torch.manual_seed(22)
    train, held_out = digits()
    model = mlp(64, 128, 128, 10)
    optimizer = SGD(model.parameters(), lr=0.05, momentum=0.9)
    for epoch in range(80):
        if epoch == 50:  # noqa: PLR2004 - the milestone
            optimizer.param_groups[0]["lr"] *= 100
        epoch_of(model, optimizer, train, 50)
        train_loss, train_accuracy = evaluated(model, train)
        val_loss, val_accuracy = evaluated(model, held_out)
        yield (
            epoch,
            {
                "train_loss": train_loss,
                "train_accuracy": train_accuracy,
                "val_loss": val_loss,
                "val_accuracy": val_accuracy,
            },
        )


def digits_nothing_learned() -> Iterator[Row]:
    """Shuffled labels and a learning rate that is far too low."""
    torch.manual_seed(23)
    train, held_out = _shuffled(digits())
    yield from _digits_by_heart(train, held_out, lr=1e-6, epochs=60)


def digits_shuffled() -> Iterator[Row]:
    """Shuffled labels and a wide network: the training set is learned by heart."""
    torch.manual_seed(24)
    train, held_out = _shuffled(digits())
    yield from _digits_by_heart(train, held_out, lr=2e-3, epochs=150)


def spirals_linear() -> Iterator[Row]:
    """A straight line between two spirals: a model too simple for its data."""
    torch.manual_seed(25)
    angles = 9 * torch.rand(1200).sqrt()
    targets = torch.arange(1200) % 2
    turned = angles + torch.pi * targets
    points = torch.stack([angles * turned.cos(), angles * turned.sin()], dim=1) / 9
    train, test = divided((points + 0.05 * torch.randn(1200, 2), targets), 800)
    model = mlp(2, 2)
    optimizer = SGD(model.parameters(), lr=0.1)
    for epoch in range(1, 61):
        loss, accuracy = epoch_of(model, optimizer, train, 50)
        test_loss, test_accuracy = evaluated(model, test)
        yield (
            epoch,
            {"Train Loss": loss, "Train Acc": accuracy, "Test Loss": test_loss, "Test Acc": test_accuracy},
        )


def _digits_by_heart(train: Split, held_out: Split, *, lr: float, epochs: int) -> Iterator[Row]:
    model = mlp(64, 512, 10)
    optimizer = Adam(model.parameters(), lr=lr)
    for epoch in range(epochs):
        loss, accuracy = epoch_of(model, optimizer, train, 50)
        val_loss, val_accuracy = evaluated(model, held_out)
        yield (
            epoch,
            {
                "train/loss": loss,
                "train/accuracy": accuracy,
                "val/loss": val_loss,
                "val/accuracy": val_accuracy,
            },
        )


def _shuffled(splits: tuple[Split, Split]) -> tuple[Split, Split]:
    (images, targets), (others, held_out) = splits
    return (images, targets[torch.randperm(len(targets))]), (
        others,
        held_out[torch.randperm(len(held_out))],
    )
