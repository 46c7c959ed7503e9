"""By how much the true class leads, and in which units."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from grokscope.collectors.measures.formulas import formula_of
from grokscope.collectors.measures.instrument import MeasureFn, StepContext, gives
from grokscope.collectors.measures.weights.norms import weight_norms
from grokscope.collectors.tensors.predictions import checked_columns
from grokscope.collectors.tensors.torch_stubs import vector_norm
from grokscope.schemas import Direction, Measure


def margin(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the mean lead of the true class over its strongest rival: z_y - max_{j≠y} z_j.

    Args:
        logits: ``[N, C]``.
        targets: ``[N]`` class indices.

    Returns:
        Scalar tensor in logits, negative where rivals lead, no synchronisation; NaN if a logit is NaN.

    Raises:
        ValueError: If there are no samples, fewer than two classes, or shapes or types do not match.

    Source: definition. Cost: one pass and one copy of the logits.

    >>> margin(torch.tensor([[5.0, 2.0, 1.0], [0.0, 1.0, 0.0]]), torch.tensor([0, 0]))
    tensor(1.)
    """
    return margins_of(*checked_columns(logits, targets)).mean()


def relative_margin(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the mean margin in units of each sample's logits: blind to their scale.

        (1/N) Σᵢ (z_iyᵢ - max_{j≠yᵢ} z_ij) / ‖zᵢ - mean(zᵢ)‖₂,  0/0 = 0

    Args:
        logits: ``[N, C]``.
        targets: ``[N]`` class indices.

    Returns:
        Scalar tensor in [-√2, √2], no synchronisation; NaN if a logit is not finite.

    Raises:
        ValueError: If there are no samples, fewer than two classes, or shapes or types do not match.

    Source: definition. Cost: four passes and one copy of the logits.

    >>> relative_margin(torch.tensor([[3.0, 0.0], [30.0, 0.0]]), torch.tensor([0, 0]))
    tensor(1.4142)
    """
    rows, columns = checked_columns(logits, targets)
    return relative_of(margins_of(rows, columns), vector_norm(rows - rows.mean(dim=0), dim=0)).mean()


def logit_scale(logits: Tensor) -> Tensor:
    """Return the mean norm of the logits after each row's mean is taken away.

        s = (1/N) Σᵢ ‖zᵢ - mean(zᵢ)‖₂

    Args:
        logits: ``[N, C]``; an empty batch gives NaN.

    Returns:
        Scalar tensor in logits, no synchronisation; NaN if a logit is not finite.

    Source: definition. Cost: two passes.

    >>> logit_scale(torch.tensor([[4.0, 1.0, 1.0]]))
    tensor(2.4495)
    """
    wide = logits.detach().to(torch.promote_types(logits.dtype, torch.float32))
    return vector_norm(wide - wide.mean(dim=1, keepdim=True), dim=1).mean()


def layer_margin(logits: Tensor, targets: Tensor, matrices: Iterable[Tensor]) -> Tensor:
    """Return the mean margin over the product of the layers' norms: growing weights do not raise it.

        mean margin / Π_l ‖W_l‖_F

    For a network without biases, homogeneous in each layer, it is blind to the scale of every layer. The
    product is taken in logarithms, so that it neither overflows nor vanishes before the ratio is made.

    Args:
        logits: ``[N, C]``.
        targets: ``[N]`` class indices.
        matrices: Weights of two or more dimensions, on one device.

    Returns:
        Scalar tensor, no synchronisation; NaN if a logit or a weight is NaN, or a norm is 0.

    Raises:
        ValueError: If there are no samples, fewer than two classes, or shapes or types do not match.

    Source: Bartlett et al. 2017, arXiv:1706.08498 (Frobenius in place of spectral norms).
    Cost: two passes over the logits and one over the weights.

    >>> layer_margin(torch.tensor([[6.0, 0.0]]), torch.tensor([0]), [torch.full((2, 2), 1.0)])
    tensor(3.)
    """
    norms = weight_norms({str(index): [matrix] for index, matrix in enumerate(matrices)})
    value = margin(logits, targets)
    if not norms:
        return value
    together = torch.stack([*norms.values()])
    size = value.abs().log() - together.log().sum()
    return torch.where((together > 0).all(), value.sign() * size.exp(), torch.nan)


def margins_of(rows: Tensor, targets: Tensor) -> Tensor:
    """Return each sample's margin ``[N]``, of logits ``[C, N]`` and targets ``[1, N]``.

    Source: definition. Cost: one pass and one copy of the logits.

    >>> margins_of(torch.tensor([[5.0, 0.0], [2.0, 1.0]]), torch.tensor([[0, 0]]))
    tensor([ 3., -1.])
    """
    return rows.gather(0, targets).squeeze(0) - rows.scatter(0, targets, -torch.inf).amax(dim=0)


def relative_of(margins: Tensor, norms: Tensor) -> Tensor:
    """Return margins ``[N]`` in units of the norms ``[N]`` of the centred logits; 0/0 is 0.

    Source: definition. Cost: N values.

    >>> relative_of(torch.tensor([3.0, 0.0]), torch.tensor([1.5, 0.0]))
    tensor([2., 0.])
    """
    return margins / torch.where(norms == 0, 1, norms)


MARGIN = Measure(
    key="<split>/margin",
    label="mean logit margin",
    unit="logit",
    direction=Direction.UP,
    formula="(1/N) Σᵢ (z_iyᵢ - max_{j≠yᵢ} z_ij)",
    around="train: leads by .11, test: 0 (measured here)",
)
RELATIVE_MARGIN = Measure(
    key="<split>/relative_margin",
    label="mean margin / norm of centred logits",
    unit="1",
    low=-(2**0.5),
    high=2**0.5,
    direction=Direction.UP,
    formula=formula_of(relative_margin),
)
LOGIT_SCALE = Measure(
    key="<split>/logit_scale",
    label="mean norm of centred logits",
    unit="logit",
    low=0.0,
    formula=formula_of(logit_scale),
    around="leads by .10, monotone in 3 of 4 (measured here)",
)
LAYER_MARGIN = Measure(
    key="<split>/layer_margin",
    label="mean margin / product of layer norms",
    unit="logit",
    direction=Direction.UP,
    formula=formula_of(layer_margin),
    source="Bartlett et al. 2017, arXiv:1706.08498",
)


@gives(LAYER_MARGIN)
def layer_margins() -> MeasureFn:
    """Return the instrument of ``<split>/layer_margin``: the margin over the product of the layers' norms.

    Source: Bartlett et al. 2017, arXiv:1706.08498. Cost: two passes over the logits, free.

    >>> from torch import nn
    >>> list(layer_margins()(StepContext(step=0, model=nn.ReLU())))
    []
    """

    def measure(context: StepContext) -> Mapping[str, Tensor]:
        # Whole numbers, as of quantised weights, are no weights by themselves, and what is empty is no layer.
        there = [p for p in context.model.parameters() if p.ndim > 1 and p.numel()]
        matrices = [p for p in there if p.is_floating_point() or p.is_complex()]
        return {
            LAYER_MARGIN.at(split): layer_margin(found.logits, found.targets, matrices)
            for split, found in context.passes.items()
        }

    return measure
