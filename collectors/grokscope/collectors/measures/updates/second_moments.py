"""What the optimizer itself remembers of past gradients."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from grokscope.collectors.measures.instrument import MeasureFn, StepContext, Use, gives
from grokscope.collectors.tensors.complex_numbers import real
from grokscope.collectors.tensors.predictions import widened
from grokscope.collectors.tensors.shards import whole
from grokscope.collectors.tensors.sorting import ascending
from grokscope.schemas import Measure

# Evenly spread, so many values of a tensor tell its quantiles to about 1 % of rank; sorting all is costly.
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
    roots = ascending(widened(torch.cat(read)).sqrt())
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


_THILAK = "Thilak et al. 2022, arXiv:2206.04817"

SECOND_MOMENT_Q10 = Measure(
    key="updates/second_moment_q10",
    label="Adam's √v̂, 10 % quantile",
    unit="1",
    low=0.0,
    formula="10 % quantile of √v̂",
    source=_THILAK,
    around="small before slingshots (arXiv:2206.04817)",
)
SECOND_MOMENT_Q50 = Measure(
    key="updates/second_moment_q50",
    label="Adam's √v̂, 50 % quantile",
    unit="1",
    low=0.0,
    formula="50 % quantile of √v̂",
    source=_THILAK,
)
SECOND_MOMENT_Q90 = Measure(
    key="updates/second_moment_q90",
    label="Adam's √v̂, 90 % quantile",
    unit="1",
    low=0.0,
    formula="90 % quantile of √v̂",
    source=_THILAK,
)
BELOW_EPSILON_SHARE = Measure(
    key="updates/below_epsilon_share",
    label="share of parameters with √v̂ below Adam's ε",
    unit="1",
    low=0.0,
    high=1.0,
    formula="share of parameters with √v̂ < ε",
    source=_THILAK,
)


@gives(SECOND_MOMENT_Q10, SECOND_MOMENT_Q50, SECOND_MOMENT_Q90, BELOW_EPSILON_SHARE, use=Use.DEFAULT)
def second_moments() -> MeasureFn:
    """Return the instrument of ``updates/second_moment_q10``, ``_q50``, ``_q90`` and ``below_epsilon_share``.

    From the state of Adam and its kin (``exp_avg_sq``); nothing where the optimizer keeps none.

    Source: Thilak et al. 2022, arXiv:2206.04817. Cost: a sort of 1,024 values a tensor at most, free.

    >>> model = torch.nn.Linear(1, 1)
    >>> context = StepContext(step=0, model=model, optimizer=torch.optim.SGD(model.parameters()))
    >>> list(second_moments()(context))
    []
    """

    def measure(context: StepContext) -> Mapping[str, Tensor]:
        if context.optimizer is None:
            return {}
        own = {id(p) for p in context.model.parameters()}
        moments = list(_corrected(context.optimizer, own))
        if not moments:
            return {}
        epsilon = float(context.optimizer.param_groups[0].get("eps", 1e-8))
        measured = second_moment_measures(moments, epsilon=epsilon)
        return {f"updates/{quantity}": value for quantity, value in measured.items()}

    return measure


def _corrected(optimizer: Optimizer, own: set[int]) -> Iterable[Tensor]:
    """Yield entries of v̂ = v / (1 - β₂^t), for every parameter that has one."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            state: Mapping[str, Any] = optimizer.state.get(parameter, {})
            if id(parameter) in own and "exp_avg_sq" in state:
                steps: Tensor | float = state["step"]
                if isinstance(steps, Tensor) and steps.device.type == "cpu":
                    steps = steps.item()  # a number costs less; captured in a graph it stays on the device
                # Read first and corrected then: the whole may be as large as the model.
                yield evenly_read(real(whole(state["exp_avg_sq"]))) / (1 - group["betas"][1] ** steps)
