"""Arrays over the layers of a model: norms, singular values and ranks, for a map of layers by steps."""

from collections.abc import Mapping

import torch
from torch import Tensor

from grokscope.collectors.measures.array_instrument import ArrayFn, gives_arrays
from grokscope.collectors.measures.formulas import formula_of
from grokscope.collectors.measures.instrument import Array, StepContext, Use
from grokscope.collectors.measures.location import location
from grokscope.collectors.measures.weights.norms import weight_norms
from grokscope.collectors.measures.weights.spectra import effective_rank, matrices_of, stable_rank
from grokscope.collectors.tensors.complex_numbers import real
from grokscope.collectors.tensors.shards import whole
from grokscope.collectors.tensors.singular_values import singular_values
from grokscope.schemas.arrays import ArrayMeasure


def leading(spectra: list[Tensor], *, k: int) -> Tensor:
    """Return the first ``k`` values of each spectrum as one matrix, NaN where one has fewer.

    Args:
        spectra: ``[Kᵢ]`` each, largest first; at least one, on one device.
        k: At least 1.

    Returns:
        ``[len(spectra), k]``, no synchronisation.

    Source: definition. Cost: a copy.

    >>> leading([torch.tensor([3.0, 2.0, 1.0]), torch.tensor([5.0])], k=2)
    tensor([[3., 2.],
            [5., nan]])
    """
    padded = [torch.nn.functional.pad(one[:k], (0, max(0, k - len(one))), value=torch.nan) for one in spectra]
    return torch.stack(padded)


LAYER_NORM = ArrayMeasure(
    name="layers/norm",
    label="norm of each parameter",
    unit="1",
    axes=("parameter",),
    formula="‖θ_l‖₂",
)
SINGULAR_VALUES = ArrayMeasure(
    name="layers/singular_values",
    label="largest singular values of each matrix",
    unit="1",
    axes=("matrix", "k"),
    formula="σ₁ ≥ σ₂ ≥ … of W_l",
)
LAYER_STABLE_RANK = ArrayMeasure(
    name="layers/stable_rank",
    label="stable rank of each matrix (Σσ² / σ₁²)",
    unit="dimensions",
    axes=("matrix",),
    formula=formula_of(stable_rank),
    source="Rudelson & Vershynin 2007",
)
LAYER_EFFECTIVE_RANK = ArrayMeasure(
    name="layers/effective_rank",
    label="effective rank of each matrix (entropy of σ)",
    unit="dimensions",
    axes=("matrix",),
    formula=formula_of(effective_rank),
    source="Roy & Vetterli 2007",
)


@gives_arrays(LAYER_NORM, SINGULAR_VALUES, LAYER_STABLE_RANK, LAYER_EFFECTIVE_RANK, use=Use.DEFAULT)
def layer_arrays(*, k: int = 16) -> ArrayFn:
    """Return the instrument of ``layers/...``: norms by parameter; singular values and ranks by matrix.

    Args:
        k: How many singular values of each matrix; at least 1.

    Raises:
        ValueError: If ``k`` is less than 1.

    Source: each measure's own. Cost: one decomposition a matrix, at most eight times a decade of steps.

    >>> from torch import nn
    >>> found = layer_arrays(k=2)(StepContext(step=0, model=nn.Linear(2, 3)))
    >>> {name: (list(one.values.shape), one.axes) for name, one in found.items()}["layers/singular_values"]
    ([1, 2], {'matrix': ['weight'], 'k': ['1', '2']})
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")

    def measure(context: StepContext) -> Mapping[str, Array]:
        parameters = dict(context.model.named_parameters())
        # Whole numbers, as of quantised weights, have no norm that training moves.
        moved = {n: real(p) for n, p in parameters.items() if p.is_floating_point() or p.is_complex()}
        norms = weight_norms({location(name): [one] for name, one in moved.items()})
        matrices = matrices_of(parameters)
        if not norms:
            return {}
        found = {
            LAYER_NORM.name: Array(
                values=torch.stack([whole(one) for one in norms.values()]), axes={"parameter": [*norms]}
            )
        }
        return found | (_spectra(matrices, k) if matrices else {})

    return measure


def _spectra(matrices: Mapping[str, Tensor], k: int) -> dict[str, Array]:
    spectra = singular_values(matrices.values())
    names = [*matrices]
    places = [str(place) for place in range(1, k + 1)]
    return {
        SINGULAR_VALUES.name: Array(values=leading(spectra, k=k), axes={"matrix": names, "k": places}),
        LAYER_STABLE_RANK.name: Array(
            values=torch.stack([stable_rank(one) for one in spectra]), axes={"matrix": names}
        ),
        LAYER_EFFECTIVE_RANK.name: Array(
            values=torch.stack([effective_rank(one) for one in spectra]), axes={"matrix": names}
        ),
    }
