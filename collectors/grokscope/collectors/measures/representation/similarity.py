"""How much two representations of the same samples have in common."""

from collections.abc import Mapping

from torch import Tensor

from grokscope.collectors.measures.formulas import formula_of
from grokscope.collectors.measures.instrument import MeasureFn, StepContext, gives
from grokscope.collectors.measures.probing import features_of, spread
from grokscope.collectors.tensors.predictions import widened, widest
from grokscope.schemas import Measure, Tier

_FEWEST = 4


def cka(first: Tensor, second: Tensor) -> Tensor:
    """Return the debiased linear CKA of two representations: 1 if one is a rotation and scaling of the other.

        CKA = HSIC₁(K, L) / √(HSIC₁(K, K) HSIC₁(L, L)),  K = XXᵀ, L = YYᵀ

    HSIC₁ is unbiased, so that unrelated representations score 0 on average also where N < d. It is computed
    from d x d or N x N products, whichever are smaller.

    Args:
        first: X ``[N, d]``, N ≥ 4.
        second: Y ``[N, d']``, the same samples in the same order.

    Returns:
        Scalar tensor, at most 1 and 0 on average without relation (slightly negative values occur), no
        synchronisation; NaN if either is constant or has a NaN.

    Raises:
        ValueError: If shapes do not match or there are fewer than four samples.

    Source: Kornblith et al. 2019, arXiv:1905.00414; HSIC₁ of Song et al. 2012. Cost: O(N d min(N, d)).

    >>> import torch
    >>> features = torch.randn(9, 3, generator=torch.Generator().manual_seed(0))
    >>> cka(features, -2 * features)
    tensor(1.)
    """
    if first.ndim != 2 or second.ndim != 2 or len(first) != len(second) or len(first) < _FEWEST:  # noqa: PLR2004
        raise ValueError(
            f"representations must be [N, d] of the same N samples, N at least {_FEWEST}, got "
            f"{list(first.shape)} and {list(second.shape)}; read both on one probe set"
        )
    x, y = _centred(first), _centred(second).to(first.device)
    return (_hsic(x, y) / (_hsic(x, x) * _hsic(y, y)).sqrt()).to(widened(first[:0]).dtype)


def _centred(features: Tensor) -> Tensor:
    # HSIC₁ does not see a shift, but far from 0 its differences would drown in rounding.
    features = widest(features.detach())
    return features - features.mean(dim=0)


def _hsic(x: Tensor, y: Tensor) -> Tensor:
    """Return N(N-3) HSIC₁ = tr K̃L̃ + (1ᵀK̃1)(1ᵀL̃1)/((N-1)(N-2)) - 2/(N-2) 1ᵀK̃L̃1, diagonals of K̃, L̃ at 0.

    With centred rows XXᵀ1 = 0, so that K̃1 is the diagonal of XXᵀ with its sign changed.
    """
    count, k, m = len(x), x.square().sum(dim=1), y.square().sum(dim=1)
    if max(x.shape[1], y.shape[1]) <= count:
        both = (x.mT @ y).square().sum()
    else:
        both = ((x @ x.mT) * (y @ y.mT)).sum()
    return both - k.dot(m) + k.sum() * m.sum() / ((count - 1) * (count - 2)) - 2 / (count - 2) * k.dot(m)


_KORNBLITH = "Kornblith et al. 2019, arXiv:1905.00414"

CKA_INIT = Measure(
    key="representation/cka_init",
    label="CKA with the first reading",
    unit="1",
    high=1.0,
    tier=Tier.CHEAP,
    formula=formula_of(cka),
    source=_KORNBLITH,
)
CKA_PREVIOUS = Measure(
    key="representation/cka_previous",
    label="CKA with the reading before",
    unit="1",
    high=1.0,
    tier=Tier.CHEAP,
    formula=formula_of(cka),
    source=_KORNBLITH,
    around="dips at the transition",
)
CKA_REFERENCE = Measure(
    key="representation/cka_reference",
    label="CKA with a reference",
    unit="1",
    high=1.0,
    tier=Tier.CHEAP,
    formula=formula_of(cka),
    source=_KORNBLITH,
)


@gives(CKA_INIT, CKA_PREVIOUS, CKA_REFERENCE)
def alignment(*, reference: Mapping[str, Tensor] | None = None, samples: int = 1000) -> MeasureFn:
    """Return the instrument of ``representation/cka_*/<split>``: how alike the representation is to others.

    ``cka_init`` to that of the first evaluation (after a restart: the first since), ``cka_previous`` to that
    of the last one, ``cka_reference`` to one of your own.

    Args:
        reference: Split name -> features ``[N, d']`` of the same samples by another model.
        samples: At most so many, evenly spread over the split and the same every time. Give the split in one
            order, or the comparison is of different samples.

    Source: Kornblith et al. 2019, arXiv:1905.00414. Cost: three products of d x d a split, and two copies of
    the features kept.

    >>> import torch
    >>> from grokscope.collectors.evaluating.forward_pass import Pass
    >>> features = torch.randn(9, 2, generator=torch.Generator().manual_seed(0))
    >>> found = Pass(logits=features, targets=torch.zeros(9).long(), features=features)
    >>> aligned, context = alignment(), StepContext(step=0, model=torch.nn.ReLU(), passes={"test": found})
    >>> aligned(context), aligned(context)["representation/cka_init/test"]
    ({}, tensor(1.))
    """
    first: dict[str, Tensor] = {}
    previous: dict[str, Tensor] = {}

    def measure(context: StepContext) -> Mapping[str, Tensor]:
        values: dict[str, Tensor] = {}
        for split, features in features_of(context).items():
            now = spread(features, samples).clone()
            others = {CKA_INIT: first.get(split), CKA_PREVIOUS: previous.get(split)}
            if reference is not None and split in reference:
                others[CKA_REFERENCE] = spread(reference[split], samples)
            values |= {
                one.at(split): cka(now, other)
                for one, other in others.items()
                if other is not None and len(other) == len(now)
            }
            first.setdefault(split, now)
            previous[split] = now
        return values

    return measure
