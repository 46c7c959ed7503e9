"""Which units of a layer do anything at all: activations ``[N, d]`` of a probe set."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from grokscope.collectors.measures.formulas import formula_of
from grokscope.collectors.measures.instrument import MeasureFn, StepContext, gives
from grokscope.collectors.measures.location import location
from grokscope.collectors.measures.probing import outputs_of
from grokscope.collectors.measures.tasks.fourier import gini
from grokscope.collectors.tensors.predictions import widened
from grokscope.collectors.tensors.torch_stubs import vector_norm
from grokscope.schemas import Measure, Tier


def dead_share(activations: Tensor, *, threshold: float = 0.0) -> Tensor:
    """Return the share of units whose activation never leaves ±``threshold`` on the probe set.

    Args:
        activations: ``[N, d]``, or more leading dimensions, all of them samples.
        threshold: Magnitude that still counts as silent; above 0 for smooth activations such as GELU.

    Returns:
        Scalar tensor in [0, 1], no synchronisation; a unit with a NaN is not dead.

    Raises:
        ValueError: If there are no samples or no units.

    Source: common practice for ReLU. Cost: one pass over the activations.

    >>> dead_share(torch.tensor([[0.0, 1.0], [0.0, 0.0]]))
    tensor(0.5000)
    """
    return (_samples(activations).abs() <= threshold).all(dim=0).to(torch.float32).mean()


def sparsity(activations: Tensor, *, threshold: float = 0.0) -> Tensor:
    """Return the share of activations within ±``threshold``.

    Args:
        activations: ``[N, d]``, or more leading dimensions.
        threshold: Magnitude that still counts as silent.

    Returns:
        Scalar tensor in [0, 1], no synchronisation; NaN counts as active.

    Raises:
        ValueError: If there are no samples or no units.

    Source: Merrill et al. 2023, arXiv:2303.11873. Cost: one pass over the activations.

    >>> sparsity(torch.tensor([[0.0, 1.0], [0.0, 0.0]]))
    tensor(0.7500)
    """
    return (_samples(activations).abs() <= threshold).to(torch.float32).mean()


def unit_gini(activations: Tensor) -> Tensor:
    """Return the Gini coefficient of the units' norms: 0 if all are as strong, near 1 if one carries all.

        G = Σᵢ (2i - d - 1) aᵢ / (d Σ aᵢ),  aᵢ = ‖unit i over the samples‖₂ in rising order

    Args:
        activations: ``[N, d]``, or more leading dimensions.

    Returns:
        Scalar tensor in [0, 1 - 1/d], no synchronisation; NaN if all are 0 or one is NaN.

    Raises:
        ValueError: If there are no samples or no units.

    Source: Gini 1912; Merrill et al. 2023, arXiv:2303.11873. Cost: one pass and a sort of d values.

    >>> unit_gini(torch.tensor([[0.0, 0.0, 3.0, 0.0]])), unit_gini(torch.ones(2, 3))
    (tensor(0.7500), tensor(0.))
    """
    return gini(vector_norm(_samples(activations), dim=0))


def _samples(activations: Tensor) -> Tensor:
    if activations.ndim < 2 or not activations.numel():  # noqa: PLR2004 - samples and units
        raise ValueError(
            f"activations must be [N, d] and not empty, got shape {list(activations.shape)}; "
            "give one row a sample"
        )
    return widened(activations.detach()).flatten(0, -2)


_MERRILL = "Merrill et al. 2023, arXiv:2303.11873"

DEAD_UNITS = Measure(
    key="representation/dead_units",
    label="share of units that are never active",
    unit="1",
    low=0.0,
    high=1.0,
    tier=Tier.CHEAP,
    formula="(1/d) #{j : |h_ij| ≤ threshold for all i}",
    source=_MERRILL,
)
SPARSITY = Measure(
    key="representation/sparsity",
    label="share of activations at 0",
    unit="1",
    low=0.0,
    high=1.0,
    tier=Tier.CHEAP,
    formula="(1/Nd) #{i, j : |h_ij| ≤ threshold}",
    source=_MERRILL,
    around="few units take over (arXiv:2303.11873)",
)
UNIT_GINI = Measure(
    key="representation/unit_gini",
    label="Gini coefficient of the units' norms",
    unit="1",
    low=0.0,
    high=1.0,
    tier=Tier.CHEAP,
    formula=formula_of(unit_gini),
    source=_MERRILL,
)


@gives(DEAD_UNITS, SPARSITY, UNIT_GINI)
def active_units(
    *, layers: Sequence[str] = (), threshold: float = 0.0, split: str = "train", samples: int = 512
) -> MeasureFn:
    """Return the instrument of ``representation/dead_units``, ``sparsity`` and ``unit_gini``.

    Of the representation under the split's name, from the pass already made; of each of ``layers`` under the
    layer's name, from one pass over the first samples.

    Args:
        layers: Dotted names of modules whose output is measured, such as activations.
        threshold: Magnitude that still counts as silent; above 0 for smooth activations such as GELU.
        split: Measured for ``layers``.
        samples: Likewise, at most.

    Source: each measure's own. Cost: three passes over the activations; with ``layers`` a forward pass.

    >>> import torch
    >>> from torch import nn
    >>> model = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    >>> data = (torch.zeros(4, 2), torch.zeros(4).long())
    >>> list(active_units(layers=["1"])(StepContext(step=0, model=model, splits={"train": data})))
    ['representation/dead_units/1', 'representation/sparsity/1', 'representation/unit_gini/1']
    """

    def measure(context: StepContext) -> Mapping[str, Tensor]:
        found = {name: p.features for name, p in context.passes.items() if p.features is not None}
        found |= {
            location(layer): output
            for layer, output in outputs_of(context, layers, split=split, samples=samples).items()
        }
        return {
            one.at(place): value
            for place, activations in found.items()
            for one, value in (
                (DEAD_UNITS, dead_share(activations, threshold=threshold)),
                (SPARSITY, sparsity(activations, threshold=threshold)),
                (UNIT_GINI, unit_gini(activations)),
            )
        }

    return measure
