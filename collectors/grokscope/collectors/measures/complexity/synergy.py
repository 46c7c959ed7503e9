"""Information shared among the units of a representation: redundant or synergistic."""

import torch
from torch import Tensor

from grokscope.collectors.tensors.predictions import widened
from grokscope.collectors.tensors.torch_stubs import cholesky, normal_quantile

# A unit that another one repeats would make the covariance singular; this share of its variance is noise.
_RIDGE = 1e-6


def o_information(units: Tensor) -> Tensor:
    """Return the O-information of a representation's units: above 0 redundancy rules, below 0 synergy.

        Ω = (n - 2) H(Z) + Σ_j [H(Z_j) - H(Z without j)]
          = -log det R - ½ Σ_j log (R⁻¹)_jj  under a Gaussian copula with correlation R

    Each unit is made normal through its ranks, so that only the dependence counts. 0 for independent units
    and for any two. Principal components will not do as units: they are uncorrelated by construction.

    Args:
        units: ``[N, n]``, N > n ≥ 2; equal values share their mean rank.

    Returns:
        Scalar tensor in nats, no synchronisation; units that repeat one another give a large but finite
        value (a millionth of their variance is taken for noise), a constant unit counts as independent.

    Raises:
        ValueError: If the shape is not as above.

    Source: Rosas et al. 2019, arXiv:1902.11239; of networks: Clauw et al. 2024, arXiv:2408.08944; copula:
    Ince et al. 2017, doi:10.1002/hbm.23471. Cost: n sorts of N values.

    >>> drawn = torch.randn(4000, 3, generator=torch.Generator().manual_seed(0))
    >>> third_is_their_sum = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0], [0.0, 0.0, 1.0]])
    >>> o_information(drawn @ third_is_their_sum) < -0.1
    tensor(True)
    """
    if units.ndim != 2 or not len(units) > units.shape[1] >= 2:  # noqa: PLR2004 - two to share something
        raise ValueError(
            f"units must be [N, n] with N > n and n at least 2, got {list(units.shape)}; choose fewer units"
        )
    normal = _normal_scores(widened(units.detach()).double())
    centred = normal - normal.mean(dim=0)
    scale = centred.square().mean(dim=0).sqrt()
    scores = centred / torch.where(scale > 0, scale, 1)
    identity = torch.eye(units.shape[1], dtype=torch.float64, device=units.device)
    correlation = scores.T @ scores / len(scores)
    correlation = correlation - torch.diag(correlation.diagonal()) + (1 + _RIDGE) * identity
    lower = cholesky(correlation)
    log_det = 2 * lower.diagonal().log().sum()
    inverse = torch.cholesky_inverse(lower).diagonal()
    return (-log_det - 0.5 * inverse.log().sum()).to(widened(units[:0]).dtype)


def _normal_scores(values: Tensor) -> Tensor:
    """Return Φ⁻¹ of each column's ranks in (0, 1), ties at their mean rank."""
    columns = values.T.contiguous()
    ordered = columns.sort(dim=1).values
    below = torch.searchsorted(ordered, columns)
    up_to = torch.searchsorted(ordered, columns, right=True)
    return normal_quantile((below + up_to) / (2 * values.shape[0])).T
