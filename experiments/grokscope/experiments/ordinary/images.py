"""Classifiers of digits, logged as Keras, Lightning, fastai, timm and loops written by hand do."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, pad
from torch.optim import SGD, Adam, AdamW
from torch.optim.lr_scheduler import LambdaLR

from grokscope.experiments.ordinary.data import digits
from grokscope.experiments.ordinary.loops import (
    Row,
    accuracy_of,
    cnn,
    endless,
    epoch_of,
    evaluated,
    learn,
    mlp,
    predicted,
    tracked,
)


def digits_cnn() -> Iterator[Row]:
    """A convolutional network with Adam, as Keras' ``History`` has it."""
    torch.manual_seed(1)
    train, held_out = digits()
    model = cnn(channels=8)
    optimizer = Adam(model.parameters(), lr=1e-3)
    for epoch in range(30):
        loss, accuracy = epoch_of(model, optimizer, train, 32)
        val_loss, val_accuracy = evaluated(model, held_out)
        yield epoch, {"loss": loss, "accuracy": accuracy, "val_loss": val_loss, "val_accuracy": val_accuracy}


def digits_augmented() -> Iterator[Row]:
    """Dropout and shifted, noisy images, as Lightning's loggers have it: training stays the lower one."""
    torch.manual_seed(2)
    train, held_out = digits()
    model = cnn(channels=16, dropout=0.3)
    optimizer = AdamW(model.parameters(), lr=3e-3, weight_decay=0.05)
    for epoch in range(40):
        loss, accuracy = epoch_of(model, optimizer, train, 64, _shifted)
        val_loss, val_accuracy = evaluated(model, held_out)
        last_step = 16 * (epoch + 1) - 1
        yield last_step, {"train_loss_epoch": loss, "train_acc_epoch": accuracy, "epoch": float(epoch)}
        yield last_step, {"val_loss": val_loss, "val_acc": val_accuracy, "epoch": float(epoch)}


def digits_few() -> Iterator[Row]:
    """Thirty images and a wide network, through our own tracker."""
    torch.manual_seed(3)
    (images, targets), held_out = digits()
    train = images[:30], targets[:30]
    model = mlp(64, 128, 10)
    optimizer = Adam(model.parameters(), lr=1e-3)
    with tracked(model, optimizer) as tracker:
        for step in range(601):
            if step % 10 == 0:
                yield step, tracker.evaluate(step, train=train, test=held_out)
            learn(optimizer, cross_entropy(model(train[0]), train[1]))


def digits_stopped_early() -> Iterator[Row]:
    """A network that is stopped after four epochs without a better held-out loss, as fastai has it."""
    torch.manual_seed(4)
    (images, targets), held_out = digits()
    model = mlp(64, 256, 256, 10)
    optimizer = Adam(model.parameters(), lr=1e-3)
    best, since = math.inf, 0
    for epoch in range(100):
        train_loss, _ = epoch_of(model, optimizer, (images[:400], targets[:400]), 16)
        valid_loss, accuracy = evaluated(model, held_out)
        yield (
            epoch,
            {
                "train_loss": train_loss,
                "valid_loss": valid_loss,
                "accuracy": accuracy,
                "error_rate": 1 - accuracy,
            },
        )
        best, since = (valid_loss, 0) if valid_loss < best else (best, since + 1)
        if since == 4:  # noqa: PLR2004 - the patience
            return


def digits_warm_up_cosine() -> Iterator[Row]:
    """Batch norm and SGD with a warm-up and a cosine, in per cent as timm's summary has it."""
    torch.manual_seed(5)
    train, held_out = digits()
    model = cnn(channels=8, batch_norm=True)
    optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    scheduler = LambdaLR(optimizer, lambda epoch: _warm_up_cosine(epoch, warm_up=5, end=40))
    for epoch in range(40):
        lr = optimizer.param_groups[0]["lr"]
        train_loss, _ = epoch_of(model, optimizer, train, 100)
        eval_loss, _ = evaluated(model, held_out)
        logits = predicted(model, held_out[0])
        top1, top5 = (100 * _top(logits, held_out[1], k) for k in (1, 5))
        yield (
            epoch,
            {
                "train_loss": train_loss,
                "eval_loss": eval_loss,
                "eval_top1": top1,
                "eval_top5": top5,
                "lr": lr,
            },
        )
        scheduler.step()


def digits_per_cent() -> Iterator[Row]:
    """Accuracy in per cent, on the training side that of the last batch of 16, logged every 25 steps."""
    torch.manual_seed(6)
    train, held_out = digits()
    model = mlp(64, 64, 10)
    optimizer = SGD(model.parameters(), lr=0.05)
    for step, (inputs, targets) in zip(range(1, 2001), endless(train, 16), strict=False):
        logits = model(inputs)
        loss = learn(optimizer, cross_entropy(logits, targets))
        if step % 25 == 0:
            yield step, {"batch loss": loss, "train acc": 100 * accuracy_of(logits, targets)}
        if step % 50 == 0:
            test_loss, accuracy = evaluated(model, held_out)
            yield step, {"test loss": test_loss, "test acc": 100 * accuracy}


def digits_every_step() -> Iterator[Row]:
    """A logistic regression that is evaluated after each of 2,000 small steps."""
    torch.manual_seed(7)
    train, held_out = digits()
    model = mlp(64, 10)
    optimizer = SGD(model.parameters(), lr=0.02)
    for step, (inputs, targets) in zip(range(2000), endless(train, 8), strict=False):
        learn(optimizer, cross_entropy(model(inputs), targets))
        train_loss, train_accuracy = evaluated(model, train)
        test_loss, test_accuracy = evaluated(model, held_out)
        yield (
            step,
            {
                "train/loss": train_loss,
                "train/acc": train_accuracy,
                "test/loss": test_loss,
                "test/acc": test_accuracy,
            },
        )


def digits_noisy_labels() -> Iterator[Row]:
    """Two labels in five drawn anew; held out are images with such labels, and with the right ones."""
    torch.manual_seed(8)
    (images, targets), (others, right) = digits()
    train, noisy = (images, _noisy(targets)), (others, _noisy(right))
    model = mlp(64, 512, 10)
    optimizer = Adam(model.parameters(), lr=1e-3)
    for epoch in range(120):
        loss, accuracy = epoch_of(model, optimizer, train, 50)
        row = {"loss/train": loss, "acc/train": accuracy}
        row["loss/val_noisy"], row["acc/val_noisy"] = evaluated(model, noisy)
        row["loss/val_clean"], row["acc/val_clean"] = evaluated(model, (others, right))
        yield epoch + 1, row


def _shifted(images: Tensor) -> Tensor:
    down, right = (int(pixels) for pixels in torch.randint(3, (2,)))
    moved = pad(images, (1, 1, 1, 1))[:, :, down : down + 8, right : right + 8]
    return moved + 0.15 * torch.randn_like(moved)


def _noisy(targets: Tensor) -> Tensor:
    drawn_anew = torch.rand(len(targets)) < 0.4  # noqa: PLR2004 - two in five
    return torch.where(drawn_anew, torch.randint_like(targets, 10), targets)


def _top(logits: Tensor, targets: Tensor, k: int) -> float:
    return (logits.topk(k).indices == targets.unsqueeze(1)).any(dim=1).float().mean().item()


def _warm_up_cosine(epoch: int, *, warm_up: int, end: int) -> float:
    if epoch < warm_up:
        return (epoch + 1) / warm_up
    return 0.5 * (1 + math.cos(math.pi * (epoch - warm_up) / (end - warm_up)))
