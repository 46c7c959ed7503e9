"""How many directions a representation ``[N, d]`` uses, and how its variance decays over them."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from grokscope.collectors.measures.formulas import formula_of
from grokscope.collectors.measures.instrument import MeasureFn, StepContext, gives
from grokscope.collectors.measures.probing import features_of
from grokscope.collectors.measures.weights.spectra import effective_rank
from grokscope.collectors.tensors.predictions import widened
from grokscope.collectors.tensors.singular_values import singular_values
from grokscope.collectors.tensors.torch_stubs import entropy_terms
from grokscope.schemas import Measure, Tier

# Variances below this part of the largest are rounding of single precision, not decay.
_NEGLIGIBLE = 1e-6


def covariance_spectrum(features: Tensor) -> Tensor:
    """Return the eigenvalues of the features' covariance, largest first.

        λ = eig((1/N) Σᵢ (hᵢ - μ)(hᵢ - μ)ᵀ),  the min(N, d) that can differ from 0

    Args:
        features: ``[N, d]``.

    Returns:
        ``[min(N, d)]`` variances, exact to 1e-7 of the largest, no synchronisation of its own; all NaN if an
        entry is not finite.

    Raises:
        ValueError: If ``features`` is not a matrix or is empty.

    Source: definition. Cost: O(N d min(N, d)).

    >>> covariance_spectrum(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]))
    tensor([1.0000, 0.0000])
    """
    rows = _rows(features)
    return singular_values([rows - rows.mean(dim=0)])[0].square() / len(rows)


def spectral_entropy(variances: Tensor) -> Tensor:
    """Return the entropy of the variances' shares over its maximum: 1 is isotropic, 0 a single direction.

        H = -Σ pᵢ log pᵢ / log K,  pᵢ = λᵢ / Σ λ

    Args:
        variances: ``[..., K]``, as from ``covariance_spectrum``.

    Returns:
        ``[...]`` in [0, 1], no synchronisation; NaN if all are 0, one is NaN, or K is 1.

    Source: Truong et al. 2026, arXiv:2604.13123. Cost: one pass over K values.

    >>> spectral_entropy(torch.tensor([2.0, 2.0, 0.0, 0.0]))
    tensor(0.5000)
    """
    share = variances / variances.sum(dim=-1, keepdim=True)
    most = math.log(variances.shape[-1])
    return entropy_terms(share).sum(dim=-1) / (most or math.nan)


def variance_participation(variances: Tensor) -> Tensor:
    """Return the participation ratio of variances: how many directions share them.

        PR = (Σ λᵢ)² / Σ λᵢ²

    Args:
        variances: ``[..., K]``, as from ``covariance_spectrum``.

    Returns:
        ``[...]`` in dimensions, 1..K, no synchronisation; NaN if all are 0 or one is NaN.

    Source: Gao et al. 2017. Cost: one pass over K values.

    >>> variance_participation(torch.tensor([2.0, 2.0, 0.0]))
    tensor(2.)
    """
    share = variances / variances.amax(dim=-1, keepdim=True)
    return share.sum(dim=-1).square() / share.square().sum(dim=-1)


def rankme(features: Tensor) -> Tensor:
    """Return RankMe: the effective rank (entropy of σ) of the features as they are, not centred.

        exp(-Σ pᵢ log pᵢ),  pᵢ = σᵢ(H) / Σ σ(H)

    Args:
        features: ``[N, d]``.

    Returns:
        Scalar tensor in dimensions, 1..min(N, d), no synchronisation of its own; NaN for zeros or with NaN.

    Raises:
        ValueError: If ``features`` is not a matrix or is empty.

    Source: Garrido et al. 2023, arXiv:2210.02885. Cost: O(N d min(N, d)).

    >>> rankme(torch.eye(3))
    tensor(3.)
    """
    return effective_rank(singular_values([_rows(features)])[0])


def alpha_req(variances: Tensor) -> Tensor:
    """Return α of the power law λᵢ ∝ i^(-α) that fits the variances best on logarithmic axes.

    Least squares of log λᵢ on log i over the variances above 1e-6 of the largest; smaller ones are rounding.

    Args:
        variances: ``[K]``, largest first, as from ``covariance_spectrum``.

    Returns:
        Scalar tensor, no synchronisation; NaN if fewer than two variances count, or one is NaN.

    Source: α-ReQ, Agrawal et al. 2022 (NeurIPS). Cost: one pass over K values.

    >>> alpha_req(torch.arange(1.0, 50.0) ** -2)
    tensor(2.0000)
    """
    counts = (variances > _NEGLIGIBLE * variances.amax()).to(variances.dtype)
    rank = torch.arange(1, len(variances) + 1, device=variances.device, dtype=variances.dtype).log()
    decay = torch.where(counts > 0, variances, 1).log()
    centred = rank - (counts * rank).sum() / counts.sum()
    slope = (counts * centred * decay).sum() / (counts * centred.square()).sum()
    return torch.where(variances.isnan().any(), torch.nan, -slope)


def _rows(features: Tensor) -> Tensor:
    if features.ndim != 2 or not features.numel():  # noqa: PLR2004 - samples and dimensions
        raise ValueError(
            f"features must be [N, d] and not empty, got {list(features.shape)}; flatten leading dimensions"
        )
    return widened(features.detach())


PARTICIPATION_RATIO = Measure(
    key="representation/participation_ratio",
    label="participation ratio of the covariance",
    unit="dimensions",
    low=1.0,
    tier=Tier.CHEAP,
    formula=formula_of(variance_participation),
    source="Gao et al. 2017",
)
SPECTRAL_ENTROPY = Measure(
    key="representation/spectral_entropy",
    label="normalised entropy of the covariance's spectrum",
    unit="1",
    low=0.0,
    high=1.0,
    tier=Tier.CHEAP,
    formula=formula_of(spectral_entropy),
    source="Truong et al. 2026, arXiv:2604.13123",
    around="late by .39 (measured here); claimed to lead in transformers (arXiv:2604.13123)",
)
ALPHA_REQ = Measure(
    key="representation/alpha_req",
    label="decay exponent of the covariance's spectrum (α-ReQ)",
    unit="1",
    tier=Tier.CHEAP,
    formula="α of the least squares of log λᵢ on -α log i, λᵢ > 10⁻⁶ λ₁",
    source="Agrawal et al. 2022",
    around="turns with the phases of pretraining (arXiv:2509.23024)",
)
RANKME = Measure(
    key="representation/rankme",
    label="RankMe",
    unit="dimensions",
    low=1.0,
    tier=Tier.CHEAP,
    formula=formula_of(rankme),
    source="Garrido et al. 2023, arXiv:2210.02885",
    around="collapses, expands, then compresses in pretraining (arXiv:2509.23024)",
)


@gives(PARTICIPATION_RATIO, SPECTRAL_ENTROPY, ALPHA_REQ, RANKME)
def representation_spectrum() -> MeasureFn:
    """Return the instrument of the representation's spectrum, each quantity ``/<split>``.

    ``representation/participation_ratio``, ``spectral_entropy`` and ``alpha_req`` of the covariance, and
    ``rankme`` of the features as they are.

    Source: each measure's own. Cost: two decompositions of d x d a split.

    >>> list(representation_spectrum()(StepContext(step=0, model=torch.nn.ReLU())))
    []
    """

    def measure(context: StepContext) -> Mapping[str, Tensor]:
        values: dict[str, Tensor] = {}
        for split, features in features_of(context).items():
            variances = covariance_spectrum(features)
            values |= {
                PARTICIPATION_RATIO.at(split): variance_participation(variances),
                SPECTRAL_ENTROPY.at(split): spectral_entropy(variances),
                ALPHA_REQ.at(split): alpha_req(variances),
                RANKME.at(split): rankme(features),
            }
        return values

    return measure
