"""What a model gives for batches, as rows of logits and of the targets that they are scored by."""

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import torch
from torch import Tensor, nn

from grokscope.collectors.evaluating.batches import Batch
from grokscope.collectors.evaluating.measuring import Measuring
from grokscope.collectors.evaluating.splits.forward_call import ForwardCall
from grokscope.collectors.evaluating.splits.left_out import AmbiguousBatchError, as_it_was_read
from grokscope.collectors.evaluating.splits.outputs.layouts import arranged, classes_of
from grokscope.collectors.evaluating.splits.reading.items import Item
from grokscope.collectors.evaluating.splits.reading.signature import PositionalInputs
from grokscope.collectors.evaluating.splits.resolution import Resolved, Resolver
from grokscope.collectors.evaluating.splits.rows import Rows
from grokscope.collectors.evaluating.splits.targets.ignored import IgnoredTargets
from grokscope.collectors.evaluating.splits.targets.kinds import Kind
from grokscope.collectors.evaluating.splits.targets.objectives import LossFn, Objective
from grokscope.collectors.evaluating.splits.targets.shifting import shifted
from grokscope.collectors.evaluating.taps import Tap
from grokscope.collectors.interrupts import is_interrupt

_LEFT_OUT = (Kind.CLASSES, Kind.BINARY)
"""Kinds of targets of which some may be left out."""


class OutputReader:
    """Runs a model on batches, and gives its logits and their targets.

    Args:
        model: A plain module.
        how: What the user says of it.
        say: Takes a sentence about what was decided.

    >>> from grokscope.collectors.evaluating.taps import tapped
    >>> model, item = nn.Linear(2, 3), Item(inputs=torch.zeros(4, 2), targets=torch.tensor([0, 1, 2, 0]))
    >>> reader = OutputReader(model, Measuring(), say=print)
    >>> with tapped(model) as tap:
    ...     reader.rows("test", item, source=item, tap=tap).logits.shape
    torch.Size([4, 3])
    """

    def __init__(self, model: nn.Module, how: Measuring, *, say: Callable[[str], object]) -> None:
        self._how = how
        self._say = say
        self._call = ForwardCall(model)
        self._ignored = IgnoredTargets(how.ignore_index, say=say)
        self._resolver = Resolver(model, how, call=self._call, ignored=self._ignored.value, say=say)

    @property
    def takes(self) -> PositionalInputs:
        """The inputs that the model takes by position."""
        return self._call.inputs

    def rows(self, split: str, item: Item, *, source: Item, tap: Tap) -> Rows:
        """Run one batch through the model and return it a row a target.

        Args:
            split: Name of its split.
            item: On the model's device.
            source: The same as it was read: what lies on the host is looked at without a synchronisation.
            tap: Listens to the model.

        Raises:
            ValueError: If outputs do not fit the targets, or fit them in more than one way.
            TypeError: If the model does not return logits.
        """
        whole = replace(item, left_out=source.left_out, rivals=source.rivals) if source.left_out else item
        output, found = self._resolver.resolve(split, self._called(whole), whole)
        outputs = cast("Tensor", found.pick(output))
        if found.objective is None:
            tap.pop(classes=0)
            nothing = outputs.new_zeros(0, 2)
            return Rows(logits=nothing, targets=nothing[:, 0].long(), loss=self._own_loss(outputs, item))
        classes = classes_of(outputs.shape, found.objective.layout)
        rows = self._flattened(found, outputs, item.targets, tap.pop(classes=classes))
        rows = rows.only(self._kept(split, found, rows, source.targets))
        if isinstance(found.objective.loss, str):
            return rows
        return replace(rows, loss=self._own_loss(outputs, item))

    def canonical(self, split: str, item: Item) -> Batch:
        """Return a batch as measures take it that run the model themselves: inputs by position, targets.

        Raises:
            ValueError: If the model does not take the inputs by position.
        """
        found = self._resolver[split]
        targets = item.targets
        if found.objective is not None:
            targets = found.objective.own_targets(targets)
            targets = shifted(targets, fill=self._ignored.value) if found.is_shifted else targets
            if found.objective.kind in _LEFT_OUT:
                targets = self._ignored.as_torch(split, targets)
        return self._call.positional(item), targets

    def logits_of(self, split: str) -> Callable[[object], Tensor]:
        """Return what takes the logits ``[..., C]`` out of the model's output for a split."""
        found = self._resolver[split]

        def read(output: object) -> Tensor:
            outputs = cast("Tensor", found.pick(output))
            return outputs if found.objective is None else found.objective.logits(outputs)

        return read

    def say_alone(self, split: str, why: str) -> None:
        """Say that of a split only the user's own loss is logged, and why."""
        self._say(
            f"of the split {split!r} only the loss is logged, as Measuring(loss=...) computes it: {why}"
        )

    def _called(self, item: Item) -> object:
        try:
            return self._call(item)
        except Exception as error:
            if is_interrupt(error):
                raise
            if self._call.can_give_targets and (found := self._beside_targets(item)) is not None:
                return found
            if not item.rivals:
                raise
            raise AmbiguousBatchError(as_it_was_read(item, error)) from error

    def _beside_targets(self, item: Item) -> object:
        """Return what a model gives that computes its loss whether or not it got targets; else ``None``."""
        self._call.gives_targets = True
        try:
            return self._call(item)
        except Exception as error:
            self._call.gives_targets = False
            if is_interrupt(error):
                raise
            return None

    def _flattened(self, found: Resolved, outputs: Tensor, targets: Tensor, features: Tensor | None) -> Rows:
        objective = cast("Objective", found.objective)
        logits = objective.logits(outputs)
        wanted = objective.targets(arranged(outputs, targets, objective.layout)[1])
        if found.is_shifted:
            wanted = shifted(wanted, fill=self._ignored.value)
        if features is not None and features.shape[:-1] != logits.shape[:-1]:
            if self._how.features is not None:
                raise ValueError(
                    f"features={self._how.features!r} must take [N, d] or [N, T, d] with one row a target, "
                    f"got {list(features.shape)} for targets {list(targets.shape)}; name a later module"
                )
            features = None
        examples = None
        if objective.kind.has_classes and wanted.ndim == 2 and wanted.shape[1] > 1:  # noqa: PLR2004
            of_each = torch.arange(len(wanted), device=wanted.device).repeat_interleave(wanted.shape[1])
            examples = of_each, len(wanted)
        return Rows(
            logits=logits.flatten(0, -2),
            targets=wanted.flatten() if objective.kind.has_classes else wanted.flatten(0, -2),
            features=None if features is None else features.flatten(0, -2),
            examples=examples,
            objective=objective,
        )

    def _kept(self, split: str, found: Resolved, rows: Rows, source: Tensor) -> Tensor | None:
        """Return which rows count, or ``None`` if all of them do; refuse targets that are of another kind."""
        objective = cast("Objective", found.objective)
        objective.check(source)
        if objective.kind not in _LEFT_OUT:
            return None
        if objective.kind is Kind.CLASSES:
            self._ignored.find_marks(split, source, classes=rows.logits.shape[1])
        return self._ignored.kept(split, rows.targets, source=source, is_shifted=found.is_shifted)

    def _own_loss(self, outputs: Tensor, item: Item) -> tuple[Tensor, int]:
        value = cast("LossFn", self._how.loss)(outputs, item.targets)
        return value.detach().mean(), len(item.targets)
