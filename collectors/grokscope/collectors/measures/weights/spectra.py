"""What the singular values of a weight matrix say about how many directions it uses."""

from collections.abc import Mapping

from torch import Tensor

from grokscope.collectors.measures.formulas import formula_of
from grokscope.collectors.measures.instrument import MeasureFn, StepContext, Use, gives
from grokscope.collectors.measures.location import location
from grokscope.collectors.tensors.shards import whole
from grokscope.collectors.tensors.singular_values import singular_values
from grokscope.collectors.tensors.torch_stubs import entropy_terms
from grokscope.schemas import Measure, Tier


def matrices_of(parameters: Mapping[str, Tensor], *, smallest: int = 2) -> dict[str, Tensor]:
    """Return the matrices among ``parameters``, whole, under their names without ``.weight``.

    Args:
        parameters: By name; whole numbers, as of quantised weights, and empty ones are left out.
        smallest: Those of fewer rows or columns, once flattened to two dimensions, are left out.

    Source: definition. Cost: none, or an all-gather of each where they are sharded.

    >>> from torch import nn
    >>> list(matrices_of(dict(nn.Linear(2, 3).named_parameters())))
    ['weight']
    """
    return {
        location(name.removesuffix(".weight")): whole(parameter)
        for name, parameter in parameters.items()
        if _is_matrix(parameter, smallest)
    }


def _is_matrix(parameter: Tensor, smallest: int) -> bool:
    if not (parameter.is_floating_point() or parameter.is_complex()):
        return False
    rows = parameter.shape[0] if parameter.ndim > 1 and parameter.numel() else 0
    return rows > 0 and min(rows, parameter.numel() // rows) >= smallest


def matrix_spectra(parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return ``weights/<quantity>/<matrix>`` for every matrix among ``parameters``; see ``weight_measures``.

    Source: each measure's own. Cost: one decomposition a matrix.

    >>> import torch
    >>> list(matrix_spectra({"output.weight": torch.eye(2)}))[0]
    'weights/spectral_norm/output'
    """
    matrices = matrices_of(parameters)
    return {
        f"weights/{quantity}/{place}": value
        for place, spectrum in zip(matrices, singular_values(matrices.values()), strict=True)
        for quantity, value in spectral_measures(spectrum).items()
    }


def spectral_measures(spectrum: Tensor) -> dict[str, Tensor]:
    """Return every measure of a spectrum by quantity, keyed as in ``schemas.metrics``.

    Args:
        spectrum: ``[..., K]`` singular values.

    Source: each measure's own. Cost: some ten passes over K values.

    >>> import torch
    >>> list(spectral_measures(torch.tensor([1.0, 1.0])))
    ['spectral_norm', 'stable_rank', 'effective_rank', 'participation_ratio', 'top_energy']
    """
    return {
        "spectral_norm": spectral_norm(spectrum),
        "stable_rank": stable_rank(spectrum),
        "effective_rank": effective_rank(spectrum),
        "participation_ratio": participation_ratio(spectrum),
        "top_energy": top_energy(spectrum),
    }


def spectral_norm(spectrum: Tensor) -> Tensor:
    """Return the largest singular value σ₁, the most that the matrix stretches any vector.

    Args:
        spectrum: ``[..., K]`` singular values.

    Returns:
        ``[...]``, no synchronisation; NaN if a singular value is NaN.

    Source: definition. Cost: one pass over K values.

    >>> import torch
    >>> spectral_norm(torch.tensor([3.0, 1.0]))
    tensor(3.)
    """
    return spectrum.amax(dim=-1)


def stable_rank(spectrum: Tensor) -> Tensor:
    """Return the stable rank: the energy in units of the strongest direction's.

        ‖W‖_F² / σ₁² = Σ σᵢ² / σ₁²

    Args:
        spectrum: ``[..., K]`` singular values.

    Returns:
        ``[...]`` in dimensions, 1..K, no synchronisation; NaN for a matrix of zeros or with NaN.

    Source: Rudelson & Vershynin 2007. Cost: one pass over K values.

    >>> import torch
    >>> stable_rank(torch.tensor([2.0, 1.0, 1.0]))
    tensor(1.5000)
    """
    return (spectrum / spectrum.amax(dim=-1, keepdim=True)).square().sum(dim=-1)


def top_energy(spectrum: Tensor, *, k: int = 10) -> Tensor:
    """Return the share of the energy in the ``k`` strongest directions.

        Σ_{i ≤ k} σᵢ² / Σ σᵢ²

    Args:
        spectrum: ``[..., K]`` singular values, largest first.
        k: At least 1; K or more gives 1.

    Returns:
        ``[...]`` in [0, 1], no synchronisation; NaN for a matrix of zeros or with NaN.

    Raises:
        ValueError: If ``k`` is less than 1.

    Source: definition. Cost: one pass over K values.

    >>> import torch
    >>> top_energy(torch.tensor([3.0, 1.0]), k=1)
    tensor(0.9000)
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    energy = (spectrum / spectrum.amax(dim=-1, keepdim=True)).square()
    return energy[..., :k].sum(dim=-1) / energy.sum(dim=-1)


def effective_rank(spectrum: Tensor) -> Tensor:
    """Return the effective rank: the exponential of the entropy of the singular values' shares.

        erank = exp(-Σ pᵢ log pᵢ),  pᵢ = σᵢ / Σ σ   (of σ, not of σ²)

    Args:
        spectrum: ``[..., K]`` singular values.

    Returns:
        ``[...]`` in dimensions, 1..K, no synchronisation; NaN for a matrix of zeros or with NaN.

    Source: Roy & Vetterli 2007. Cost: one pass over K values.

    >>> import torch
    >>> effective_rank(torch.tensor([2.0, 2.0, 2.0, 0.0]))
    tensor(3.)
    """
    share = spectrum / spectrum.sum(dim=-1, keepdim=True)
    return entropy_terms(share).sum(dim=-1).exp()


def participation_ratio(spectrum: Tensor) -> Tensor:
    """Return the participation ratio: how many directions share the energy.

        PR = (Σ λᵢ)² / Σ λᵢ²,  λᵢ = σᵢ²

    Args:
        spectrum: ``[..., K]`` singular values.

    Returns:
        ``[...]`` in dimensions, 1..K, no synchronisation; NaN for a matrix of zeros or with NaN.

    Source: definition. Cost: one pass over K values.

    >>> import torch
    >>> participation_ratio(torch.tensor([2.0, 2.0, 0.0]))
    tensor(2.)
    """
    # Relative to the largest, so that the fourth powers neither overflow nor vanish.
    energy = (spectrum / spectrum.amax(dim=-1, keepdim=True)).square()
    return energy.sum(dim=-1).square() / energy.square().sum(dim=-1)


SPECTRAL_NORM = Measure(
    key="weights/spectral_norm",
    label="spectral norm",
    unit="1",
    low=0.0,
    tier=Tier.CHEAP,
    formula="σ₁",
)
STABLE_RANK = Measure(
    key="weights/stable_rank",
    label="stable rank (Σσ² / σ₁²)",
    unit="dimensions",
    low=1.0,
    tier=Tier.CHEAP,
    formula=formula_of(stable_rank),
    source="Rudelson & Vershynin 2007",
)
TOP_ENERGY = Measure(
    key="weights/top_energy",
    label="share of Σσ² in the ten strongest directions",
    unit="1",
    low=0.0,
    high=1.0,
    tier=Tier.CHEAP,
    formula=formula_of(top_energy),
)
EFFECTIVE_RANK = Measure(
    key="weights/effective_rank",
    label="effective rank (entropy of σ)",
    unit="dimensions",
    low=1.0,
    tier=Tier.CHEAP,
    formula=formula_of(effective_rank),
    source="Roy & Vetterli 2007",
    around="late by .55 to .62 (measured here)",
)
PARTICIPATION_RATIO = Measure(
    key="weights/participation_ratio",
    label="participation ratio of σ²",
    unit="dimensions",
    low=1.0,
    tier=Tier.CHEAP,
    formula=formula_of(participation_ratio),
)


@gives(SPECTRAL_NORM, STABLE_RANK, TOP_ENERGY, EFFECTIVE_RANK, PARTICIPATION_RATIO, use=Use.DEFAULT)
def weight_spectra() -> MeasureFn:
    """Return the instrument of ``weights/<quantity>/<matrix>``: spectral norm, ranks and their like.

    Source: each measure's own. Cost: one decomposition a matrix.

    >>> from torch import nn
    >>> list(weight_spectra()(StepContext(step=0, model=nn.Linear(2, 3))))[0]
    'weights/spectral_norm/weight'
    """

    def measure(context: StepContext) -> Mapping[str, Tensor]:
        return matrix_spectra(dict(context.model.named_parameters()))

    return measure
