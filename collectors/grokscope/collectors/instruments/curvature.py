"""The loss surface around the parameters: sharpness, trace, flatness, commutator, tangent kernel."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from grokscope.collectors.measures.curvature.commutator import commutator_defect
from grokscope.collectors.measures.curvature.hessian import hessian_trace, relative_flatness
from grokscope.collectors.measures.curvature.sharpness import (
    largest_eigenpair,
    preconditioner,
    stability_edge,
)
from grokscope.collectors.measures.curvature.tangent_kernel import kernel_alignment, tangent_kernel
from grokscope.collectors.measures.instrument import Instrument, Reading, instrument
from grokscope.collectors.measures.probing import last_linear
from grokscope.collectors.measures.subset import Subset, Taken, fixed, halves, take
from grokscope.collectors.tensors.functional import Product, flat, hessian_product
from grokscope.collectors.tensors.signs import random_signs
from grokscope.collectors.tensors.torch_stubs import vector_norm
from grokscope.schemas import Tier

# A little of every direction in a warm start, lest the last eigenvector hide one that has grown since.
_FRESH = 0.01


class _WarmStart:
    """The last eigenvector, to start from the next time."""

    def __init__(self) -> None:
        self._vector: Tensor | None = None

    def measure(
        self, product: Product, like: Tensor, *, tolerance: float, generator: torch.Generator
    ) -> Mapping[str, Tensor | float]:
        noise = torch.randn(like.shape, generator=generator, device=like.device, dtype=like.dtype)
        noise = noise / vector_norm(noise)
        last = self._vector
        start = noise if last is None or last.shape != like.shape else last.to(like) + _FRESH * noise
        pair = largest_eigenpair(product, start, tolerance=tolerance)
        self._vector = pair.vector if bool(pair.vector.isfinite().all()) else None
        return {"value": pair.value, "residual": pair.residual, "iterations": float(pair.iterations)}


def sharpness(*, subset: Subset | None = None, tolerance: float = 1e-2) -> Instrument:
    """Return the instrument of ``curvature/sharpness``, with its residual and iterations.

    With an optimizer of Adam's kind also ``curvature/preconditioned_sharpness``; where the learning rate sets
    an edge of stability, ``curvature/edge_ratio`` says how near it is: 1 is at the edge.

    Cost: a Hessian product is some three gradients; a warm start needs 2 to 10 of them, the first more.

    Args:
        subset: The samples.
        tolerance: Relative residual at which the iteration stops; the eigenvalue's error is of its square.

    >>> from torch import nn
    >>> data = (torch.randn(8, 2), torch.arange(8) % 3)
    >>> reading = Reading(step=0, model=nn.Linear(2, 3), splits={"train": data})
    >>> list(sharpness()(reading))
    ['curvature/sharpness', 'curvature/sharpness_residual', 'curvature/sharpness_iterations']
    """
    chosen = subset or Subset()
    plain, scaled = _WarmStart(), _WarmStart()

    def sharpness(reading: Reading) -> Mapping[str, Tensor | float]:
        taken = take(reading, chosen)
        if taken is None:
            return {}
        product, like, generator = _product(taken), flat(taken.parameters), fixed(reading, 0)
        found = plain.measure(product, like, tolerance=tolerance, generator=generator)
        values = {
            "curvature/sharpness": found["value"],
            "curvature/sharpness_residual": found["residual"],
            "curvature/sharpness_iterations": found["iterations"],
        }
        scale = _scale(reading)
        if scale is not None:
            seen = scaled.measure(
                lambda v: scale * product(scale * v), like, tolerance=tolerance, generator=generator
            )
            values["curvature/preconditioned_sharpness"] = seen["value"]
        return values | _edge_ratio(reading, values)

    return instrument(tier=Tier.COSTLY)(sharpness)


def hessian_spread(*, subset: Subset | None = None, draws: int = 16) -> Instrument:
    """Return the instrument of ``curvature/trace`` and its standard error.

    The random signs are the same at every reading.

    Cost: ``draws`` Hessian products, some three gradients each.

    Args:
        subset: The samples.
        draws: Products.

    >>> from torch import nn
    >>> data = (torch.randn(8, 2), torch.arange(8) % 3)
    >>> reading = Reading(step=0, model=nn.Linear(2, 3), splits={"train": data})
    >>> list(hessian_spread()(reading))
    ['curvature/trace', 'curvature/trace_error']
    """
    chosen = subset or Subset()

    def hessian_spread(reading: Reading) -> Mapping[str, Tensor]:
        taken = take(reading, chosen)
        if taken is None:
            return {}
        like = flat(taken.parameters)
        trace, error = hessian_trace(_product(taken), like, generator=fixed(reading, 0), draws=draws)
        return {"curvature/trace": trace, "curvature/trace_error": error}

    return instrument(tier=Tier.COSTLY)(hessian_spread)


def last_layer_flatness(*, layer: str | None = None) -> Instrument:
    """Return the instrument of ``curvature/relative_flatness/<split>``, for a cross-entropy.

    Needs no gradient: the representation and the logits of the pass already made, and the last layer's
    weight.

    Cost: one product as dear as the last layer.

    Args:
        layer: Dotted name of the last layer; by default the last ``Linear`` that fits.

    >>> from torch import nn
    >>> from grokscope.collectors.evaluating.forward_pass import forward_pass
    >>> data = (torch.randn(8, 2), torch.arange(8) % 3)
    >>> model = nn.Linear(2, 3)
    >>> reading = Reading(step=0, model=model, passes={"test": forward_pass(model, data)})
    >>> list(last_layer_flatness()(reading))
    ['curvature/relative_flatness/test']
    """

    def last_layer_flatness(reading: Reading) -> Mapping[str, Tensor]:
        values: dict[str, Tensor] = {}
        for split, seen in reading.passes.items():
            if seen.features is None:
                continue
            shape = (seen.logits.shape[1], seen.features.shape[1])
            owner = reading.model if layer is None else reading.model.get_submodule(layer)
            weight = last_linear(owner, shape)
            if weight is not None:
                key = f"curvature/relative_flatness/{split}"
                values[key] = relative_flatness(seen.features, seen.logits, weight)
        return values

    return instrument(tier=Tier.COSTLY)(last_layer_flatness)


def commutator(*, subset: Subset | None = None) -> Instrument:
    """Return the instrument of ``curvature/commutator``: two halves of the subset, in either order.

    Cost: two gradients and two Hessian products of half the subset.

    Args:
        subset: The samples; every other one makes a batch.

    >>> from torch import nn
    >>> data = (torch.randn(8, 2), torch.arange(8) % 3)
    >>> reading = Reading(step=0, model=nn.Linear(2, 3), splits={"train": data})
    >>> list(commutator()(reading))
    ['curvature/commutator']
    """
    chosen = subset or Subset()

    def commutator(reading: Reading) -> Mapping[str, Tensor]:
        taken = take(reading, chosen)
        if taken is None or taken.targets.numel() < 2:  # noqa: PLR2004 - one a batch
            return {}
        first, second = halves(taken, chosen.criterion)
        return {"curvature/commutator": commutator_defect(first, second, taken.parameters)}

    return instrument(tier=Tier.COSTLY)(commutator)


def tangent_alignment(*, subset: Subset | None = None, outputs: int = 4) -> Instrument:
    """Return the instrument of ``curvature/kernel_alignment``, for targets that are classes.

    The random directions of the output are the same at every reading.

    Cost: 2 · samples · outputs backward passes over the samples.

    Args:
        subset: The samples; 128 of the train split by default.
        outputs: Random directions of the output that estimate the sum over classes.

    >>> from torch import nn
    >>> data = (torch.randn(8, 2), torch.arange(8) % 3)
    >>> reading = Reading(step=0, model=nn.Linear(2, 3), splits={"train": data})
    >>> list(tangent_alignment()(reading))
    ['curvature/kernel_alignment']
    """
    chosen = subset or Subset(samples=128)

    def tangent_alignment(reading: Reading) -> Mapping[str, Tensor]:
        taken = take(reading, chosen)
        if taken is None:
            return {}
        targets = taken.targets.flatten()[: chosen.samples]

        def predict(parameters: Sequence[Tensor]) -> Tensor:
            return taken.predict(parameters)[: chosen.samples]

        classes = predict(taken.parameters).shape[1]
        signs = random_signs(outputs, classes, generator=fixed(reading, 0))
        kernel = tangent_kernel(predict, taken.parameters, outputs=signs)
        aligned = kernel_alignment(kernel, targets, classes=classes)
        return {"curvature/kernel_alignment": aligned}

    return instrument(tier=Tier.COSTLY)(tangent_alignment)


def _product(taken: Taken) -> Product:
    return hessian_product(taken.loss, taken.parameters)


def _scale(reading: Reading) -> Tensor | None:
    if reading.optimizer is None:
        return None
    own = [p for p in reading.model.parameters() if p.requires_grad]
    return preconditioner(reading.optimizer, own)


def _edge_ratio(reading: Reading, values: Mapping[str, Tensor | float]) -> dict[str, Tensor | float]:
    edge = None if reading.optimizer is None else stability_edge(reading.optimizer)
    adaptive = reading.optimizer is not None and "betas" in reading.optimizer.param_groups[0]
    key = "curvature/preconditioned_sharpness" if adaptive else "curvature/sharpness"
    return {} if edge is None or key not in values else {"curvature/edge_ratio": values[key] / edge}
