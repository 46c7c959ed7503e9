"""What the optimizer itself remembers of past gradients."""

from collections.abc import Sequence

import torch
from torch import Tensor

from grokscope.collectors.tensors.predictions import widened

# Evenly spread, so many values of a tensor tell its quantiles to about 1 % of rank; sorting all is dear.
_MOST = 2**10


def second_moment_measures(moments: Sequence[Tensor], *, epsilon: float) -> dict[str, Tensor]:
    """Return the spread of Adam's root second moments √v̂ over the parameters, and how many ε overrules.

    Quantiles are read from at most 1,024 entries a tensor, evenly spread over it, and each tensor counts
    with as many as it has.

    Args:
        moments: v̂ of each parameter, corrected for the bias of its start, on one device.
        epsilon: Adam's ε > 0, in units of the gradient.

    Returns:
        ``second_moment_q10``, ``_q50``, ``_q90`` of √v̂ in units of the gradient and ``below_epsilon_share``,
        the share of entries with √v̂ < ε: scalar tensors, no synchronisation; NaN sorts last.

    Raises:
        ValueError: If there is nothing to read.

    Source: Thilak et al. 2022, arXiv:2206.04817. Cost: a sort of 1,024 values a tensor at most.

    >>> measures = second_moment_measures([torch.tensor([0.0, 1.0, 4.0, 9.0, 16.0])], epsilon=1e-8)
    >>> measures["second_moment_q50"], measures["below_epsilon_share"]
    (tensor(2.), tensor(0.2000))
    """
    read = [part for moment in moments if len(part := evenly_read(moment))]
    if not read:
        raise ValueError("second moments need at least one value, got none; take an optimizer step first")
    roots = widened(torch.cat(read)).sqrt().sort().values
    return {
        **{f"second_moment_q{q}": roots[round(q / 100 * (len(roots) - 1))] for q in (10, 50, 90)},
        "below_epsilon_share": (roots < epsilon).to(roots.dtype).mean(),
    }


def evenly_read(values: Tensor) -> Tensor:
    """Return at most 1,024 entries of a tensor, evenly spread over it.

    Source: definition. Cost: a view, where the tensor is contiguous.

    >>> evenly_read(torch.arange(5000)).tolist()[:3], len(evenly_read(torch.ones(2, 3)))
    ([0, 5, 10], 6)
    """
    flat = values.detach().flatten()
    return flat[:: max(1, -(-len(flat) // _MOST))]
