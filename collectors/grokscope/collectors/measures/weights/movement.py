"""How far the parameters have come: from their start, and in one update."""

import math
from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

from grokscope.collectors.measures.formulas import formula_of
from grokscope.collectors.measures.instrument import MeasureFn, StepContext, gives
from grokscope.collectors.measures.weights.norms import joined, precision_of, weight_norm, weight_norms
from grokscope.collectors.tensors.chunks import in_pieces, small_as_one
from grokscope.collectors.tensors.predictions import widest
from grokscope.collectors.tensors.torch_stubs import foreach_difference
from grokscope.schemas import Measure


def distance_from_init(parameters: Iterable[Tensor], init: Iterable[Tensor], *, order: float = 2.0) -> Tensor:
    """Return how far the parameters have come: ‖θ - θ₀‖_p.

    Args:
        parameters: Tensors of any shape on one device; an empty iterable gives 0.
        init: Their values at initialisation, in the same order and shapes.
        order: p ≥ 1, dimensionless.

    Returns:
        Scalar tensor on the parameters' device (no synchronisation); NaN if any entry is NaN.

    Raises:
        ValueError: If ``order`` < 1, or the two do not pair up.

    Source: definition. Cost: one fused difference and one fused pass over the parameters.

    >>> distance_from_init([torch.tensor([3.0, 4.0])], [torch.zeros(2)])
    tensor(5.)
    """
    now, then = list(parameters), list(init)
    _check_pairs(now, then)
    now, then = small_as_one(now, then)
    parts = [
        weight_norm(differences(after, before), order=order) for after, before, _ in in_pieces(now, then)
    ]
    return joined(parts, order=order) if parts else torch.zeros(())


def angle_from_init(parameters: Iterable[Tensor], init: Iterable[Tensor]) -> Tensor:
    """Return the angle between the parameters and their values at initialisation.

        α = arccos(θ·θ₀ / (‖θ‖ ‖θ₀‖)),  from the three norms ‖θ‖, ‖θ₀‖ and ‖θ - θ₀‖ alone

    Kahan's form of the law of cosines, right to 1e-3 radians in single precision and far better away from 0.

    Args:
        parameters: Tensors of any shape on one device.
        init: Their values at initialisation, in the same order and shapes.

    Returns:
        Scalar tensor in radians, 0..π, no synchronisation; NaN if either is 0 or has a NaN.

    Raises:
        ValueError: If the two do not pair up.

    Source: arXiv:2605.18845 (measure), Kahan 2014 (formula). Cost: one fused difference and
    three fused passes over the parameters.

    >>> angle_from_init([torch.tensor([0.0, 2.0])], [torch.tensor([1.0, 0.0])])
    tensor(1.5708)
    """
    now, then = list(parameters), list(init)
    sides = weight_norms({"now": now, "then": then})
    return angle_of_sides(sides["now"], sides["then"], distance_from_init(now, then))


def angle_of_sides(one: Tensor, two: Tensor, way: Tensor) -> Tensor:
    """Return the angle between two vectors of which only their lengths and their distance are known.

        γ = 2 arctan √( ((a-b) + c) μ / ((a + (b+c)) ((a-c) + b)) ),  a ≥ b the lengths, c the distance,
        μ = c - (a-b) if b ≥ c, else b - (a-c)

    Args:
        one: Length of a vector, scalar.
        two: Length of another one.
        way: Length of their difference.

    Returns:
        Scalar tensor in radians, 0..π, no synchronisation; NaN if a vector is 0 or has a NaN.

    Source: Kahan 2014. Cost: some fifteen scalar operations.

    >>> angle_of_sides(torch.tensor(3.0), torch.tensor(4.0), torch.tensor(5.0))
    tensor(1.5708)
    """
    if one.device.type == "cpu":
        return torch.tensor(_angle_on_host(one.item(), two.item(), way.item()), dtype=one.dtype)
    return _angle(one, two, way)


def _angle(one: Tensor, two: Tensor, way: Tensor) -> Tensor:
    a, b, c = widest(torch.maximum(one, two)), widest(torch.minimum(one, two)), widest(way)
    # μ is (b + c) - a, taken so that nothing large is subtracted late.
    gap = torch.where(b >= c, c - (a - b), b - (a - c)).clamp_min(0)
    rest = (a + (b + c)) * ((a - c) + b).clamp_min(0)
    angle = 2 * torch.atan2((((a - b) + c) * gap).sqrt(), rest.sqrt())
    return torch.where(b > 0, angle, torch.nan).to(one.dtype)


def _angle_on_host(one: float, two: float, c: float) -> float:
    """Return the same of numbers, at a tenth of the cost."""
    a, b = max(one, two), min(one, two)
    if not (b > 0 and math.isfinite(a) and math.isfinite(c)):
        return math.nan
    gap = max(c - (a - b) if b >= c else b - (a - c), 0.0)
    rest = (a + (b + c)) * max((a - c) + b, 0.0)
    return 2 * math.atan2(math.sqrt(((a - b) + c) * gap), math.sqrt(rest))


def update_ratio(parameters: Iterable[Tensor], previous: Iterable[Tensor]) -> Tensor:
    """Return the size of one update in units of what it updates: ‖θ_{t+1} - θ_t‖₂ / ‖θ_t‖₂.

    Args:
        parameters: θ_{t+1}, tensors of any shape on one device.
        previous: θ_t, in the same order and shapes.

    Returns:
        Scalar tensor on the parameters' device (no synchronisation); infinite if θ_t is 0 and moved, NaN if
        it is 0 and did not, if there are no parameters, or if any entry is NaN.

    Raises:
        ValueError: If the two do not pair up.

    Source: common practice. Cost: one fused difference and two fused passes over the parameters.

    >>> update_ratio([torch.tensor([3.0, 4.5])], [torch.tensor([3.0, 4.0])])
    tensor(0.1000)
    """
    old = list(previous)
    return distance_from_init(parameters, old) / weight_norm(old)


def differences(after: Sequence[Tensor], before: Sequence[Tensor]) -> list[Tensor]:
    """Return ``after - before`` tensor by tensor, in at least single precision.

    Raises:
        ValueError: If the two do not pair up.

    Source: definition. Cost: one fused pass and one copy.

    >>> differences([torch.tensor([3.0, 4.0])], [torch.ones(2)])
    [tensor([2., 3.])]
    """
    _check_pairs(after, before)
    if not after:
        return []
    precision = precision_of([*after, *before])
    wide = [
        [t.detach().to(precision.to_complex() if t.is_complex() else precision) for t in tensors]
        for tensors in (after, before)
    ]
    return foreach_difference(*wide)


def _check_pairs(after: Sequence[Tensor], before: Sequence[Tensor]) -> None:
    shapes = [[tensor.shape for tensor in tensors] for tensors in (after, before)]
    if shapes[0] != shapes[1]:
        got = " and ".join(str([list(shape) for shape in each]) for each in shapes)
        raise ValueError(
            f"two sets of parameters must have the same shapes in the same order, got {got}; take both from "
            "the same model"
        )


DISTANCE_FROM_INIT = Measure(
    key="weights/distance_from_init",
    label="distance from initialisation",
    unit="1",
    low=0.0,
    formula="‖θ - θ₀‖₂",
)
ANGLE_FROM_INIT = Measure(
    key="weights/angle_from_init",
    label="angle from initialisation",
    unit="rad",
    low=0.0,
    high=3.1416,
    formula=formula_of(angle_from_init),
    source="arXiv:2605.18845",
    around="jointly with the norm (arXiv:2605.18845)",
)


@gives(DISTANCE_FROM_INIT, ANGLE_FROM_INIT)
def movement() -> MeasureFn:
    """Return the instrument of ``weights/distance_from_init`` and ``angle_from_init``.

    A tracker measures both by itself; this one is for states that are measured later (``backfill``).

    Source: arXiv:2605.18845. Cost: six fused passes over the parameters, free.

    >>> model = torch.nn.Linear(1, 1, bias=False)
    >>> _ = model.weight.data.fill_(1.0)
    >>> movement()(StepContext(step=0, model=model, init={"weight": torch.tensor([[-1.0]])}))
    {'weights/distance_from_init': tensor(2.), 'weights/angle_from_init': tensor(3.1416)}
    """

    def measure(context: StepContext) -> Mapping[str, Tensor]:
        parameters = dict(context.model.named_parameters())
        if not parameters or parameters.keys() != context.init.keys():
            return {}
        now, then = [*parameters.values()], [context.init[name] for name in parameters]
        return {
            DISTANCE_FROM_INIT.key: distance_from_init(now, then),
            ANGLE_FROM_INIT.key: angle_from_init(now, then),
        }

    return measure
