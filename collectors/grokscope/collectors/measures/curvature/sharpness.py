"""Sharpness: the largest eigenvalue of the Hessian, plain or as the optimizer's preconditioner sees it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim import SGD, Adam, Optimizer

from grokscope.collectors.measures.instrument import MeasureFn, StepContext, gives
from grokscope.collectors.measures.subset import Subset, fixed, take
from grokscope.collectors.tensors.functional import Product, flat, hessian_product
from grokscope.collectors.tensors.torch_stubs import eigh, vector_norm
from grokscope.schemas import Measure, Tier

# Directions this close to the plane of the others bring rounding errors rather than news.
_DEPENDENT = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Eigenpair:
    """The largest eigenvalue of a symmetric matrix, and how well it is known.

    Attributes:
        value: λ, a Rayleigh quotient and so never above the true one.
        vector: ``[P]``, of length 1; start from it next time.
        residual: ‖A v - λ v‖ / |λ|: an eigenvalue lies within this share of λ.
        iterations: Products that were needed.
    """

    value: Tensor
    vector: Tensor
    residual: Tensor
    iterations: int


def largest_eigenpair(
    product: Product, start: Tensor, *, tolerance: float = 1e-2, iterations: int = 50
) -> Eigenpair:
    """Return the algebraically largest eigenvalue of a symmetric matrix given by its products.

        λ = max over v of vᵀ A v / vᵀ v

    Locally optimal conjugate gradients: each step takes the best vector of the plane of the last one, its
    residual and the last direction. That costs one product, as a power iteration does, but converges at
    the rate of conjugate gradients, and on the largest eigenvalue where a negative one is greater in size.

    Args:
        product: v -> A v on vectors ``[P]``.
        start: ``[P]``, not 0: the last eigenvector, else a random vector.
        tolerance: Stops at this residual; the error of λ is of its square.
        iterations: Stops after so many products.

    Returns:
        The eigenpair; λ is 0 and the residual NaN for a matrix of zeros.

    Raises:
        ValueError: If ``tolerance`` or ``iterations`` is not positive.

    Source: Knyazev 2001, doi:10.1137/S1064827500366124. Cost: one product and one synchronisation a step;
    six vectors of P values.

    >>> matrix = torch.diag(torch.tensor([3.0, 1.0, -5.0]))
    >>> round(float(largest_eigenpair(lambda v: matrix @ v, torch.ones(3)).value), 3)
    3.0
    """
    if not tolerance > 0 or iterations < 1:
        raise ValueError(
            f"tolerance must be above 0 and iterations at least 1, got {tolerance} and {iterations}; "
            "1e-2 and 50 do for a loss"
        )
    vector = start / vector_norm(start)
    image = product(vector)
    direction: list[tuple[Tensor, Tensor]] = []
    used = 1
    while True:
        value = vector @ image
        rest = image - value * vector
        residual = vector_norm(rest) / value.abs()
        if used == iterations or not bool(residual > tolerance):
            return Eigenpair(value=value, vector=vector, residual=residual, iterations=used)
        vector, image, step = _best_of([(vector, image), (rest, product(rest)), *direction])
        direction = [step]
        used += 1


def _best_of(plane: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor]]:
    """Return the plane's best vector, its image, and the step from the first to it with its image."""
    vectors = torch.stack([vector for vector, _ in plane])
    images = torch.stack([image for _, image in plane])
    lengths = vector_norm(vectors, dim=1).unsqueeze(1)
    vectors, images = vectors / lengths, images / lengths
    # The small matrices decide in double precision; a basis that depends on itself loses its directions.
    weights, basis = eigh((vectors @ vectors.T).double())
    kept = weights > _DEPENDENT
    basis = basis[:, kept] / weights[kept].sqrt()
    energies = (vectors @ images.T).double()
    best = basis @ eigh(basis.T @ (energies + energies.T) / 2 @ basis)[1][:, -1]
    best = best.to(vectors.dtype)
    vector, image = best @ vectors, best @ images
    step = best.clone()
    step[0] = 0
    length = vector_norm(vector)
    return vector / length, image / length, (step @ vectors, step @ images)


def preconditioner(optimizer: Optimizer, parameters: Sequence[Tensor]) -> Tensor | None:
    """Return D^(-1/2) as a vector ``[P]``, where D is by what Adam divides its update.

        D = √(ν / (1 - β₂ᵗ)) + ε,  ν the running mean of squared gradients

    The eigenvalue of D^(-1/2) H D^(-1/2) is what decides whether Adam is stable.

    Args:
        optimizer: One that keeps ``exp_avg_sq``: Adam, AdamW, NAdam, RAdam.
        parameters: The trained parameters themselves, in order.

    Returns:
        ``[P]``; ``None`` if the optimizer keeps no second moment, or has not stepped yet.

    Source: Cohen et al. 2022, arXiv:2207.14484. Cost: one pass over the parameters.

    >>> weight = torch.nn.Parameter(torch.tensor([1.0]))
    >>> optimizer = torch.optim.Adam([weight], eps=0.0)
    >>> weight.grad = torch.tensor([4.0])
    >>> optimizer.step()
    >>> preconditioner(optimizer, [weight])
    tensor([0.5000])
    """
    groups = {id(p): group for group in optimizer.param_groups for p in group["params"]}
    scales: list[Tensor] = []
    for parameter in parameters:
        state = optimizer.state.get(parameter, {})
        group = groups.get(id(parameter))
        if group is None or "exp_avg_sq" not in state:
            return None
        second = state.get("max_exp_avg_sq", state["exp_avg_sq"])
        corrected = second / (1 - group["betas"][1] ** state["step"])
        scales.append((corrected.sqrt() + group["eps"]).rsqrt())
    return flat(scales)


def stability_edge(optimizer: Optimizer) -> float | None:
    """Return the sharpness above which full-batch training is unstable, for the optimizer's learning rate.

        (2 + 2 β) / η for SGD with momentum β,  (2 + 2 β₁) / ((1 - β₁) η) for Adam, whose sharpness is the
        preconditioned one

    Args:
        optimizer: SGD without Nesterov's momentum or dampening, Adam or AdamW.

    Returns:
        The edge; ``None`` for another optimizer, for groups that differ in their learning rate, or when it
        is 0.

    Source: Cohen et al. 2021, arXiv:2103.00065, and 2022, arXiv:2207.14484. Cost: none.

    >>> stability_edge(torch.optim.SGD([torch.zeros(1)], lr=0.1))
    20.0
    """
    rates = {float(group["lr"]) for group in optimizer.param_groups}
    group = optimizer.param_groups[0]
    if len(rates) != 1 or 0.0 in rates or group.get("nesterov") or group.get("dampening"):
        return None
    if isinstance(optimizer, Adam):
        beta = float(group["betas"][0])
        return (2 + 2 * beta) / ((1 - beta) * rates.pop())
    return (2 + 2 * float(group["momentum"])) / rates.pop() if isinstance(optimizer, SGD) else None


_KNYAZEV = "Knyazev 2001, doi:10.1137/S1064827500366124"
_COHEN = "Cohen et al. 2022, arXiv:2207.14484"

SHARPNESS = Measure(
    key="curvature/sharpness",
    label="sharpness: largest Hessian eigenvalue",
    unit="1",
    tier=Tier.COSTLY,
    formula="max over v of vᵀ H v / vᵀ v",
    source="Cohen et al. 2021, arXiv:2103.00065",
    around="leads by .11 (measured here)",
)
RESIDUAL = Measure(
    key="curvature/sharpness_residual",
    label="residual of the sharpness, relative",
    unit="1",
    low=0.0,
    tier=Tier.COSTLY,
    formula="‖H v - λ v‖ / |λ|",
    source=_KNYAZEV,
)
ITERATIONS = Measure(
    key="curvature/sharpness_iterations",
    label="Hessian products for the sharpness",
    unit="products",
    low=1.0,
    tier=Tier.COSTLY,
    formula="products H v until the residual was small",
    source=_KNYAZEV,
)
PRECONDITIONED_SHARPNESS = Measure(
    key="curvature/preconditioned_sharpness",
    label="sharpness as the optimizer's preconditioner sees it",
    unit="1",
    tier=Tier.COSTLY,
    formula="largest eigenvalue of D^(-1/2) H D^(-1/2),  D = √v̂ + ε",
    source=_COHEN,
)
EDGE_RATIO = Measure(
    key="curvature/edge_ratio",
    label="sharpness / edge of stability",
    unit="1",
    tier=Tier.COSTLY,
    formula="λ / λ_edge,  λ_edge = (2 + 2β)/η, of Adam (2 + 2β₁)/((1 - β₁) η)",
    source=_COHEN,
)


# A little of every direction in a warm start, lest the last eigenvector hide one that has grown since.
_FRESH = 0.01


class _WarmStart:
    """The last eigenvector, to start from the next time."""

    def __init__(self) -> None:
        self._vector: Tensor | None = None

    def pair(
        self, product: Product, like: Tensor, *, tolerance: float, generator: torch.Generator
    ) -> Eigenpair:
        noise = torch.randn(like.shape, generator=generator, device=like.device, dtype=like.dtype)
        noise = noise / vector_norm(noise)
        last = self._vector
        start = noise if last is None or last.shape != like.shape else last.to(like) + _FRESH * noise
        pair = largest_eigenpair(product, start, tolerance=tolerance)
        self._vector = pair.vector if bool(pair.vector.isfinite().all()) else None
        return pair


@gives(SHARPNESS, RESIDUAL, ITERATIONS, PRECONDITIONED_SHARPNESS, EDGE_RATIO)
def sharpness(*, subset: Subset | None = None, tolerance: float = 1e-2) -> MeasureFn:
    """Return the instrument of ``curvature/sharpness``, with its residual and iterations.

    With an optimizer of Adam's kind also ``curvature/preconditioned_sharpness``; where the learning rate sets
    an edge of stability, ``curvature/edge_ratio`` says how near it is: 1 is at the edge.

    Args:
        subset: The samples.
        tolerance: Relative residual at which the iteration stops; the eigenvalue's error is of its square.

    Source: Cohen et al. 2021, arXiv:2103.00065. Cost: a Hessian product is some three gradients; a warm start
    needs 2 to 10 of them, the first more.

    >>> from torch import nn
    >>> data = (torch.randn(8, 2), torch.arange(8) % 3)
    >>> list(sharpness()(StepContext(step=0, model=nn.Linear(2, 3), splits={"train": data})))
    ['curvature/sharpness', 'curvature/sharpness_residual', 'curvature/sharpness_iterations']
    """
    chosen = subset or Subset()
    plain, scaled = _WarmStart(), _WarmStart()

    def measure(context: StepContext) -> Mapping[str, Tensor | float]:
        taken = take(context, chosen)
        if taken is None:
            return {}
        product, like = hessian_product(taken.loss, taken.parameters), flat(taken.parameters)
        generator = fixed(context, 0)
        found = plain.pair(product, like, tolerance=tolerance, generator=generator)
        values = {
            SHARPNESS.key: found.value,
            RESIDUAL.key: found.residual,
            ITERATIONS.key: float(found.iterations),
        }
        scale = _scale(context)
        if scale is not None:
            seen = scaled.pair(
                lambda v: scale * product(scale * v), like, tolerance=tolerance, generator=generator
            )
            values[PRECONDITIONED_SHARPNESS.key] = seen.value
        return values | _edge_ratio(context, values)

    return measure


def _scale(context: StepContext) -> Tensor | None:
    if context.optimizer is None:
        return None
    own = [p for p in context.model.parameters() if p.requires_grad]
    return preconditioner(context.optimizer, own)


def _edge_ratio(context: StepContext, values: Mapping[str, Tensor | float]) -> dict[str, Tensor | float]:
    edge = None if context.optimizer is None else stability_edge(context.optimizer)
    adaptive = context.optimizer is not None and "betas" in context.optimizer.param_groups[0]
    key = (PRECONDITIONED_SHARPNESS if adaptive else SHARPNESS).key
    return {} if edge is None or key not in values else {EDGE_RATIO.key: values[key] / edge}
