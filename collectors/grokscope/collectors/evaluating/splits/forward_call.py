"""What a model's ``forward`` takes of a batch: by position or by name, with targets or without."""

import inspect
from collections.abc import Mapping
from typing import Any, cast

from torch import Tensor, nn

from grokscope.collectors.evaluating.batches import Inputs
from grokscope.collectors.evaluating.splits.reading.items import Item
from grokscope.collectors.evaluating.splits.reading.signature import (
    TARGET_NAMES,
    parameters_of,
    positional_inputs,
)

_CAUSAL = ("ForCausalLM", "LMHeadModel")
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class ForwardCall:
    """Calls a model on batches, with what its ``forward`` takes of each.

    >>> import torch
    >>> call = ForwardCall(nn.Linear(2, 3))
    >>> item = Item(inputs={"input": torch.zeros(1, 2), "length": torch.ones(1)}, targets=torch.tensor([0]))
    >>> call(item).shape, call.positional(item).shape
    (torch.Size([1, 3]), torch.Size([1, 2]))
    """

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self.inputs = positional_inputs(model)
        parameters = parameters_of(model)
        self._named = {one.name: one for one in parameters if one.kind in _NAMED}
        self._takes_any = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters)
        target = next((self._named[name] for name in TARGET_NAMES if name in self._named), None)
        self._target = None if target is None else target.name
        config: object = getattr(model, "config", None)
        is_needed = target is not None and target.default is inspect.Parameter.empty
        # Of sequence to sequence, where the decoder reads the targets.
        self.gives_targets = is_needed or bool(getattr(config, "is_encoder_decoder", False) and target)
        is_decoder = getattr(config, "is_decoder", False) is True
        self.is_causal = type(model).__name__.endswith(_CAUSAL) or is_decoder

    @property
    def can_give_targets(self) -> bool:
        """Whether ``forward`` takes targets, and does not get them."""
        return self._target is not None and not self.gives_targets

    def __call__(self, item: Item) -> Any:
        """Return what the model returns for a batch on its device."""
        arguments, named = self._arguments(item)
        return self._model(*arguments, **named)

    def positional(self, item: Item) -> Inputs:
        """Return what the model takes of a batch as positional arguments.

        Raises:
            ValueError: If what it takes by name has gaps between.
        """
        arguments, named = self._arguments(item)
        if named:
            order = list(self._named)[len(arguments) : len(arguments) + len(named)]
            if set(order) != set(named):
                raise ValueError(
                    f"the model takes {', '.join(map(repr, named))} by name, with other arguments between; "
                    "measures that run it themselves need them first in forward"
                )
            arguments += tuple(named[name] for name in order)
        if not all(isinstance(part, Tensor) for part in arguments):
            raise ValueError(
                "the model takes more than tensors, so measures that run it themselves cannot; let forward "
                "take each by name"
            )
        return arguments[0] if len(arguments) == 1 else arguments

    def _arguments(self, item: Item) -> tuple[tuple[Any, ...], dict[str, Any]]:
        inputs: Any = item.inputs
        is_several = isinstance(item.inputs, tuple)
        arguments: tuple[Any, ...] = tuple(inputs) if is_several else (inputs,)
        named = dict[str, Any]()
        if isinstance(inputs, Mapping):
            given = cast("Mapping[str, Any]", inputs)
            named = {name: part for name, part in given.items() if name in self._named}
            if not named and self._takes_any:
                named = dict(given)
            is_alone = len(given) == 1
            arguments = () if named else (next(iter(given.values())) if is_alone else given,)
        if self.gives_targets and self._target is not None:
            named[self._target] = item.targets
        return arguments, named
