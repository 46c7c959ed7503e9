"""Targets of several parts: every one of them right, or each a label that holds or does not."""

import warnings
from importlib.util import find_spec
from typing import cast

import torch
from torch import Tensor

from grokscope.collectors.measures.formulas import formula_of
from grokscope.schemas import Direction, Measure


def exact_match(right: Tensor, examples: Tensor, *, count: int) -> Tensor:
    """Return the share of examples of which every counted target is right.

        (1/E) #{e : every target of e is right}, E examples with a target that counts

    Args:
        right: ``[N]``, 1 where a target is right, else 0.
        examples: ``[N]`` indices of the examples that the targets belong to.
        count: Of examples, with or without a target.

    Returns:
        Scalar tensor in [0, 1], no synchronisation; NaN if no example has a target.

    Source: Rajpurkar et al. 2016, arXiv:1606.05250. Cost: two sums over the targets.

    >>> exact_match(torch.tensor([1.0, 1.0, 0.0, 1.0]), torch.tensor([0, 0, 1, 1]), count=2)
    tensor(0.5000)
    """
    wide = right.float()
    wrong = torch.zeros(count, device=right.device).index_add_(0, examples, 1 - wide)
    there = torch.zeros(count, device=right.device).index_add_(0, examples, torch.ones_like(wide)) > 0
    return ((wrong == 0) & there).sum() / there.sum()


def labels_right(logits: Tensor, targets: Tensor) -> Tensor:
    """Return where a label is predicted as it is: held where its logit is above 0; a NaN is wrong.

    Source: definition. Cost: one pass.

    >>> labels_right(torch.tensor([[2.0, -1.0]]), torch.tensor([[1.0, 1.0]]))
    tensor([[ True, False]])
    """
    return ((logits > 0) == (targets > 0.5)) & ~logits.isnan()  # noqa: PLR2004 - between 0 and 1


def auc(logits: Tensor, targets: Tensor) -> Tensor | None:
    """Return the area under the receiver operating characteristic, the mean over labels.

    Args:
        logits: ``[N, L]``.
        targets: ``[N, L]``, 0 or 1; a label that always or never holds is left out.

    Returns:
        Scalar tensor in [0, 1]; NaN if no label is left; ``None`` where torchmetrics is not installed.

    Source: ``torchmetrics.functional.classification.binary_auroc``. Cost: a sort of N values a label, and
    the synchronisations that torchmetrics makes.

    >>> auc(torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([[0.0], [1.0], [1.0]]))
    tensor(1.)
    """
    if find_spec("torchmetrics") is None:
        return None
    from torchmetrics.functional.classification import binary_auroc  # noqa: PLC0415 - optional, slow to import

    held = (targets > 0.5).long()  # noqa: PLR2004 - between 0 and 1
    # Ranks are all that counts, and what lies outside 0 to 1 would be put through a sigmoid that ties them.
    ranks = cast("Tensor", torch.unique(logits, return_inverse=True)[1]).double()
    scaled = ranks / ranks.max().clamp(min=1)
    areas: list[Tensor] = []
    for label in range(held.shape[1]):
        varies = (held[:, label].amin() == 0) & (held[:, label].amax() == 1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a label that never holds, which is left out below
            area = binary_auroc(scaled[:, label], held[:, label], validate_args=False)
        areas.append(torch.where(varies, area, torch.nan))
    return torch.stack(areas).nanmean().float()


EXACT_MATCH = Measure(
    key="<split>/exact_match",
    label="share of examples with every target right",
    unit="1",
    low=0.0,
    high=1.0,
    direction=Direction.UP,
    formula=formula_of(exact_match),
    source="Rajpurkar et al. 2016, arXiv:1606.05250",
)
AUC = Measure(
    key="<split>/auc",
    label="area under the ROC curve, mean over labels",
    unit="1",
    low=0.0,
    high=1.0,
    direction=Direction.UP,
    formula="mean over labels of P(z of one that holds > z of one that does not), ties a half",
    source="torchmetrics",
)
