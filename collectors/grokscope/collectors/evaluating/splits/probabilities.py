"""Outputs that are probabilities already, where logits are wanted."""

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor

from grokscope.collectors.evaluating.splits.layouts import Pick
from grokscope.collectors.evaluating.splits.objectives import Kind, Objective

_ROUNDING = 1e-3
_SINGLE = torch.finfo(torch.float32)
_VIEWS = ("Squeeze", "Unsqueeze", "View", "UnsafeView", "Reshape", "Flatten", "Select", "ToCopy", "Permute")


def logits_pick(
    pick: Pick,
    outputs: Tensor,
    objective: Objective,
    *,
    run: Callable[[], object],
    say: Callable[[str], object],
) -> Pick:
    """Return what takes logits out of a model's output, where ``pick`` takes what may be probabilities.

    Of a model whose last step is a sigmoid the logits are computed back, as exactly as single precision
    allows; of rows that sum to 1 it is only said what would help.

    Args:
        pick: Takes outputs.
        outputs: Of a first batch.
        objective: What the targets are.
        run: Runs the model on that batch again.
        say: Takes a sentence about what was found.

    Source: definition. Cost: two comparisons; another forward pass where all outputs lie in [0, 1].
    """
    rows = objective.logits(outputs).detach().float()
    is_positive = bool((rows >= 0).all())
    if objective.kind in (Kind.CLASSES, Kind.SOFT, Kind.ONE_HOT):
        if is_positive and bool(((rows.sum(-1) - 1).abs() < _ROUNDING).all()):
            say(
                "the model's outputs are never negative and sum to 1, as probabilities, and are taken for "
                "logits; return them before the softmax, or write Measuring(output=lambda found: found.log())"
            )
        return pick
    if objective.loss != "bce" or not is_positive or not bool((rows <= 1).all()):
        return pick
    with torch.enable_grad():
        is_sigmoid = ends_in_sigmoid(cast("Tensor", pick(run())))
    if not is_sigmoid:
        return pick
    say(
        "the model's last step is a sigmoid, so its outputs are taken for probabilities; "
        "Measuring(output=lambda found: found) takes them as they are"
    )
    return lambda output: _logits(cast("Tensor", pick(output)))


def _logits(probabilities: Tensor) -> Tensor:
    inside = probabilities.float().clamp(_SINGLE.tiny, 1 - _SINGLE.eps / 2)  # next to 0 and to 1
    return inside.log() - (-inside).log1p()


def ends_in_sigmoid(outputs: Tensor) -> bool:
    """Say whether a sigmoid made outputs that have a graph, but for changes of their shape.

    Source: definition. Cost: none.

    >>> z = torch.ones(2, 1, requires_grad=True)
    >>> ends_in_sigmoid(z.sigmoid().squeeze(1)), ends_in_sigmoid(z.sigmoid() * 2), ends_in_sigmoid(z)
    (True, False, False)
    """
    node: Any = outputs.grad_fn
    while node is not None and node.name().startswith(_VIEWS):
        node = node.next_functions[0][0]
    return node is not None and node.name().startswith("Sigmoid")
