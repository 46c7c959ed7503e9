"""Outputs that are probabilities already, where logits are wanted."""

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor

from grokscope.collectors.evaluating.splits.outputs.layouts import Pick
from grokscope.collectors.evaluating.splits.outputs.origins import operation_of
from grokscope.collectors.evaluating.splits.targets.objectives import Objective
from grokscope.collectors.tensors.predictions import widened

_ROUNDING = 1e-3
_HALF_ROUNDING = 2e-2
"""Of a sum of shares in half precision, whatever they were converted to."""
_SINGLE = torch.finfo(torch.float32)
_BOUNDED = {"sigmoid": "a sigmoid", "_softmax": "a softmax"}
_LINEAR = frozenset({"addmm", "mm", "bmm", "baddbmm", "mv", "addmv", "linear", "convolution", "_convolution"})
"""Operations of layers that make logits."""


def logits_pick(
    pick: Pick,
    outputs: Tensor,
    objective: Objective,
    *,
    run: Callable[[], object],
    say: Callable[[str], object],
) -> Pick:
    """Return what takes logits out of a model's output, where ``pick`` takes what may be probabilities.

    Rows that are never negative and sum to 1 are probabilities of classes unless a linear layer made them;
    outputs in [0, 1] are probabilities of labels if a sigmoid or a softmax made them. Then logits are
    computed back, as exactly as single precision allows, and it is said. Where outputs in [0, 1] may be
    either, they stay what they are, and that is said.

    Args:
        pick: Takes outputs.
        outputs: Of a first batch.
        objective: What the targets are.
        run: Runs the model on that batch again.
        say: Takes a sentence about what was found.

    Source: definition. Cost: two comparisons; another forward pass where all outputs lie in [0, 1].
    """
    if not outputs.is_floating_point():
        return pick
    rows = objective.logits(outputs).detach().float()
    may_be = bool(((rows >= 0) & (rows <= 1 + _ROUNDING)).all()) and bool(rows.any())
    if objective.loss not in ("cross_entropy", "bce") or not may_be:
        return pick
    operation = operation_of(lambda: pick(run()))
    if operation in _LINEAR:
        return pick
    if objective.loss == "bce":
        return _of_labels(pick, operation, say=say)
    rounding = _HALF_ROUNDING if operation == "_softmax" else _ROUNDING
    if bool(((rows.sum(-1) - 1).abs() < rounding).all()):
        say(
            "the model's outputs are never negative and sum to 1, so they are taken for probabilities, and "
            "their logarithms for logits; Measuring(output=lambda found: found) takes them for logits"
        )
        return lambda output: _logs(cast("Tensor", pick(output)))
    if operation == "sigmoid":
        say(
            "the model's last step is a sigmoid, and its outputs are taken for logits, as the targets are "
            "classes and their probabilities would sum to 1; Measuring(loss='bce') takes each class by itself"
        )
    return pick


def _of_labels(pick: Pick, operation: str | None, *, say: Callable[[str], object]) -> Pick:
    if operation in _BOUNDED:
        say(
            f"the model's last step is {_BOUNDED[operation]}, so its outputs are taken for probabilities; "
            "Measuring(output=lambda found: found) takes them as they are"
        )
        return lambda output: _logits(cast("Tensor", pick(output)))
    say(
        "the model's outputs lie in [0, 1] for a whole batch and are taken for logits; if they are "
        "probabilities, write Measuring(output=lambda found: found.logit())"
    )
    return pick


def _logs(probabilities: Tensor) -> Tensor:
    return widened(probabilities).clamp(min=_SINGLE.tiny).log()


def _logits(probabilities: Tensor) -> Tensor:
    inside = widened(probabilities).clamp(_SINGLE.tiny, 1 - _SINGLE.eps / 2)  # next to 0 and to 1
    return inside.log() - (-inside).log1p()
