"""Losses by the names that recipes have for them."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

LossFn = Callable[[Tensor, Tensor], Tensor]


def stablemax_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the mean cross-entropy of StableMax, whose sums no logit can swallow.

        p_i = s(z_i) / Σ_j s(z_j),  s(z) = z + 1 for z ≥ 0, else 1 / (1 - z)

    Args:
        logits: [N, C].
        targets: Classes [N].

    Source: Prieto et al. 2025, arXiv:2501.04697.

    >>> stablemax_cross_entropy(torch.tensor([[1.0, 0.0]]), torch.tensor([0])).round(decimals=4)
    tensor(0.4055)
    """
    scores = torch.where(logits >= 0, logits + 1, 1 / (1 - logits.clamp(max=0)))
    shares = scores / scores.sum(dim=-1, keepdim=True)
    return -shares.gather(-1, targets.unsqueeze(-1)).log().mean()


def one_hot_mse(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the mean squared error of the logits [N, C] to one-hot rows of the classes [N].

    >>> one_hot_mse(torch.tensor([[1.0, 0.5]]), torch.tensor([0]))
    tensor(0.1250)
    """
    return (logits - one_hot(targets, logits.shape[-1]).to(logits.dtype)).square().mean()


def hinge(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the mean hinge loss: how far each class's logit is from being 1 above the best other one.

        max(0, 1 - z_y + max_{j ≠ y} z_j)

    Of two logits it is the usual hinge loss of their difference.

    Args:
        logits: [N, C] with C >= 2.
        targets: Classes [N].

    Source: Crammer and Singer 2001, https://jmlr.org/papers/v2/crammer01a.html.

    >>> hinge(torch.tensor([[0.75, 0.5], [2.0, 0.5]]), torch.tensor([0, 0]))
    tensor(0.3750)
    """
    own = logits.gather(-1, targets.unsqueeze(-1)).squeeze(-1)
    others = logits.scatter(-1, targets.unsqueeze(-1), -torch.inf).amax(dim=-1)
    return (1 - own + others).relu().mean()


def loss_by_name(name: str) -> LossFn:
    """Return the loss of logits [N, C] and classes [N] that goes by ``name``.

    Raises:
        ValueError: If none does.
    """
    known: dict[str, LossFn] = {
        "cross_entropy": cross_entropy,
        "stablemax": stablemax_cross_entropy,
        "hinge": hinge,
        "mse": one_hot_mse,
    }
    if name not in known:
        raise ValueError(f"loss is {', '.join(known)}, got {name!r}")
    return known[name]
