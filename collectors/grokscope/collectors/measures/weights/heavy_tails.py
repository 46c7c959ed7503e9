"""The shape of a weight matrix's spectrum: how heavy its tail is, and whether single entries rule it."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from grokscope.collectors.measures.formulas import formula_of
from grokscope.collectors.measures.instrument import MeasureFn, StepContext, gives
from grokscope.collectors.measures.subset import fixed
from grokscope.collectors.measures.weights.spectra import matrices_of
from grokscope.collectors.tensors.complex_numbers import doubled
from grokscope.collectors.tensors.singular_values import singular_values
from grokscope.collectors.tensors.torch_stubs import eigvalsh
from grokscope.schemas import Measure, Tier

# The 99.9 % quantile of the Tracy-Widom law for real matrices.
_TRACY_WIDOM = 3.2724
# More starting points of the tail than these change the fit by less than its own error.
_CANDIDATES = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """A power law fitted to the upper end of a sample; every field a scalar tensor.

    Attributes:
        alpha: Exponent of the density x^(-α).
        start: x_min, where the tail begins.
        distance: Kolmogorov-Smirnov distance between tail and fit.
        count: Values in the tail; below 50 or so α says little.
    """

    alpha: Tensor
    start: Tensor
    distance: Tensor
    count: Tensor


def power_law_tail(values: Tensor) -> Tail:
    """Return the power law that fits the upper end of positive values best.

        α(x_min) = 1 + n / Σ_{xᵢ ≥ x_min} log(xᵢ / x_min);  x_min minimises the Kolmogorov-Smirnov distance

    Of the eigenvalues of WᵀW, α near 2 is said to mark a well-trained layer and below 2 an over-trained one.

    Args:
        values: ``[K]``, K ≥ 3; values that are not positive are no part of any tail. Up to 512 starting
            points are tried, evenly by rank.

    Returns:
        The fit, no synchronisation; α is NaN if there are fewer than two different positive values.

    Raises:
        ValueError: If there are fewer than 3 values.

    Source: Clauset et al. 2009, arXiv:0706.1062; of weights: Martin & Mahoney 2021, arXiv:1810.01075. Cost:
    a table of at most 512 · K values.

    >>> power_law_tail(torch.linspace(0.0005, 0.9995, 1000) ** (-1 / 1.5)).alpha
    tensor(2.5013)
    """
    if values.ndim != 1 or len(values) < 3:  # noqa: PLR2004 - a tail of two and where it starts
        raise ValueError(f"a tail needs at least 3 values [K], got {list(values.shape)}; use a larger matrix")
    ordered = values.detach().double().sort().values
    total = len(ordered)
    starts = torch.linspace(0, total - 2, min(total - 1, _CANDIDATES), device=values.device).long()
    logs = ordered.clamp_min(0).log()
    ranks = torch.arange(total, device=values.device)
    above = (logs - logs[starts].unsqueeze(1)).masked_fill(ranks < starts.unsqueeze(1), 0)
    count = (total - starts).double()
    slope = count / above.sum(dim=1)
    fitted = -torch.expm1(-slope.unsqueeze(1) * above)
    seen = (ranks - starts.unsqueeze(1)) / count.unsqueeze(1)
    gap = torch.maximum(fitted - seen, seen + 1 / count.unsqueeze(1) - fitted)
    distance = gap.masked_fill(ranks < starts.unsqueeze(1), 0).amax(dim=1)
    usable = (ordered[starts] > 0) & slope.isfinite()
    best = torch.where(usable, distance, torch.inf).argmin()
    alpha = torch.where(usable[best], 1 + slope[best], torch.nan)
    return Tail(
        alpha=alpha.to(values.dtype),
        start=ordered[starts[best]].to(values.dtype),
        distance=distance[best].to(values.dtype),
        count=count[best].to(values.dtype),
    )


def correlation_traps(matrix: Tensor, *, generator: torch.Generator) -> Tensor:
    """Return how many eigenvalues of the shuffled matrix leave the random bulk: traps.

        edge = σ² [ (√(n-1) + √m)² + 3.27 (√(n-1) + √m) (1/√(n-1) + 1/√m)^(1/3) ]  of W_sᵀ W_s

    Shuffling the entries destroys every direction, so that what still stands out does so because of single
    huge entries, or of a mean far from 0. σ² is the entries' variance; the edge is the 99.9 % quantile of
    the largest eigenvalue of a random matrix, so that one in a thousand matrices has a trap by chance.

    Args:
        matrix: ``[m, n, ...]``, flattened to two dimensions.
        generator: On the matrix's device; the global random state is left alone.

    Returns:
        Scalar tensor, a count, no synchronisation of its own.

    Raises:
        ValueError: If the matrix has fewer than two dimensions.

    Source: Martin & Prakash 2026, arXiv:2602.02859; the edge: Johnstone 2001, doi:10.1214/aos/1009210544.
    Cost: one decomposition.

    >>> matrix = torch.randn(20, 30, generator=torch.Generator().manual_seed(0))
    >>> calm = correlation_traps(matrix, generator=torch.Generator())
    >>> matrix[3, 4] = 30
    >>> calm, correlation_traps(matrix, generator=torch.Generator())
    (tensor(0.), tensor(1.))
    """
    if matrix.ndim < 2:  # noqa: PLR2004 - a matrix has two dimensions
        raise ValueError(f"matrix must be [m, n], got {list(matrix.shape)}; leave out biases and gains")
    flat = matrix.detach().flatten(1)
    small, large = sorted(flat.shape)
    order = torch.randperm(flat.numel(), generator=generator, device=flat.device)
    shuffled = doubled(flat.reshape(-1)[order].view(small, large))
    root = (large - 1) ** 0.5 + small**0.5
    width = root * ((large - 1) ** -0.5 + small**-0.5) ** (1 / 3) if large > 1 else 0.0
    edge = shuffled.var(correction=0) * (root**2 + _TRACY_WIDOM * width)
    return (eigvalsh(shuffled @ shuffled.mH) > edge).sum().to(torch.float32)


_MARTIN = "Martin & Mahoney 2021, arXiv:1810.01075"

TAIL_EXPONENT = Measure(
    key="weights/tail_exponent",
    label="power-law exponent of the eigenvalues (α)",
    unit="1",
    low=1.0,
    tier=Tier.COSTLY,
    formula=formula_of(power_law_tail),
    source=_MARTIN,
    around="below 2: over-trained; noise on matrices this small (arXiv:2602.02859)",
)
TAIL_COUNT = Measure(
    key="weights/tail_count",
    label="eigenvalues in the power-law tail",
    unit="values",
    low=0.0,
    tier=Tier.COSTLY,
    formula="#{i : λᵢ ≥ x_min}",
    source=_MARTIN,
)
CORRELATION_TRAPS = Measure(
    key="weights/correlation_traps",
    label="eigenvalues of the shuffled matrix beyond the bulk",
    unit="values",
    low=0.0,
    tier=Tier.COSTLY,
    formula=formula_of(correlation_traps),
    source="Martin & Prakash 2026, arXiv:2602.02859",
    around="before generalization is lost again (arXiv:2602.02859)",
)


@gives(TAIL_EXPONENT, TAIL_COUNT, CORRELATION_TRAPS)
def heavy_tails(*, smallest: int = 16) -> MeasureFn:
    """Return the instrument of ``weights/tail_exponent``, ``tail_count`` and ``correlation_traps``.

    All by matrix. An exponent from fewer than some 50 eigenvalues in the tail is mostly noise.

    Args:
        smallest: Matrices with fewer rows or columns are left out.

    Source: each measure's own. Cost: two decompositions a matrix.

    >>> from torch import nn
    >>> list(heavy_tails()(StepContext(step=0, model=nn.Linear(16, 20))))
    ['weights/tail_exponent/weight', 'weights/tail_count/weight', 'weights/correlation_traps/weight']
    """

    def measure(context: StepContext) -> Mapping[str, Tensor]:
        # A tail needs three values.
        matrices = matrices_of(dict(context.model.named_parameters()), smallest=max(smallest, 3))
        values: dict[str, Tensor] = {}
        for (name, matrix), spectrum in zip(
            matrices.items(), singular_values(matrices.values()), strict=True
        ):
            tail = power_law_tail(spectrum.square())
            values[TAIL_EXPONENT.at(name)] = tail.alpha
            values[TAIL_COUNT.at(name)] = tail.count
            values[CORRELATION_TRAPS.at(name)] = correlation_traps(matrix, generator=fixed(context, 0))
        return values

    return measure
