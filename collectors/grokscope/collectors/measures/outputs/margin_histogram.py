"""How the margins of a split are spread: not the mean alone, since what is not learned yet hides in it."""

import math
from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor

from grokscope.collectors.measures.array_instrument import ArrayFn, gives_arrays
from grokscope.collectors.measures.instrument import Array, StepContext, Use
from grokscope.collectors.measures.outputs.margins import margins_of
from grokscope.collectors.tensors.predictions import checked_columns
from grokscope.schemas.arrays import ArrayMeasure

_BINS = 41
_OUTERMOST = 1000.0


def margin_edges() -> list[float]:
    """Return the edges of the histogram's bins: even in asinh, so that small and large margins have room.

    Source: definition. Cost: none.

    >>> edges = margin_edges()
    >>> len(edges), round(edges[0]), round(edges[20], 2), round(edges[21], 2)
    (42, -1000, -0.19, 0.19)
    """
    widest = math.asinh(_OUTERMOST)
    return [math.sinh(widest * (2 * place / _BINS - 1)) for place in range(_BINS + 1)]


def margin_shares(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the share of the samples whose margin is in each bin of ``margin_edges``.

    What lies beyond the outermost edges is counted in the outermost bins; the bin in the middle holds the
    margins around 0, where the class is just right or just wrong.

    Args:
        logits: ``[N, C]``.
        targets: ``[N]`` class indices.

    Returns:
        ``[41]``, no synchronisation; sums to 1, less the samples whose margin is NaN.

    Raises:
        ValueError: If there are no samples, fewer than two classes, or shapes or types do not match.

    Source: definition. Cost: one pass and one copy of the logits.

    >>> margin_shares(torch.tensor([[9.0, 0.0], [0.0, 9.0]]), torch.tensor([0, 0])).nonzero().flatten()
    tensor([12, 28])
    """
    margins = margins_of(*checked_columns(logits, targets)).flatten()
    inner = torch.tensor(margin_edges()[1:-1], dtype=margins.dtype).to(margins.device, non_blocking=True)
    bins = torch.bucketize(margins, inner)
    counted = (~margins.isnan()).to(margins.dtype)
    return torch.zeros(_BINS, dtype=margins.dtype, device=margins.device).index_add(0, bins, counted) / len(
        margins
    )


MARGINS = ArrayMeasure(
    name="outputs/margins",
    label="share of the samples by logit margin",
    unit="1",
    axes=("margin",),
    formula="share of z_y - max_{j≠y} z_j in each of 41 bins, even in asinh from -1000 to 1000",
)


@gives_arrays(MARGINS, use=Use.DEFAULT)
def margin_histogram() -> ArrayFn:
    """Return the instrument of ``outputs/margins/<split>``: the histogram of a split's margins.

    Source: definition. Cost: one pass over the logits, at most eight times a decade of steps.

    >>> from torch import nn
    >>> margin_histogram()(StepContext(step=0, model=nn.ReLU()))
    {}
    """
    edges = margin_edges()
    middles = [f"{(low + high) / 2:.3g}" for low, high in pairwise(edges)]

    def measure(context: StepContext) -> Mapping[str, Array]:
        return {
            MARGINS.at(split): Array(
                values=margin_shares(found.logits, found.targets), axes={"margin": middles}
            )
            for split, found in context.passes.items()
        }

    return measure
