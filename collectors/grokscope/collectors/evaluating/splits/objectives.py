"""What targets are, and which loss is taken of them."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, mse_loss, one_hot

from grokscope.collectors.evaluating.splits.layouts import Layout, classes_last
from grokscope.collectors.tensors.predictions import widened

LossName = Literal["cross_entropy", "bce", "mse"]
LossFn = Callable[[Tensor, Tensor], Tensor]
"""From outputs and targets, as model and batch give them, to a scalar or a value an example."""
LOSSES: tuple[LossName, ...] = ("cross_entropy", "bce", "mse")

_ROUNDING = 1e-3


class Kind(StrEnum):
    """What targets are.

    ``CLASSES``: class indices. ``BINARY``: 0 or 1 of a single logit. ``ONE_HOT``: class indices as rows of 0
    and one 1. ``SOFT``: shares of classes that sum to 1. ``LABELS``: several, each 0 or 1. ``VALUES``: any
    numbers.
    """

    CLASSES = "classes"
    BINARY = "binary"
    ONE_HOT = "one-hot"
    SOFT = "soft"
    LABELS = "labels"
    VALUES = "values"

    @property
    def has_classes(self) -> bool:
        """Each row is of one class."""
        return self in (Kind.CLASSES, Kind.BINARY, Kind.ONE_HOT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """What targets are, and which loss is taken of them.

    Attributes:
        kind: What targets are.
        layout: How outputs lie to them.
        loss: By name, or a function.
        said: What is to be said of it, where it was guessed; else empty.
    """

    kind: Kind
    layout: Layout
    loss: LossName | LossFn
    said: str = ""

    @property
    def is_plain(self) -> bool:
        """The loss is the cross-entropy of class indices, which the curve measures hold already."""
        is_own = self.loss == "bce" if self.kind is Kind.BINARY else self.loss == "cross_entropy"
        return is_own and self.kind in (Kind.CLASSES, Kind.BINARY)

    def logits(self, outputs: Tensor) -> Tensor:
        """Return outputs with a last dimension of classes; of a single logit z, ``[0, z]``."""
        last = classes_last(outputs, self.layout)
        if self.kind is not Kind.BINARY:
            return last
        single = last if last.shape[-1] == 1 else last.unsqueeze(-1)
        return torch.cat([torch.zeros_like(single), single], dim=-1)

    def targets(self, arranged: Tensor) -> Tensor:
        """Return arranged targets as what rows of ``logits`` are scored by."""
        if self.kind is Kind.BINARY:
            return arranged.squeeze(-1).long()
        if self.kind is Kind.ONE_HOT:
            return arranged.argmax(-1)
        return arranged if self.kind is Kind.CLASSES else arranged.to(torch.get_default_dtype())

    def own_targets(self, targets: Tensor) -> Tensor:
        """Return the targets of a batch as ``targets`` does, without the outputs that they lie to."""
        targets = self._channels_last(targets)
        is_column = targets.ndim > 1 and targets.shape[-1] == 1
        if self.layout is Layout.COLUMN or (self.kind is Kind.BINARY and is_column):
            targets = targets.squeeze(-1)
        if self.kind is Kind.BINARY:
            return targets.long()
        is_single = self.layout is Layout.SAME and targets.ndim == 1
        return self.targets(targets.unsqueeze(-1) if is_single else targets)

    def check(self, targets: Tensor) -> None:
        """Refuse targets of a batch that are not what those of the first were taken to be.

        Raises:
            ValueError: If so; of those on an accelerator it is not asked, since that would wait for it.
        """
        if not self.said or self.kind is Kind.VALUES or targets.device.type != "cpu":
            return
        targets = self._channels_last(targets)
        is_bare = self.kind is Kind.BINARY and targets.shape[-1] != 1
        kind, _, because = _read(targets.unsqueeze(-1) if is_bare else targets)
        if kind not in (self.kind, Kind.ONE_HOT):
            raise ValueError(
                f"the targets of its first batch were read as {self.kind.value}, and those of a later one "
                f"are {because}; say which loss is meant, as in Measuring(loss='bce') or 'mse'"
            )

    def _channels_last(self, targets: Tensor) -> Tensor:
        if self.layout is Layout.CHANNELS:
            return targets.movedim(1, -1)
        return targets.unsqueeze(-1) if self.layout is Layout.CHANNEL else targets

    def criterion(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of rows of logits ``[N, C]`` and of targets ``[N]`` or ``[N, C]``, as a scalar."""
        if not isinstance(self.loss, str):
            return self.loss(logits, targets).mean()
        wide = widened(logits)
        if self.is_plain or self.loss == "cross_entropy":
            return cross_entropy(wide, targets if self.kind.has_classes else targets.to(wide.dtype))
        wanted = one_hot(targets, wide.shape[-1]) if self.kind.has_classes else targets
        function = binary_cross_entropy_with_logits if self.loss == "bce" else mse_loss
        return function(wide, wanted.to(wide.dtype))


def objective_of(targets: Tensor, layout: Layout, *, loss: LossName | LossFn | None) -> Objective:
    """Return what targets are and which loss is taken, from those of a first batch, arranged by ``layout``.

    Args:
        targets: ``[...]`` class indices, or ``[..., C]`` where there is one an output.
        layout: How outputs lie to them.
        loss: What is asked for; ``None`` decides by the targets, and says so unless they are class indices.

    Raises:
        ValueError: If the loss does not take such targets.

    >>> found = objective_of(torch.eye(3)[:2], Layout.SAME, loss=None)
    >>> found.kind, found.loss
    (<Kind.ONE_HOT: 'one-hot'>, 'cross_entropy')
    """
    if layout.has_indices:
        return Objective(kind=Kind.CLASSES, layout=layout, loss=loss or "cross_entropy")
    kind, usual, because = _read(targets)
    if loss == "cross_entropy" and kind not in (Kind.ONE_HOT, Kind.SOFT):
        raise ValueError(
            f"loss='cross_entropy' takes class indices, or shares of classes that sum to 1 in each row, got "
            f"targets {list(targets.shape)} that are neither; write loss='bce' or 'mse'"
        )
    if loss == "bce" and kind in (Kind.ONE_HOT, Kind.SOFT, Kind.VALUES):
        kind = Kind.BINARY if targets.shape[-1] == 1 and kind is not Kind.VALUES else Kind.LABELS
    if loss == "mse":
        kind = Kind.VALUES
    said = ""
    if loss is None:
        said = f"the targets are {because}, so the loss taken is {usual}; Measuring(loss=...) says otherwise"
    return Objective(kind=kind, layout=layout, loss=loss or usual, said=said)


def _read(targets: Tensor) -> tuple[Kind, LossName, str]:
    wide = targets.detach().double() if targets.device.type != "mps" else targets.detach().float()
    is_single = targets.shape[-1] == 1
    is_zero_one = bool(((wide == 0) | (wide == 1)).all())
    sums_to_one = bool(((wide.sum(-1) - 1).abs() < _ROUNDING).all()) and bool((wide >= 0).all())
    if is_zero_one and is_single:
        return Kind.BINARY, "bce", "0 or 1 of a single logit"
    if is_zero_one and sums_to_one:
        return Kind.ONE_HOT, "cross_entropy", "one-hot rows"
    if sums_to_one and not is_single:
        return Kind.SOFT, "cross_entropy", "rows that sum to 1"
    if is_zero_one:
        return Kind.LABELS, "bce", "0 or 1, several a row"
    return Kind.VALUES, "mse", "numbers of the shape of the outputs"
