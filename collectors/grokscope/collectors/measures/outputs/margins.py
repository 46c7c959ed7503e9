"""Margins in units of what the layers could make of them."""

from collections.abc import Iterable

import torch
from torch import Tensor

from grokscope.collectors.measures.outputs.curves import margin
from grokscope.collectors.measures.weights.norms import weight_norms


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
