"""Information shared among the units of a representation: redundant or synergistic."""

from collections.abc import Mapping

import torch
from torch import Tensor

from grokscope.collectors.measures.formulas import formula_of
from grokscope.collectors.measures.instrument import MeasureFn, StepContext, gives
from grokscope.collectors.tensors.predictions import widened
from grokscope.collectors.tensors.torch_stubs import cholesky, normal_quantile
from grokscope.schemas import Measure, Tier

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


O_INFORMATION = Measure(
    key="representation/o_information",
    label="O-information (below 0: synergy)",
    unit="nats",
    tier=Tier.COSTLY,
    formula=formula_of(o_information),
    source="Clauw et al. 2024, arXiv:2408.08944",
    around="early synergy claimed to lead (arXiv:2408.08944)",
)


@gives(O_INFORMATION)
def synergy(*, units: int = 16) -> MeasureFn:
    """Return the instrument of ``representation/o_information/<split>``.

    Of the units of the representation that vary most at this step.

    Args:
        units: How many.

    Source: Clauw et al. 2024, arXiv:2408.08944. Cost: a sort of N values a unit.

    >>> from torch import nn
    >>> from grokscope.collectors.evaluating.forward_pass import forward_pass
    >>> data = (torch.randn(8, 2), torch.arange(8) % 3)
    >>> model = nn.Linear(2, 3)
    >>> context = StepContext(step=0, model=model, passes={"test": forward_pass(model, data)})
    >>> list(synergy()(context))
    ['representation/o_information/test']
    """

    def measure(context: StepContext) -> Mapping[str, Tensor]:
        values: dict[str, Tensor] = {}
        for split, seen in context.passes.items():
            if seen.features is None:
                continue
            count = min(units, seen.features.shape[1], len(seen.features) - 1)
            if count >= 2:  # noqa: PLR2004 - two to share something
                most = seen.features.float().var(dim=0).topk(count).indices
                values[O_INFORMATION.at(split)] = o_information(seen.features[:, most])
        return values

    return measure
