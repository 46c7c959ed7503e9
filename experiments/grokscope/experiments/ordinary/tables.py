"""Models of tables: logistic regression, networks and boosted trees, with the scores that go with each."""

from collections.abc import Iterator
from typing import Any, cast

import torch
from sklearn import ensemble
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss, nll_loss
from torch.optim import SGD, Adam, AdamW

from grokscope.experiments.ordinary.data import Split, table
from grokscope.experiments.ordinary.data import rare_positives as drawn_table
from grokscope.experiments.ordinary.loops import (
    Row,
    accuracy_of,
    batches,
    endless,
    epoch_of,
    evaluated,
    learn,
    mean_of,
    mlp,
    predicted,
)


def cancer_logistic() -> Iterator[Row]:
    """A logistic regression in torch, with names as in TensorBoard's tutorials."""
    torch.manual_seed(31)
    train, val = table("breast cancer", 300)
    model = mlp(30, 2)
    optimizer = SGD(model.parameters(), lr=0.01)
    for epoch in range(100):
        loss, accuracy = epoch_of(model, optimizer, train, 30)
        row = {"Loss/train": loss, "Accuracy/train": accuracy}
        row["Loss/val"], row["Accuracy/val"] = evaluated(model, val)
        row["AUC/val"] = _area(predicted(model, val[0]), val[1])
        yield epoch, row


def wine_eight_evaluations() -> Iterator[Row]:
    """A network that is evaluated eight times, as the Trainer sends it to W&B; no training accuracy."""
    torch.manual_seed(32)
    train, held_out = table("wine", 120)
    model = mlp(13, 32, 3)
    optimizer = AdamW(model.parameters(), lr=1e-3)
    losses: list[float] = []
    for step, (inputs, targets) in zip(range(1, 121), endless(train, 8), strict=False):
        losses.append(learn(optimizer, cross_entropy(model(inputs), targets)))
        if step % 5 == 0:
            yield step, {"train/loss": mean_of(losses[-5:]), "train/epoch": step / 15}
        if step % 15 == 0:
            eval_loss, eval_accuracy = evaluated(model, held_out)
            yield step, {"eval/loss": eval_loss, "eval/accuracy": eval_accuracy, "train/epoch": step / 15}


def diabetes_regression() -> Iterator[Row]:
    """A network too large for 300 patients: squared and absolute error, and R²."""
    torch.manual_seed(33)
    train, held_out = table("diabetes", 300)
    mean, deviation = train[1].mean(), train[1].std()
    train, held_out = ((rows, ((t - mean) / deviation).float()) for rows, t in (train, held_out))
    model = mlp(10, 64, 64, 1)
    optimizer = Adam(model.parameters(), lr=1e-3)
    for epoch in range(201):
        if epoch % 2 == 0:
            names = {"train": train, "val": held_out}
            yield epoch, {f"{n}_{k}": v for n, data in names.items() for k, v in _errors(model, data).items()}
        for rows, targets in batches(train, 32):
            learn(optimizer, mse_loss(model(rows).squeeze(1), targets))


def rare_positives() -> Iterator[Row]:
    """One positive in twenty: accuracy says nothing, F1 and the area under the ROC curve do."""
    torch.manual_seed(34)
    train, val = drawn_table()
    model = mlp(20, 64, 2)
    optimizer = Adam(model.parameters(), lr=3e-4)
    for epoch in range(50):
        loss, _ = epoch_of(model, optimizer, train, 50)
        row = {"train/loss_epoch": loss, "train/BinaryF1Score": _f1(model, train)}
        row["val/loss"], row["val/BinaryAccuracy"] = evaluated(model, val)
        row["val/BinaryF1Score"] = _f1(model, val)
        row["val/BinaryAUROC"] = _area(predicted(model, val[0]), val[1])
        yield 50 * (epoch + 1), row


def cancer_boosted() -> Iterator[Row]:
    """Boosted trees, with names as XGBoost's evaluation log has them; a step is a tree."""
    splits = dict(zip(("train", "eval"), table("breast cancer", 300), strict=True))
    trees = cast("Any", ensemble.GradientBoostingClassifier)(n_estimators=200, subsample=0.7, random_state=0)
    trees.fit(*(values.numpy() for values in splits["train"]))
    staged = {name: list(trees.staged_predict_proba(rows.numpy())) for name, (rows, _) in splits.items()}
    for tree in range(200):
        row: dict[str, float] = {}
        for name, (_, targets) in splits.items():
            log_chances = torch.tensor(staged[name][tree]).log()
            row[f"{name}-logloss"] = nll_loss(log_chances, targets).item()
            row[f"{name}-error"] = 1 - accuracy_of(log_chances, targets)
        yield tree, row


def _errors(model: nn.Module, data: Split) -> dict[str, float]:
    error = predicted(model, data[0]).squeeze(1) - data[1]
    mse = (error**2).mean()
    r2 = 1 - mse / data[1].var(correction=0)
    return {"mse": mse.item(), "mae": error.abs().mean().item(), "r2": r2.item()}


def _f1(model: nn.Module, data: Split) -> float:
    said, targets = predicted(model, data[0]).argmax(dim=1), data[1]
    return (2 * (said & targets).sum() / (said.sum() + targets.sum())).item()


def _area(logits: Tensor, targets: Tensor) -> float:
    """Return the area under the ROC curve: how often a positive scores above a negative."""
    scores = logits[:, 1] - logits[:, 0]
    ahead = scores[targets == 1].unsqueeze(1) - scores[targets == 0]
    return ((ahead > 0).float() + 0.5 * (ahead == 0).float()).mean().item()
