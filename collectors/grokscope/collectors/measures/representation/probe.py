"""What a linear readout could tell from a representation."""

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor

from grokscope.collectors.measures.formulas import formula_of
from grokscope.collectors.measures.instrument import MeasureFn, StepContext, gives
from grokscope.collectors.measures.probing import features_of
from grokscope.collectors.tensors.predictions import widest
from grokscope.schemas import Direction, Measure, Tier


def ridge_probe(  # noqa: PLR0913 - two labelled sets and two options
    features: Tensor,
    labels: Tensor,
    held_out: Tensor,
    held_out_labels: Tensor,
    *,
    classes: int,
    ridge: float = 1e-3,
) -> Tensor:
    """Return the accuracy on held-out samples of a ridge regression fit on training samples.

        W = (X̃ᵀX̃ + r·tr(X̃ᵀX̃)/d · I)⁻¹ X̃ᵀỸ,  prediction argmax_c of (x - μ)W + mean(Y)

    X̃ and Ỹ are centred features and one-hot labels. Far above the model's own held-out accuracy, the
    representation has generalized and the readout has not.

    Args:
        features: X ``[N, d]`` to fit on.
        labels: ``[N]`` class indices.
        held_out: ``[M, d]`` to score on.
        held_out_labels: ``[M]`` class indices.
        classes: C.
        ridge: r > 0, relative to the mean variance of a feature.

    Returns:
        Scalar tensor in [0, 1], no synchronisation; 0 if a feature of the training samples is NaN.

    Raises:
        ValueError: If ``ridge`` is not positive or shapes do not match.

    Source: Alain & Bengio 2016, arXiv:1610.01644; Chou et al. 2026, arXiv:2605.27078.
    Cost: O(N d min(N, d)), one Cholesky factorisation.

    >>> x, y = torch.tensor([[-1.0], [1.0], [-2.0], [2.0]]), torch.tensor([0, 1, 0, 1])
    >>> ridge_probe(x[:2], y[:2], x[2:], y[2:], classes=2)
    tensor(1.)
    """
    if not ridge > 0:
        raise ValueError(f"ridge must be positive, got {ridge}; 1e-3 hardly shrinks")
    for x, y in ((features, labels), (held_out, held_out_labels)):
        if x.ndim != 2 or y.shape != x.shape[:1] or not y.numel() or x.shape[1] != features.shape[1]:  # noqa: PLR2004
            raise ValueError(
                f"features must be [N, d] with labels [N] on both sides, got {list(x.shape)} and "
                f"{list(y.shape)}; flatten leading dimensions"
            )
    wide = widest(features.detach())
    mean, answers = wide.mean(dim=0), torch.nn.functional.one_hot(labels.long(), classes).to(wide.dtype)
    weight = _fit(wide - mean, answers - answers.mean(dim=0), ridge)
    scores = (widest(held_out.detach()) - mean) @ weight + answers.mean(dim=0)
    hits = (scores.argmax(dim=1) == held_out_labels) & ~scores.isnan().any(dim=1)
    return hits.to(torch.float32).mean()


def _fit(x: Tensor, y: Tensor, ridge: float) -> Tensor:
    """Solve on the smaller side: (XᵀX + cI)⁻¹XᵀY = Xᵀ(XXᵀ + cI)⁻¹Y."""
    is_wide = x.shape[1] > x.shape[0]
    gram = x @ x.mT if is_wide else x.mT @ x
    # Without any variance the smallest normal number still gives a factor, and a probe that says nothing.
    strength = (ridge * x.square().sum() / x.shape[1]).clamp_min(torch.finfo(x.dtype).tiny)
    gram.diagonal().add_(strength)
    factor = cast("Any", torch.linalg).cholesky_ex(gram).L  # unlike cholesky, it does not wait for the device
    return x.mT @ torch.cholesky_solve(y, factor) if is_wide else torch.cholesky_solve(x.mT @ y, factor)


PROBE_ACCURACY = Measure(
    key="representation/probe_accuracy",
    label="accuracy of a ridge probe fit on train",
    unit="1",
    low=0.0,
    high=1.0,
    direction=Direction.UP,
    tier=Tier.CHEAP,
    formula=formula_of(ridge_probe),
    source="Chou et al. 2026, arXiv:2605.27078",
    around="leads the model's own readout (arXiv:2605.27078)",
)


@gives(PROBE_ACCURACY)
def linear_probe(*, ridge: float = 1e-3) -> MeasureFn:
    """Return the instrument of ``representation/probe_accuracy/<split>``: fit on ``train``, scored elsewhere.

    Args:
        ridge: See ``ridge_probe``.

    Source: Chou et al. 2026, arXiv:2605.27078. Cost: one factorisation of d x d a split.

    >>> list(linear_probe()(StepContext(step=0, model=torch.nn.ReLU())))
    []
    """

    def measure(context: StepContext) -> Mapping[str, Tensor]:
        features = features_of(context)
        if "train" not in features:
            return {}
        fit, passes = features.pop("train"), context.passes
        classes = passes["train"].logits.shape[1]
        return {
            PROBE_ACCURACY.at(split): ridge_probe(
                fit, passes["train"].targets, there, passes[split].targets, classes=classes, ridge=ridge
            )
            for split, there in features.items()
        }

    return measure
