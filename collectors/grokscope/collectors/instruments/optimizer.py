"""What the optimizer remembers, how noisy its gradients are, and which way it has been going."""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from grokscope.collectors.measures.instrument import Instrument, Reading, instrument
from grokscope.collectors.measures.subset import Subset, halves, take
from grokscope.collectors.measures.updates.noise_scale import gradient_moments, noise_scale
from grokscope.collectors.measures.updates.second_moments import evenly_read, second_moment_measures
from grokscope.collectors.measures.updates.trajectory import sketch, trajectory_measures
from grokscope.collectors.tensors.functional import value_and_gradient
from grokscope.collectors.tensors.shards import whole
from grokscope.schemas import Tier


def second_moments() -> Instrument:
    """Return the instrument of ``updates/second_moment_q10``, ``_q50``, ``_q90`` and ``below_epsilon_share``.

    Read from the state of Adam and its kin (``exp_avg_sq``); nothing where the optimizer keeps none.

    Source: Thilak et al. 2022, arXiv:2206.04817. Cost: a sort of 1,024 values a tensor at most, free.

    >>> model = torch.nn.Linear(1, 1)
    >>> list(second_moments()(Reading(step=0, model=model, optimizer=torch.optim.SGD(model.parameters()))))
    []
    """

    @instrument(tier=Tier.FREE)
    def second_moments(reading: Reading) -> Mapping[str, Tensor]:
        if reading.optimizer is None:
            return {}
        own = {id(p) for p in reading.model.parameters()}
        moments = list(_corrected(reading.optimizer, own))
        if not moments:
            return {}
        epsilon = float(reading.optimizer.param_groups[0].get("eps", 1e-8))
        measured = second_moment_measures(moments, epsilon=epsilon)
        return {f"updates/{quantity}": value for quantity, value in measured.items()}

    return second_moments


def gradient_noise(*, subset: Subset | None = None, memory: float = 0.9) -> Instrument:
    """Return the instrument of ``gradients/noise_scale``, in examples.

    ‖G‖² and tr Σ are estimated from the gradients of two halves of the first training samples and averaged
    over readings before their ratio is taken.

    Args:
        subset: Samples and criterion; the first 512 of ``train`` and cross-entropy by default.
        memory: Weight of the past in the average, 0..1; 0 takes each reading by itself.

    Raises:
        ValueError: If ``memory`` is outside [0, 1).

    Source: McCandlish et al. 2018, arXiv:1812.06162. Cost: forward and backward over the subset.

    >>> list(gradient_noise()(Reading(step=0, model=torch.nn.ReLU())))
    []
    """
    if not 0 <= memory < 1:
        raise ValueError(f"memory must lie in [0, 1), got {memory}; 0.9 averages some ten readings")
    chosen, average = subset or Subset(), list[Tensor]()

    def gradient_noise(reading: Reading) -> Mapping[str, Tensor]:
        taken = take(reading, chosen)
        if taken is None or taken.targets.numel() < 2:  # noqa: PLR2004 - two halves
            return {}
        first, second = (
            value_and_gradient(half, taken.parameters)[1] for half in halves(taken, chosen.criterion)
        )
        now = torch.stack(gradient_moments([first], [second], half=taken.targets.numel() // 2))
        average[:] = [torch.lerp(now, average[0], memory) if average else now]
        return {"gradients/noise_scale": noise_scale(*average[0].unbind())}

    return instrument(gradient_noise)


def update_window(*, window: int = 10, width: int = 4096) -> Instrument:
    """Return the instrument of ``updates/first_share``, ``first_gap`` and ``second_gap`` over recent updates.

    An update is the way from one reading to the next. Readings of unequal distance weigh by their length.

    Args:
        window: Updates that are held, at least 3; nothing is read until there are so many.
        width: Dimensions of the fixed random projection under which they are held.

    Raises:
        ValueError: If ``window`` is less than 3.

    Source: Xu 2026, arXiv:2603.28964. Cost: one pass over the parameters; window times width values kept.

    >>> list(update_window()(Reading(step=0, model=torch.nn.Linear(1, 1))))
    []
    """
    if window < 3:  # noqa: PLR2004 - two gaps need three values
        raise ValueError(f"window must be at least 3, got {window}; two gaps need three updates")
    held = deque[Tensor](maxlen=window + 1)

    def update_window(reading: Reading) -> Mapping[str, Tensor]:
        held.append(sketch(reading.model.parameters(), width=width))
        if len(held) <= window:
            return {}
        measured = trajectory_measures(torch.stack([*held]).diff(dim=0))
        return {f"updates/{quantity}": value for quantity, value in measured.items()}

    return instrument(update_window)


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
                yield evenly_read(whole(state["exp_avg_sq"])) / (1 - group["betas"][1] ** steps)
