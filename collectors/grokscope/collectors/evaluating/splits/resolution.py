"""Which outputs of a model are the logits of which targets: found out at the first batch of a split."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from torch import Tensor, nn

from grokscope.collectors.evaluating.measuring import Measuring
from grokscope.collectors.evaluating.splits.forward_call import ForwardCall
from grokscope.collectors.evaluating.splits.left_out import AmbiguousBatchError, refuse_rivals, what_is_missed
from grokscope.collectors.evaluating.splits.outputs.layouts import (
    Layout,
    Pick,
    arranged,
    classes_of,
    layouts,
    makes_last,
    pick_of,
)
from grokscope.collectors.evaluating.splits.outputs.probabilities import logits_pick
from grokscope.collectors.evaluating.splits.reading.items import Item
from grokscope.collectors.evaluating.splits.targets.kinds import LOSSES, Kind, LossName
from grokscope.collectors.evaluating.splits.targets.objectives import Objective, objective_of
from grokscope.collectors.evaluating.splits.targets.shifting import is_copied, padding_counted

_TOKENS = 2
"""Dimensions of a batch of tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """Which outputs are the logits of a split's targets, and what is minimised.

    Attributes:
        pick: Takes them out of what the model returns.
        objective: What the targets are; ``None`` where outputs do not lie to them in any known way.
        width: Dimensions of the outputs, and their classes.
        is_shifted: Whether each output is scored by the next target.
    """

    pick: Pick
    objective: Objective | None
    width: tuple[int, int]
    is_shifted: bool = False

    def fits(self, output: object, targets: Tensor) -> bool:
        """Say whether a batch lies as the first one did; one that does not is resolved anew."""
        try:
            outputs = self.pick(output)
        except (TypeError, KeyError, IndexError, AttributeError):
            return False
        if not isinstance(outputs, Tensor):
            return False
        return self.objective is None or self.objective.layout in layouts(outputs.shape, targets.shape)


class Resolver:
    """Finds out which outputs of a model are the logits of the targets of a split.

    Where the targets tell the loss, it is the same for all splits of the same outputs: the first one decides.

    Args:
        model: A plain module.
        how: What the user says of it.
        call: Runs the model.
        ignored: Value of targets that are left out, or would be.
        say: Takes a sentence about what was decided.

    >>> import torch
    >>> model, item = nn.Linear(2, 3), Item(inputs=torch.zeros(4, 2), targets=torch.tensor([0, 1, 2, 0]))
    >>> resolver = Resolver(model, Measuring(), call=ForwardCall(model), ignored=-100, say=print)
    >>> resolver.resolve("test", model(item.inputs), item)[1].objective.kind
    <Kind.CLASSES: 'classes'>
    """

    def __init__(
        self,
        model: nn.Module,
        how: Measuring,
        *,
        call: ForwardCall,
        ignored: int,
        say: Callable[[str], object],
    ) -> None:
        self._model = model
        self._how = how
        self._call = call
        self._ignored = ignored
        self._say = say
        self._found: dict[str, Resolved] = {}

    def __getitem__(self, split: str) -> Resolved:
        """Return what was found out for a split."""
        return self._found[split]

    def resolve(self, split: str, output: object, item: Item) -> tuple[object, Resolved]:
        """Return the model's output for a batch, and which of it are the logits.

        A model that gives all of its outputs only beside targets is run again.

        Args:
            split: Its name.
            output: What the model returned.
            item: The batch, on the model's device.

        Raises:
            ValueError: If outputs do not fit the targets, or fit them in more than one way.
            TypeError: If the model does not return logits.
        """
        known = self._found.get(split)
        if known is None or not known.fits(output, item.targets):
            output, known = self._with_targets(split, output, item)
            self._found[split] = known
        return output, known

    def _with_targets(self, split: str, output: object, item: Item) -> tuple[object, Resolved]:
        try:
            return output, self._resolved(split, output, item)
        except (TypeError, ValueError) as error:
            if not self._call.can_give_targets or isinstance(error, AmbiguousBatchError):
                raise
            self._call.gives_targets = True
            try:
                again: object = self._call(item)
                return again, self._resolved(split, again, item)
            except Exception:
                self._call.gives_targets = False
                raise

    def _resolved(self, split: str, output: object, item: Item) -> Resolved:
        targets, own = item.targets, self._how.loss if callable(self._how.loss) else None
        pick = self._how.output or pick_of(output, lambda found: bool(layouts(found.shape, targets.shape)))
        outputs = pick(output)
        if not isinstance(outputs, Tensor):
            raise TypeError(f"Measuring(output=...) must return a tensor, got {type(outputs).__name__}")
        refuse_rivals(outputs, item, takes=self._call.inputs, ignored=self._ignored)
        possible = layouts(outputs.shape, targets.shape)
        if own is not None and not (possible and outputs.is_floating_point()):
            return Resolved(pick=pick, objective=None, width=(outputs.ndim, 0))
        if not possible:
            raise ValueError(
                "outputs must be [N, C], [N, T, C] or [N, C, ...] for class indices [N], [N, T] or [N, ...], "
                f"or as the targets, got {list(outputs.shape)} and {list(targets.shape)}; let the model "
                "return one row of logits a target"
            )
        layout = possible[0] if len(possible) == 1 else self._which(outputs, possible, item)
        width = outputs.ndim, classes_of(outputs.shape, layout)
        objective = self._objective(arranged(outputs, targets, layout)[1], layout, width)
        if own is None and self._how.output is None:
            again = lambda: self._call(item)  # noqa: E731 - one call, made where it is asked for
            pick = logits_pick(pick, outputs, objective, run=again, say=self._say)
        if said := what_is_missed(split, item, ignored=self._ignored):
            self._say(said)
        is_shifted = self._is_shifted(split, objective, item)
        return Resolved(pick=pick, objective=objective, width=width, is_shifted=is_shifted)

    def _objective(self, targets: Tensor, layout: Layout, width: tuple[int, int]) -> Objective:
        same = (one.objective for one in self._found.values() if one.width == width)
        settled = next((one.loss for one in same if one is not None and one.loss in LOSSES), None)
        objective = objective_of(
            targets,
            layout,
            loss=cast("Any", self._how.loss),
            ignored=self._how.ignore_index,
            settled=cast("LossName | None", settled),
        )
        if objective.said:
            self._say(objective.said)
        return objective

    def _which(self, outputs: Tensor, possible: tuple[Layout, ...], item: Item) -> Layout:
        """Return where the classes are, of shapes that do not tell it: the first has them last."""
        last, second = possible
        found = {one.objective.layout for one in self._found.values() if one.objective is not None}
        if len(found) == 1 and (layout := next(iter(found))) in possible:
            return layout
        if self._how.output is not None or self._call.is_causal:
            return last
        made = makes_last(self._model, lambda: self._call(item), outputs)
        if made is None and second is Layout.SECOND:
            sizes = f"outputs {list(outputs.shape)} with targets {list(item.targets.shape)}"
            raise ValueError(
                f"the classes of {sizes} can be the last dimension or the second; write "
                "Measuring(output=lambda found: found) if they are the last, or found.movedim(1, -1) in it"
            )
        return last if made else second

    def _is_shifted(self, split: str, objective: Objective, item: Item) -> bool:
        targets = item.targets
        if objective.kind is not Kind.CLASSES or targets.ndim != _TOKENS:
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
