"""Which loss is taken of targets, and how outputs and targets are made ready for it."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, mse_loss, one_hot

from grokscope.collectors.evaluating.splits.outputs.layouts import Layout, classes_last
from grokscope.collectors.evaluating.splits.targets.kinds import Kind, LossName, Reading, kind_of, unit
from grokscope.collectors.tensors.predictions import widened

LossFn = Callable[[Tensor, Tensor], Tensor]
"""From outputs and targets, as model and batch give them, to a scalar or a value an example."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """What targets are, and which loss is taken of them.

    Attributes:
        kind: What targets are.
        layout: How outputs lie to them.
        loss: By name, or a function.
        ignored: A value of class indices, or of the targets of a single logit, that is left out.
        said: What is to be said of it, where it was guessed; else empty.
    """

    kind: Kind
    layout: Layout
    loss: LossName | LossFn
    ignored: int | None = None
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
            return self._binary(arranged.squeeze(-1))
        if self.kind is Kind.ONE_HOT:
            return arranged.argmax(-1)
        if self.kind is Kind.LABELS:
            arranged = unit(arranged, ignored=self.ignored)
        return arranged if self.kind is Kind.CLASSES else arranged.to(torch.get_default_dtype())

    def own_targets(self, targets: Tensor) -> Tensor:
        """Return the targets of a batch as ``targets`` does, without the outputs that they lie to."""
        targets = self._channels_last(targets)
        is_column = targets.ndim > 1 and targets.shape[-1] == 1
        if self.layout is Layout.COLUMN or (self.kind is Kind.BINARY and is_column):
            targets = targets.squeeze(-1)
        if self.kind is Kind.BINARY:
            return self._binary(targets)
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
        kind, _, because = kind_of(targets.unsqueeze(-1) if is_bare else targets, ignored=self.ignored)
        if kind not in (self.kind, Kind.ONE_HOT):
            raise ValueError(
                f"the targets of its first batch were read as {self.kind.value}, and those of a later one "
                f"are {because}; say which loss is meant, as in Measuring(loss='bce') or 'mse'"
            )

    def _binary(self, targets: Tensor) -> Tensor:
        return unit(targets, ignored=self.ignored).long()

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


def objective_of(
    targets: Tensor,
    layout: Layout,
    *,
    loss: LossName | LossFn | None,
    ignored: int | None = None,
    settled: LossName | None = None,
) -> Objective:
    """Return what targets are and which loss is taken, from those of a first batch, arranged by ``layout``.

    Args:
        targets: ``[...]`` class indices, or ``[..., C]`` where there is one an output.
        layout: How outputs lie to them.
        loss: What is asked for; ``None`` decides by the targets, and says so unless they are class indices.
        ignored: A value of class indices, or of the targets of a single logit, that is left out.
        settled: The loss that other splits of the same outputs have, by their targets.

    Raises:
        ValueError: If the loss does not take such targets, or they are none that ``settled`` takes.

    >>> found = objective_of(torch.eye(3)[:2], Layout.SAME, loss=None)
    >>> found.kind, found.loss
    (<Kind.ONE_HOT: 'one-hot'>, 'cross_entropy')
    """
    if layout.has_indices:
        return Objective(kind=Kind.CLASSES, layout=layout, loss=loss or "cross_entropy", ignored=ignored)
    kind, usual, because = _reading(targets, loss, ignored)
    if loss == "cross_entropy" and kind not in (Kind.ONE_HOT, Kind.SOFT):
        raise ValueError(
            f"loss='cross_entropy' takes class indices, or shares of classes that sum to 1 in each row, got "
            f"targets {list(targets.shape)} that are neither; write loss='bce' or 'mse'"
        )
    if loss == "bce" and kind in (Kind.ONE_HOT, Kind.SOFT, Kind.VALUES):
        kind = Kind.BINARY if targets.shape[-1] == 1 and kind is not Kind.VALUES else Kind.LABELS
    said = ""
    if loss is None:
        if settled is not None and settled != usual:
            kind, usual, because = _as_settled(kind, because, settled)
        said = f"the targets are {because}, so the loss taken is {usual}; Measuring(loss=...) says otherwise"
    return Objective(kind=kind, layout=layout, loss=loss or usual, ignored=ignored, said=said)


def _reading(targets: Tensor, loss: LossName | LossFn | None, ignored: int | None) -> Reading:
    numbers = Reading(Kind.VALUES, "mse", "")
    if loss == "mse":
        return numbers
    try:
        return kind_of(targets, ignored=ignored)
    except ValueError:
        if loss is None or isinstance(loss, str):
            raise
        return numbers  # a function of the user's may take what we do not


def _as_settled(kind: Kind, because: str, settled: LossName) -> Reading:
    """Return what targets are of which another split has told the loss."""
    if settled == "mse":
        return Reading(Kind.VALUES, settled, "read as numbers, as those of another split are")
    if settled == "bce" and kind is Kind.ONE_HOT:
        return Reading(Kind.LABELS, settled, "0 or 1, several a row, as those of another split are")
    raise ValueError(
        f"its targets are {because}, and those of another split took the loss {settled}; say which is meant, "
        "as in Measuring(loss='bce') or 'mse'"
    )
