"""Networks that learn no label alone: images rebuilt, halves found again, and two tasks at once."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, normalize
from torch.optim import Adam, AdamW

from grokscope.experiments.ordinary.data import Split, digits
from grokscope.experiments.ordinary.loops import Row, accuracy_of, batches, learn, mean_of, mlp, predicted


def digits_autoencoder() -> Iterator[Row]:
    """Images through eight numbers and back: reconstruction losses, no score."""
    torch.manual_seed(51)
    (images, _), (others, _) = digits()
    model = nn.Sequential(mlp(64, 64, 8), mlp(8, 64, 64))
    optimizer = Adam(model.parameters(), lr=2e-3)
    for epoch in range(80):
        losses = [
            learn(optimizer, binary_cross_entropy_with_logits(model(inputs), inputs.flatten(1)))
            for inputs, _ in batches((images, images), 50)
        ]
        unseen = binary_cross_entropy_with_logits(predicted(model, others), others.flatten(1))
        yield epoch, {"train_recon_loss": mean_of(losses), "val_recon_loss": unseen.item()}


def halves_found() -> Iterator[Row]:
    """The lower half of an image found among others by its upper half: contrastive loss, MRR and recall."""
    torch.manual_seed(52)
    (images, _), (others, _) = digits()
    upper, lower = mlp(32, 128, 32), mlp(32, 128, 32)
    optimizer = AdamW([*upper.parameters(), *lower.parameters()], lr=5e-4)
    for epoch in range(60):
        losses = [
            learn(optimizer, cross_entropy(_likeness(upper, lower, some), torch.arange(len(some))))
            for some, _ in batches((images, images), 50)
        ]
        row = {"train/contrastive_loss": mean_of(losses), "train/mrr": _found(upper, lower, images[:200])[0]}
        row["val/mrr"], row["val/recall@1"] = _found(upper, lower, others[:200])
        yield epoch, row


def digits_two_heads() -> Iterator[Row]:
    """One body, two heads: which digit it is, and how much ink it has."""
    torch.manual_seed(53)
    train, held_out = digits()
    model = mlp(64, 64, 11)
    optimizer = Adam(model.parameters(), lr=1e-3)
    for epoch in range(41):
        row = {f"train/{name}": value for name, value in _of_both_heads(model, train).items()}
        yield epoch, row | {f"val/{name}": value for name, value in _of_both_heads(model, held_out).items()}
        for images, targets in batches(train, 50):
            digit, ink = _losses(model(images), (images, targets))
            learn(optimizer, digit + ink)


def _likeness(upper: nn.Module, lower: nn.Module, images: Tensor) -> Tensor:
    first, second = upper(images[:, :, :4]), lower(images[:, :, 4:])
    return normalize(first, dim=1) @ normalize(second, dim=1).T / 0.1


@torch.no_grad()
def _found(upper: nn.Module, lower: nn.Module, images: Tensor) -> tuple[float, float]:
    likeness = _likeness(upper, lower, images)
    ranks = 1 + (likeness > likeness.diagonal().unsqueeze(1)).sum(dim=1)
    return (1 / ranks).mean().item(), (ranks == 1).float().mean().item()


def _losses(outputs: Tensor, data: Split) -> tuple[Tensor, Tensor]:
    images, targets = data
    ink = images.flatten(1).mean(dim=1)
    return cross_entropy(outputs[:, :10], targets), 20 * (outputs[:, 10] - ink).abs().mean()


def _of_both_heads(model: nn.Module, data: Split) -> dict[str, float]:
    outputs = predicted(model, data[0])
    digit, ink = (loss.item() for loss in _losses(outputs, data))
    accuracy = accuracy_of(outputs[:, :10], data[1])
    return {"loss": digit + ink, "digit_loss": digit, "digit_acc": accuracy, "ink_mae": ink / 20}
