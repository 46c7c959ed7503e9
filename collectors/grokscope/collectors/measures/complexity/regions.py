"""Local complexity: how many linear regions of a network of ReLUs meet around a sample."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from grokscope.collectors.measures.formulas import formula_of
from grokscope.collectors.measures.instrument import MeasureFn, StepContext, gives
from grokscope.collectors.measures.subset import Subset, fixed, take
from grokscope.collectors.tensors.torch_stubs import orthonormal
from grokscope.schemas import Measure, Tier

# What is linear on either side of 0, or nearly so, however it is called.
_RECTIFIERS: frozenset[Callable[..., Any]] = frozenset(
    {
        torch.relu,
        torch.relu_,
        Tensor.relu,
        Tensor.relu_,
        functional.relu,
        functional.leaky_relu,
        functional.gelu,
        functional.silu,
    }
)


class _Signs(TorchFunctionMode):
    """Keeps which side of 0 every rectifier's input was on, and shifts what the first embedding gives."""

    def __init__(self, shift: Tensor | None) -> None:
        super().__init__()
        self.patterns: list[Tensor] = []
        self._shift = shift

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func in _RECTIFIERS:
            # Before the call: some work in place.
            self.patterns.append((args[0].detach() > 0).reshape(len(args[0]), -1))
        result = func(*args, **(kwargs or {}))
        if func is functional.embedding and self._shift is not None:
            result, self._shift = result + self._shift, None
        return result


def local_complexity(
    forward: Callable[[Tensor], object],
    inputs: Tensor,
    *,
    radius: float,
    generator: torch.Generator,
    directions: int = 8,
) -> Tensor | None:
    """Return how many units change sides within a small neighbourhood of a sample, in the mean over samples.

        LC = (1/N) Σ_i #{units whose input takes both signs on {x_i ± r v_p}},  v_p orthonormal

    A unit counts where it is called: ReLU, leaky ReLU, GELU or SiLU, as module or function. Inputs of whole
    numbers (tokens) are shifted where the first embedding has read them, every position alike.

    Args:
        forward: The model.
        inputs: ``[N, ...]``, real numbers, or tokens for an embedding that is called.
        radius: r > 0, in units of the inputs, or of the embedding.
        generator: On the inputs' device; the global random state is left alone.
        directions: P; no more than there are dimensions.

    Returns:
        Scalar tensor, units, no synchronisation; ``None`` if the model calls no rectifier, or tokens meet no
        embedding.

    Raises:
        ValueError: If ``radius`` is not positive, or ``directions`` below 1.

    Source: Humayun et al. 2024, arXiv:2402.15555. Cost: 2 · directions forward passes.

    >>> line = torch.tensor([[0.05], [3.0]])
    >>> local_complexity(torch.relu, line, radius=0.1, generator=torch.Generator())
    tensor(0.5000)
    """
    if not radius > 0 or directions < 1:
        raise ValueError(
            f"radius must be above 0 and directions at least 1, got {radius} and {directions}; "
            "a hundredth of the inputs' norm is common"
        )
    size = _dimensions(forward, inputs)
    if size is None:
        return None
    shape = inputs.shape[1:] if inputs.is_floating_point() else (size,)
    drawn = torch.randn(size, min(directions, size), generator=generator, device=inputs.device)
    vertices = radius * orthonormal(drawn).T.reshape(-1, *shape)
    patterns = [_pattern(forward, inputs, shift) for shift in (*vertices, *-vertices)]
    if not patterns[0].numel():
        return None
    first = patterns[0]
    crossed = torch.zeros_like(first)
    for pattern in patterns[1:]:
        crossed |= pattern != first
    return crossed.sum(dim=1).to(torch.float32).mean()


def _dimensions(forward: Callable[[Tensor], object], inputs: Tensor) -> int | None:
    """Return in how many dimensions an input can be shifted; ``None`` if it cannot."""
    if inputs.is_floating_point():
        return inputs[0].numel()
    widths: list[int] = []

    class Widths(TorchFunctionMode):
        def __torch_function__(
            self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            result = func(*args, **(kwargs or {}))
            if func is functional.embedding:
                widths.append(result.shape[-1])
            return result

    with torch.no_grad(), Widths():
        forward(inputs)
    return widths[0] if widths else None


def _pattern(forward: Callable[[Tensor], object], inputs: Tensor, shift: Tensor) -> Tensor:
    """Return which units are on, ``[N, units]``, with the inputs shifted."""
    is_real = inputs.is_floating_point()
    with torch.no_grad(), _Signs(None if is_real else shift) as signs:
        forward(inputs + shift.to(inputs) if is_real else inputs)
    return (
        torch.cat(signs.patterns, dim=1) if signs.patterns else torch.zeros(len(inputs), 0, dtype=torch.bool)
    )


LOCAL_COMPLEXITY = Measure(
    key="representation/local_complexity",
    label="units that change sides near a sample",
    unit="units",
    low=0.0,
    tier=Tier.COSTLY,
    formula=formula_of(local_complexity),
    source="Humayun et al. 2024, arXiv:2402.15555",
    around="falls, rises, moves to the boundary (arXiv:2402.15555)",
)


@gives(LOCAL_COMPLEXITY)
def regions(*, subset: Subset | None = None, radius: float = 0.01, directions: int = 8) -> MeasureFn:
    """Return the instrument of ``representation/local_complexity/<split>``.

    Nothing is measured of a model that calls no rectifier, takes several inputs, or takes tokens without
    calling an embedding on them.

    Args:
        subset: The samples; 128 of the train split by default.
        radius: In units of the inputs, or of the embedding.
        directions: Orthonormal directions looked at, both ways.

    Source: Humayun et al. 2024, arXiv:2402.15555. Cost: 2 · directions forward passes.

    >>> from torch import nn
    >>> data = (torch.randn(8, 2), torch.arange(8) % 3)
    >>> model = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    >>> list(regions()(StepContext(step=0, model=model, splits={"train": data})))
    ['representation/local_complexity/train']
    """
    chosen = subset or Subset(samples=128)

    def measure(context: StepContext) -> Mapping[str, Tensor]:
        taken = take(context, chosen)
        if taken is None or len(taken.inputs) != 1:
            return {}
        value = local_complexity(
            context.model, taken.inputs[0], radius=radius, generator=fixed(context, 0), directions=directions
        )
        return {} if value is None else {LOCAL_COMPLEXITY.at(chosen.split): value}

    return measure
