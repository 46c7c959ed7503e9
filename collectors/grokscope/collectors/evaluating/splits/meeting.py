"""How a model's outputs meet the targets of a split: found out at its first batch, and kept."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from grokscope.collectors.evaluating.batches import Batch
from grokscope.collectors.evaluating.measuring import Measuring
from grokscope.collectors.evaluating.splits.forward_call import ForwardCall
from grokscope.collectors.evaluating.splits.items import Item
from grokscope.collectors.evaluating.splits.layouts import (
    Layout,
    Pick,
    arranged,
    layouts,
    makes_last,
    pick_of,
)
from grokscope.collectors.evaluating.splits.objectives import Kind, LossFn, Objective, objective_of
from grokscope.collectors.evaluating.splits.probabilities import logits_pick
from grokscope.collectors.evaluating.splits.shifting import is_copied, padding_counted, shifted
from grokscope.collectors.evaluating.splits.targets import KnownTargets
from grokscope.collectors.evaluating.taps import Tap

_IGNORED = -100


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """One batch, a row a target; of a loss of the user's whose targets are none of ours, no rows.

    Attributes:
        logits: ``[n, C]``.
        targets: ``[n]`` class indices, else ``[n, C]``.
        features: ``[n, d]``, if one was found.
        examples: The example of each row and how many there are, where an example has several class targets.
        objective: What the targets are; ``None`` where outputs do not lie to them in any known way.
        loss: The user's loss of the batch, and how many examples it stands for.
    """

    logits: Tensor
    targets: Tensor
    features: Tensor | None = None
    examples: tuple[Tensor, int] | None = None
    objective: Objective | None = None
    loss: tuple[Tensor, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Met:
    pick: Pick
    objective: Objective | None
    is_shifted: bool = False


class Meeting:
    """Tells which outputs of a model are the logits of which targets, and what is minimised.

    Args:
        model: A plain module.
        how: What the user says of it.
        say: Takes a sentence about what was decided.

    >>> from grokscope.collectors.evaluating.taps import tapped
    >>> model, item = nn.Linear(2, 3), Item(inputs=torch.zeros(4, 2), targets=torch.tensor([0, 1, 2, 0]))
    >>> meeting = Meeting(model, Measuring(), say=print)
    >>> with tapped(model) as tap:
    ...     meeting.rows("test", item, source=item, tap=tap).logits.shape
    torch.Size([4, 3])
    """

    def __init__(self, model: nn.Module, how: Measuring, *, say: Callable[[str], object]) -> None:
        self._model = model
        self._how = how
        self._say = say
        self._call = ForwardCall(model)
        self._met: dict[str, _Met] = {}
        self._known = KnownTargets()

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
        output = self._call(item)
        met = self._met.get(split)
        if met is None or not _fits(met, output, item.targets):
            output, met = self._meet(split, output, item)
            self._met[split] = met
        outputs = cast("Tensor", met.pick(output))
        if met.objective is None:
            tap.pop(classes=0)
            nothing = outputs.new_zeros(0, 2)
            return Rows(logits=nothing, targets=nothing[:, 0].long(), loss=self._own_loss(outputs, item))
        width = outputs.shape[1 if met.objective.layout.has_classes_second else -1]
        found = self._flattened(met, outputs, item.targets, tap.pop(classes=width))
        kept = self._kept(met, found.targets, source.targets)
        own = None if isinstance(met.objective.loss, str) else self._own_loss(outputs, item)
        return _chosen(found, kept, own)

    def canonical(self, split: str, item: Item) -> Batch:
        """Return a batch as measures take it that run the model themselves: inputs by position, targets.

        Raises:
            ValueError: If the model does not take the inputs by position.
        """
        met = self._met[split]
        targets = item.targets
        if met.objective is not None:
            targets = met.objective.own_targets(targets)
            targets = shifted(targets, fill=self._ignored) if met.is_shifted else targets
            if self._ignored != _IGNORED and met.objective.kind is Kind.CLASSES:
                targets = targets.masked_fill(targets == self._ignored, _IGNORED)  # what torch's loss skips
        return self._call.positional(item), targets

    def logits_of(self, split: str) -> Callable[[object], Tensor]:
        """Return what takes the logits ``[..., C]`` out of the model's output for a split."""
        met = self._met[split]

        def read(output: object) -> Tensor:
            outputs = cast("Tensor", met.pick(output))
            return outputs if met.objective is None else met.objective.logits(outputs)

        return read

    @property
    def _ignored(self) -> int:
        return _IGNORED if self._how.ignore_index is None else self._how.ignore_index

    def _meet(self, split: str, output: object, item: Item) -> tuple[object, _Met]:
        """Find out how they meet; a model that gives all of its outputs only beside targets is run again."""
        try:
            return output, self._found(split, output, item)
        except (TypeError, ValueError):
            if not self._call.can_give_targets:
                raise
            self._call.gives_targets = True
            try:
                again: object = self._call(item)
                return again, self._found(split, again, item)
            except Exception:
                self._call.gives_targets = False
                raise

    def _found(self, split: str, output: object, item: Item) -> _Met:
        targets, own = item.targets, self._how.loss if callable(self._how.loss) else None
        pick = self._how.output or pick_of(output, lambda found: bool(layouts(found.shape, targets.shape)))
        outputs = pick(output)
        if not isinstance(outputs, Tensor):
            raise TypeError(f"Measuring(output=...) must return a tensor, got {type(outputs).__name__}")
        possible = layouts(outputs.shape, targets.shape)
        if not possible and own is not None:
            return _Met(pick=pick, objective=None)
        if not possible:
            raise ValueError(
                "outputs must be [N, C], [N, T, C] or [N, C, ...] for class indices [N], [N, T] or [N, ...], "
                f"or as the targets, got {list(outputs.shape)} and {list(targets.shape)}; let the model "
                "return one row of logits a target"
            )
        layout = possible[0] if len(possible) == 1 else self._which(outputs, possible, item)
        wanted = arranged(outputs, targets, layout)[1]
        objective = objective_of(wanted, layout, loss=cast("Any", self._how.loss))
        if objective.said:
            self._say(objective.said)
        if own is None and self._how.output is None:
            again = lambda: self._call(item)  # noqa: E731 - one call, made where it is asked for
            pick = logits_pick(pick, outputs, objective, run=again, say=self._say)
        return _Met(pick=pick, objective=objective, is_shifted=self._is_shifted(split, objective, item))

    def _which(self, outputs: Tensor, possible: tuple[Layout, ...], item: Item) -> Layout:
        """Return where the classes are, of shapes that do not tell it: the first has them last."""
        last, second = possible
        met = {m.objective.layout for m in self._met.values() if m.objective is not None}
        if len(met) == 1 and (layout := next(iter(met))) in possible:
            return layout
        if self._how.output is not None or self._call.is_causal:
            return last
        made = makes_last(self._model, lambda: self._call(item), outputs)
        if made is None and second is Layout.SECOND:
            shapes = f"outputs {list(outputs.shape)} with targets {list(item.targets.shape)}"
            raise ValueError(
                f"the classes of {shapes} can be the last dimension or the second; write "
                "Measuring(output=lambda found: found) if they are the last, or found.movedim(1, -1) in it"
            )
        return last if made else second

    def _is_shifted(self, split: str, objective: Objective, item: Item) -> bool:
        targets = item.targets
        if objective.kind is not Kind.CLASSES or targets.ndim != 2:  # noqa: PLR2004 - sequences of tokens
            return False
        if self._how.causal is not None:
            return self._how.causal
        inputs: Mapping[str, object] = item.inputs if item.is_named else dict[str, object]()
        read = inputs.get("input_ids")
        if not isinstance(read, Tensor) or read.shape != targets.shape:
            return False
        if padding_counted(inputs.get("attention_mask"), targets, ignored=self._ignored):
            self._say(
                f"targets of {split!r} that attention_mask masks are scored too, as the model's own loss "
                f"does; set those labels to {self._ignored} to leave them out"
            )
        if self._call.is_causal:
            self._say(
                f"the labels of {split!r} are taken for the tokens that the model reads, so each output is "
                f"scored by the next one, as the loss of {type(self._model).__name__} does; "
                "Measuring(causal=False) takes labels that are shifted already"
            )
        elif is_copied(read, targets, ignored=self._ignored):
            self._say(
                f"the labels of {split!r} are the tokens that the model reads, and are not shifted; if it "
                "predicts the next token, write Measuring(causal=True)"
            )
        return self._call.is_causal

    def _flattened(self, met: _Met, outputs: Tensor, targets: Tensor, features: Tensor | None) -> Rows:
        objective = cast("Objective", met.objective)
        logits = objective.logits(outputs)
        wanted = objective.targets(arranged(outputs, targets, objective.layout)[1])
        if met.is_shifted:
            wanted = shifted(wanted, fill=self._ignored)
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

    def _kept(self, met: _Met, targets: Tensor, source: Tensor) -> Tensor | None:
        """Return which rows count, or ``None`` if all of them do; refuse targets that are of another kind."""
        objective = cast("Objective", met.objective)
        objective.check(source)
        ignored = self._how.ignore_index
        if objective.kind is not Kind.CLASSES or (ignored is None and not met.is_shifted):
            return None
        if not met.is_shifted and not self._known.hold(source, self._ignored):
            return None
        return targets != self._ignored

    def _own_loss(self, outputs: Tensor, item: Item) -> tuple[Tensor, int]:
        value = cast("LossFn", self._how.loss)(outputs, item.targets)
        return value.detach().mean(), len(item.targets)


def _fits(met: _Met, output: object, targets: Tensor) -> bool:
    """Say whether a batch lies as the first one did; one that does not is met anew."""
    try:
        outputs = met.pick(output)
    except (TypeError, KeyError, IndexError, AttributeError):
        return False
    if not isinstance(outputs, Tensor):
        return False
    if met.objective is None:
        return True
    return met.objective.layout in layouts(outputs.shape, targets.shape)


def _chosen(rows: Rows, kept: Tensor | None, loss: tuple[Tensor, int] | None) -> Rows:
    if kept is None and loss is None:
        return rows

    def of(part: Tensor) -> Tensor:
        return part if kept is None else part[kept]

    return Rows(
        logits=of(rows.logits),
        targets=of(rows.targets),
        features=None if rows.features is None else of(rows.features),
        examples=None if rows.examples is None else (of(rows.examples[0]), rows.examples[1]),
        objective=rows.objective,
        loss=loss,
    )
