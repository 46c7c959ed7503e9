"""Models of tables: logistic regression, networks and boosted trees, with the scores that go with each."""

from collections.abc import Iterator
from typing import Any

import torch
from sklearn.datasets import make_classification
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import f1_score, log_loss, roc_auc_score
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss
from torch.optim import SGD, Adam, AdamW

from grokscope.experiments.ordinary.data import Split, divided, standardized, table
from grokscope.experiments.ordinary.loops import (
    Row,
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
    rows, targets = make_classification(
        n_samples=4000, n_informative=6, weights=[0.95], class_sep=1.2, flip_y=0.01, random_state=0
    )
    train, val = standardized(divided((torch.tensor(rows).float(), torch.tensor(targets)), 2500))
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
    (rows, targets), (others, held_out) = table("breast cancer", 300)
    trees: Any = GradientBoostingClassifier(n_estimators=200, learning_rate=0.1, subsample=0.7, random_state=0)
    trees.fit(rows.numpy(), targets.numpy())
    staged = zip(trees.staged_predict_proba(rows.numpy()), trees.staged_predict_proba(others.numpy()), strict=True)
    for tree, (seen, unseen) in enumerate(staged):
        yield (
            tree,
            {
                "train-logloss": float(log_loss(targets, seen)),
                "train-error": float(((seen[:, 1] > 0.5) != targets.numpy()).mean()),  # noqa: PLR2004
                "eval-logloss": float(log_loss(held_out, unseen)),
                "eval-error": float(((unseen[:, 1] > 0.5) != held_out.numpy()).mean()),  # noqa: PLR2004
            },
        )


def _errors(model: nn.Module, data: Split) -> dict[str, float]:
    error = predicted(model, data[0]).squeeze(1) - data[1]
    mse = (error**2).mean()
    r2 = 1 - mse / data[1].var(correction=0)
    return {"mse": mse.item(), "mae": error.abs().mean().item(), "r2": r2.item()}


def _f1(model: nn.Module, data: Split) -> float:
    return float(f1_score(data[1], predicted(model, data[0]).argmax(dim=1)))


def _area(logits: Tensor, targets: Tensor) -> float:
    return float(roc_auc_score(targets, logits[:, 1] - logits[:, 0]))
