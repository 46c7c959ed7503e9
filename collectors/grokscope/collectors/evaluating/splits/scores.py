"""The scores of a split, as its targets have them: of classes, labels or values."""

from typing import cast

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from grokscope.collectors.evaluating.forward_pass import Pass
from grokscope.collectors.evaluating.splits.targets.objectives import Kind
from grokscope.collectors.measures.outputs.curves import curve_measures
from grokscope.collectors.measures.outputs.labels import auc, labels_right
from grokscope.collectors.measures.outputs.regression import r2
from grokscope.collectors.measures.outputs.sampling import accuracy_interval, standard_error
from grokscope.collectors.tensors.predictions import checked_predictions


def scores_of(seen: Pass, *, sampled: int | None = None, is_part: bool = False) -> dict[str, Tensor | float]:
    """Return the scores of a split by quantity.

    Class targets have every curve measure, a single logit the AUC too; several labels their loss, accuracy
    (of labels), exact match (of rows) and AUC; shares of classes their loss and accuracy; values their loss
    and R². The AUC needs torchmetrics.

    Args:
        seen: What reading it gave.
        sampled: How many examples were read, where a part was asked for.
        is_part: Whether others were left out: then the scores have their intervals.

    Raises:
        ValueError: If there are no rows, or they hold what they must not.

    Source: each measure's own. Cost: as ``curve_measures``, or a few passes over the outputs.

    >>> seen = Pass(logits=torch.eye(2), targets=torch.tensor([0, 1]), features=None)
    >>> scores_of(seen)["accuracy"]
    tensor(1.)
    """
    extent = {} if sampled is None else {"examples": float(sampled)}
    objective = seen.objective
    if objective is None and seen.loss is not None:
        return {"loss": seen.loss, **extent}
    if objective is None or objective.kind.has_classes:
        # Nobody differentiates these; without the bookkeeping for it small splits take a seventh less.
        with torch.inference_mode(type(seen.logits) is Tensor):
            values = curve_measures(seen.logits, seen.targets, examples=seen.examples)
    else:
        _check(seen)
        values = _of_parts(seen, objective.kind)
    if objective is not None and not objective.is_plain:
        loss = seen.loss if seen.loss is not None else objective.criterion(seen.logits, seen.targets)
        values = {"loss": loss, **{name: value for name, value in values.items() if name != "loss"}}
    if objective is not None and objective.kind is Kind.BINARY:
        values |= _auc(seen.logits[:, 1:], seen.targets.unsqueeze(-1))
    if sampled is not None and is_part:
        extent |= _intervals(seen, values, sampled)
    return values | extent


def _intervals(seen: Pass, values: dict[str, Tensor], examples: int) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    if "accuracy" in values:
        found["accuracy_low"], found["accuracy_high"] = accuracy_interval(values["accuracy"], examples)
    if seen.objective is None or seen.objective.is_plain:
        losses = cross_entropy(*checked_predictions(seen.logits, seen.targets), reduction="none")
        found["loss_error"] = standard_error(losses, examples=seen.examples)
    return found


def _of_parts(seen: Pass, kind: Kind) -> dict[str, Tensor]:
    logits, targets = seen.logits.detach(), seen.targets
    if kind is Kind.VALUES:
        return {"r2": r2(logits, targets)}
    if kind is Kind.SOFT:
        return {"accuracy": (logits.argmax(-1) == targets.argmax(-1)).float().mean()}
    right = labels_right(logits, targets)
    return {
        "accuracy": right.float().mean(),
        "exact_match": right.all(dim=-1).float().mean(),
        **_auc(logits, targets),
    }


def _auc(logits: Tensor, targets: Tensor) -> dict[str, Tensor]:
    area = auc(logits, targets)
    return {} if area is None else {"auc": area}


def _check(seen: Pass) -> None:
    if not len(seen.logits) or not seen.logits.is_floating_point():
        raise ValueError(
            f"outputs must be floating point, of at least one example, got {seen.logits.dtype} of "
            f"{list(cast('tuple[int, ...]', seen.logits.shape))}; pass scores before they are rounded"
        )
