"""How well values are predicted: the share of their variance that is explained."""

import torch
from torch import Tensor

from grokscope.collectors.measures.formulas import formula_of
from grokscope.collectors.tensors.predictions import widest
from grokscope.schemas import Direction, Measure


def r2(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return the coefficient of determination, the mean over the outputs' dimensions.

        R² = mean_d (1 - Σᵢ (y_id - ŷ_id)² / Σᵢ (y_id - ȳ_d)²)

    Args:
        outputs: ``[N, D]``.
        targets: ``[N, D]``; a dimension in which all are equal is left out.

    Returns:
        Scalar tensor ≤ 1, no synchronisation; NaN if no dimension varies, or an output is NaN.

    Raises:
        ValueError: If the shapes differ, or there are no samples.

    Source: definition; the mean as in scikit-learn's ``r2_score``. Cost: three passes over the targets.

    >>> targets = torch.tensor([[0.0], [1.0], [2.0]])
    >>> r2(targets, targets), r2(torch.ones(3, 1), targets)
    (tensor(1.), tensor(0.))
    """
    if outputs.shape != targets.shape or outputs.ndim != 2 or not len(outputs):  # noqa: PLR2004 - N and D
        raise ValueError(
            f"R² needs outputs and targets [N, D] of one shape and at least one sample, got "
            f"{list(outputs.shape)} and {list(targets.shape)}; flatten leading dimensions"
        )
    wanted = widest(targets)
    left = (widest(outputs) - wanted).square().sum(dim=0)
    total = (wanted - wanted.mean(dim=0)).square().sum(dim=0)
    varies = total > 0
    share = torch.where(varies, 1 - left / torch.where(varies, total, 1), 0).sum() / varies.sum()
    return share.to(torch.float32)


R2 = Measure(
    key="<split>/r2",
    label="share of variance explained (R²)",
    unit="1",
    high=1.0,
    direction=Direction.UP,
    formula=formula_of(r2),
    source="definition; the mean as in scikit-learn's r2_score",
)
