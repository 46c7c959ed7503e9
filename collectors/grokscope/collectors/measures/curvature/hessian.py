"""Traces of the Hessian: the whole one, estimated, and the last layer's, exactly."""

from collections.abc import Mapping

import torch
from torch import Tensor

from grokscope.collectors.measures.formulas import formula_of
from grokscope.collectors.measures.instrument import MeasureFn, StepContext, gives
from grokscope.collectors.measures.probing import last_linear
from grokscope.collectors.measures.subset import Subset, fixed, take
from grokscope.collectors.tensors.functional import Product, flat, hessian_product
from grokscope.collectors.tensors.predictions import widened
from grokscope.collectors.tensors.signs import random_signs
from grokscope.schemas import Direction, Measure, Tier


def hessian_trace(
    product: Product, like: Tensor, *, generator: torch.Generator, draws: int = 16
) -> tuple[Tensor, Tensor]:
    """Return the trace of a symmetric matrix given by its products, and the standard error of that.

        tr H ≈ mean of vᵀ H v over random signs v;  its variance is 2 Σ_{i≠j} H_ij² / draws

    Args:
        product: v -> H v on vectors ``[P]``.
        like: ``[P]``, tells size, type and device.
        generator: On the device of ``like``; the global random state is left alone.
        draws: Products, at least 2.

    Returns:
        Two scalar tensors, no synchronisation.

    Raises:
        ValueError: If ``draws`` < 2.

    Source: Hutchinson 1989. Cost: ``draws`` products.

    >>> diagonal = torch.tensor([3.0, 1.0, -5.0])
    >>> hessian_trace(lambda v: diagonal * v, diagonal, generator=torch.Generator())
    (tensor(-1.), tensor(0.))
    """
    if draws < 2:  # noqa: PLR2004 - one draw has no error
        raise ValueError(f"draws must be at least 2 to tell the error, got {draws}; 16 is common")
    readings: list[Tensor] = []
    for _ in range(draws):
        signs = random_signs(*like.shape, generator=generator).to(like)
        readings.append(signs @ product(signs))
    drawn = torch.stack(readings)
    return drawn.mean(), drawn.std() / draws**0.5


def relative_flatness(features: Tensor, logits: Tensor, weight: Tensor) -> Tensor:
    """Return the relative flatness of the last layer under the cross-entropy: 0 is perfectly flat.

        κ = Σ_{s,s'} ⟨w_s, w_s'⟩ tr H_{s,s'},  H_{s,s'} = ∂²L / ∂w_s ∂w_s'
          = (1/N) Σᵢ ‖hᵢ‖² (Σ_s p_is ‖w_s‖² - ‖Σ_s p_is w_s‖²)  for logits W h + b and their softmax p

    Unchanged when a layer's scale is moved into the next one. The second form is exact, so that no Hessian
    is needed.

    Args:
        features: ``[N, d]``, what the last layer was given.
        logits: ``[N, C]``, what it made of them.
        weight: ``[C, d]``, its weight.

    Returns:
        Scalar tensor ≥ 0, no synchronisation.

    Raises:
        ValueError: If shapes do not match or there are no samples.

    Source: Petzka et al. 2021, arXiv:2001.00939. Cost: one product as costly as the last layer.

    >>> relative_flatness(torch.tensor([[2.0]]), torch.zeros(1, 2), torch.tensor([[1.0], [-1.0]]))
    tensor(4.)
    """
    shapes = [list(t.shape) for t in (features, logits, weight)]
    if not len(features) or [*shapes[0][:1], *shapes[2][:1]] != shapes[1] or shapes[0][1:] != shapes[2][1:]:
        raise ValueError(
            f"features must be [N, d], logits [N, C] and weight [C, d], N at least 1, got {shapes}; "
            "give the last layer's own weight"
        )
    features, logits, weight = (widened(t.detach()) for t in (features, logits, weight))
    share = torch.softmax(logits, dim=1)
    mean = share @ weight
    # About the mean of the rows, which the softmax does not see: the difference then keeps its digits.
    about = weight - weight.mean(dim=0)
    spread = share @ about.square().sum(dim=1) - (mean - weight.mean(dim=0)).square().sum(dim=1)
    return (features.square().sum(dim=1) * spread.clamp_min(0)).mean()


_HUTCHINSON = "Hutchinson 1989"

TRACE = Measure(
    key="curvature/trace",
    label="trace of the Hessian",
    unit="1",
    tier=Tier.COSTLY,
    formula=formula_of(hessian_trace),
    source=_HUTCHINSON,
)
TRACE_ERROR = Measure(
    key="curvature/trace_error",
    label="standard error of the trace",
    unit="1",
    low=0.0,
    tier=Tier.COSTLY,
    formula="standard deviation of vᵀ H v over draws / √draws",
    source=_HUTCHINSON,
)
RELATIVE_FLATNESS = Measure(
    key="curvature/relative_flatness",
    label="relative flatness of the last layer (0 is flat)",
    unit="1",
    low=0.0,
    direction=Direction.DOWN,
    tier=Tier.COSTLY,
    formula=formula_of(relative_flatness),
    source="Petzka et al. 2021, arXiv:2001.00939",
    around="falls when generalization starts (arXiv:2509.17738)",
)


@gives(TRACE, TRACE_ERROR)
def hessian_spread(*, subset: Subset | None = None, draws: int = 16) -> MeasureFn:
    """Return the instrument of ``curvature/trace`` and its standard error.

    The random signs are the same at every step.

    Args:
        subset: The samples.
        draws: Products.

    Source: Hutchinson 1989. Cost: ``draws`` Hessian products, some three gradients each.

    >>> from torch import nn
    >>> data = (torch.randn(8, 2), torch.arange(8) % 3)
    >>> list(hessian_spread()(StepContext(step=0, model=nn.Linear(2, 3), splits={"train": data})))
    ['curvature/trace', 'curvature/trace_error']
    """
    chosen = subset or Subset()

    def measure(context: StepContext) -> Mapping[str, Tensor]:
        taken = take(context, chosen)
        if taken is None:
            return {}
        product, like = hessian_product(taken.loss, taken.parameters), flat(taken.parameters)
        trace, error = hessian_trace(product, like, generator=fixed(context, 0), draws=draws)
        return {TRACE.key: trace, TRACE_ERROR.key: error}

    return measure


@gives(RELATIVE_FLATNESS)
def last_layer_flatness(*, layer: str | None = None) -> MeasureFn:
    """Return the instrument of ``curvature/relative_flatness/<split>``, for a cross-entropy.

    Needs no gradient: the representation and the logits of the pass already made, and the last layer's
    weight.

    Args:
        layer: Dotted name of the last layer; by default the last ``Linear`` that fits.

    Source: Petzka et al. 2021, arXiv:2001.00939. Cost: one product as costly as the last layer.

    >>> from torch import nn
    >>> from grokscope.collectors.evaluating.forward_pass import forward_pass
    >>> data = (torch.randn(8, 2), torch.arange(8) % 3)
    >>> model = nn.Linear(2, 3)
    >>> context = StepContext(step=0, model=model, passes={"test": forward_pass(model, data)})
    >>> list(last_layer_flatness()(context))
    ['curvature/relative_flatness/test']
    """

    def measure(context: StepContext) -> Mapping[str, Tensor]:
        values: dict[str, Tensor] = {}
        for split, seen in context.passes.items():
            if seen.features is None:
                continue
            shape = (seen.logits.shape[1], seen.features.shape[1])
            owner = context.model if layer is None else context.model.get_submodule(layer)
            weight = last_linear(owner, shape)
            if weight is not None:
                flatness = relative_flatness(seen.features, seen.logits, weight)
                values[RELATIVE_FLATNESS.at(split)] = flatness
        return values

    return measure
