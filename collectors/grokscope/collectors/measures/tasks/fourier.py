"""How few frequencies of the cyclic group carry a table indexed by residues."""

import torch
from torch import Tensor

from grokscope.collectors.measures.formulas import formula_of
from grokscope.collectors.tensors.predictions import widened
from grokscope.collectors.tensors.torch_stubs import fourier
from grokscope.schemas import Measure, Tier


def frequency_power(table: Tensor) -> Tensor:
    """Return the power of each frequency of a table over the residues modulo p, summed over columns.

        P_k = (2/p) Σ_d |Σ_a E_ad exp(-2πi k a / p)|²,  k = 1..⌊p/2⌋  (half that for k = p/2, p even)

    Frequencies k and p - k are one, and the mean, k = 0, is left out, so that Σ P_k = Σ_ad (E_ad - mean_d)².

    Args:
        table: ``[p, d]``, a row a residue: an embedding, or activations; p ≥ 2.

    Returns:
        ``[⌊p/2⌋]``, no synchronisation.

    Raises:
        ValueError: If the table is not two-dimensional, or p < 2.

    Source: Nanda et al. 2023, arXiv:2301.05217. Cost: d Fourier transforms of length p.

    >>> angle = 2 * torch.pi * torch.arange(7) / 7
    >>> frequency_power(torch.stack([angle.cos(), (3 * angle).sin()], dim=1)).round(decimals=4) + 0.0
    tensor([3.5000, 0.0000, 3.5000])
    """
    return _power(table).sum(dim=1)


def gini(shares: Tensor) -> Tensor:
    """Return the Gini coefficient of what is not negative: 0 all equal, towards 1 one has everything.

        G = Σ_i (2i - K - 1) x_(i) / (K Σ x),  x sorted rising

    Args:
        shares: ``[..., K]``, not negative.

    Returns:
        ``[...]`` in [0, 1 - 1/K], no synchronisation; NaN where all are 0.

    Source: definition. Cost: one sort.

    >>> gini(torch.tensor([[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 1.0]]))
    tensor([0.0000, 0.7500])
    """
    count = shares.shape[-1]
    rank = torch.arange(1, count + 1, device=shares.device, dtype=shares.dtype)
    ordered = shares.sort(dim=-1).values
    return ((2 * rank - count - 1) * ordered).sum(dim=-1) / (count * ordered.sum(dim=-1))


def top_share(shares: Tensor, *, count: int) -> Tensor:
    """Return the part of the whole that the ``count`` largest hold.

    Args:
        shares: ``[..., K]``, not negative.
        count: Of the largest; all if there are fewer.

    Returns:
        ``[...]`` in [0, 1], no synchronisation; NaN where all are 0.

    Source: definition. Cost: one sort.

    >>> top_share(torch.tensor([1.0, 5.0, 4.0]), count=2)
    tensor(0.9000)
    """
    return shares.topk(min(count, shares.shape[-1])).values.sum(dim=-1) / shares.sum(dim=-1)


def key_frequencies(shares: Tensor, *, above: float = 2.0) -> Tensor:
    """Return how many frequencies hold more than ``above`` times an equal share of the power.

    Args:
        shares: ``[K]`` power, not negative.
        above: In equal shares, 1/K of the whole.

    Returns:
        Scalar tensor, a count, no synchronisation.

    Source: Nanda et al. 2023, arXiv:2301.05217. Cost: one pass.

    >>> key_frequencies(torch.tensor([9.0, 1.0, 10.0, 1.0, 1.0]))
    tensor(2.)
    """
    return (shares * shares.shape[-1] > above * shares.sum()).sum().to(shares.dtype)


def inverse_participation(table: Tensor) -> Tensor:
    """Return the mean inverse participation ratio of the columns' frequencies: 1 is one frequency a column.

        IPR_d = Σ_k P_kd² / (Σ_k P_kd)²,  P_kd the power of column d at frequency k

    Args:
        table: ``[p, d]``, a row a residue, a column a unit.

    Returns:
        Scalar tensor in [1/⌊p/2⌋, 1], no synchronisation: the mean over units that are not constant, NaN if
        all are.

    Raises:
        ValueError: If the table is not two-dimensional, or p < 2.

    Source: Doshi et al. 2023, arXiv:2310.13061, with r = 2. Cost: d Fourier transforms of length p.

    >>> angle = 2 * torch.pi * torch.arange(7) / 7
    >>> inverse_participation(torch.stack([angle.cos(), angle.cos() + (2 * angle).cos()], dim=1))
    tensor(0.7500)
    """
    power = _power(table)
    total = power.sum(dim=0)
    # A constant column leaves only rounding behind, which is no frequency.
    varies = total > 1e-12 * widened(table.detach()).square().sum(dim=0)
    ratio = power.square().sum(dim=0) / torch.where(varies, total, 1).square()
    return torch.where(varies, ratio, 0).sum() / varies.sum()


def parallelogram_share(
    table: Tensor, *, generator: torch.Generator, is_cyclic: bool = True, draws: int = 4096
) -> Tensor:
    """Return the representation quality of an embedding of numbers: the share of parallelograms that close.

        RQI = share of quadruples i + j = m + n with ‖E_i + E_j - E_m - E_n‖² < 0.01 · 4 · mean ‖E - Ē‖²

    The bound is a tenth, in length, of what four rows drawn at random leave. Numbers on a line close all
    of them. Points on a circle close few, since there sums agree in direction but not in length: of a network
    that adds modulo p, expect ``sum_share`` and ``gini`` to tell more.

    Args:
        table: ``[p, d]``, a row a number.
        generator: On the table's device; the global random state is left alone.
        is_cyclic: Whether sums are taken modulo p.
        draws: Quadruples drawn; those of one pair twice, which always close, are left out.

    Returns:
        Scalar tensor in [0, 1], no synchronisation.

    Raises:
        ValueError: If the table is not two-dimensional, or p < 4.

    Source: Liu et al. 2022, arXiv:2205.10343. Cost: ``draws`` rows.

    >>> line = torch.arange(8.0).unsqueeze(1)
    >>> parallelogram_share(line, generator=torch.Generator(), is_cyclic=False)
    tensor(1.)
    """
    table = _checked(table)
    size = len(table)
    if size < 4:  # noqa: PLR2004 - two pairs
        raise ValueError(f"parallelograms need at least 4 numbers, got {size}; use a larger table")
    i, j, m = torch.randint(0, size, (3, draws), generator=generator, device=table.device)
    n = i + j - m
    is_proper = (m != i) & (m != j) & (is_cyclic | ((n >= 0) & (n < size)))
    gap = (table[i] + table[j] - table[m] - table[n % size]).square().sum(dim=1)
    scale = 4 * (table - table.mean(dim=0)).square().sum(dim=1).mean()
    return ((gap < 0.01 * scale) & is_proper).sum() / is_proper.sum()


def _checked(table: Tensor) -> Tensor:
    if table.ndim != 2 or len(table) < 2:  # noqa: PLR2004 - residues and columns
        raise ValueError(
            f"table must be [p, d] with p at least 2, got {list(table.shape)}; give a row a residue"
        )
    return widened(table.detach())


def _power(table: Tensor) -> Tensor:
    """Return the power ``[⌊p/2⌋, d]`` of each frequency in each column."""
    table = _checked(table)
    size = len(table)
    power = fourier(table)[1:].abs().square() * (2 / size)
    if size % 2 == 0:
        power = torch.cat([power[:-1], power[-1:] / 2])
    return power


_NANDA = "Nanda et al. 2023, arXiv:2301.05217"

FOURIER_GINI = Measure(
    key="task/fourier_gini",
    label="Gini of the embedding's frequencies",
    unit="1",
    low=0.0,
    high=1.0,
    tier=Tier.CHEAP,
    formula=formula_of(gini),
    source=_NANDA,
    around="leads by .11 (measured here)",
)
FOURIER_TOP_SHARE = Measure(
    key="task/fourier_top_share",
    label="power of the embedding's key frequencies",
    unit="1",
    low=0.0,
    high=1.0,
    tier=Tier.CHEAP,
    formula="Σ of the largest P_k / Σ_k P_k",
    source=_NANDA,
)
KEY_FREQUENCIES = Measure(
    key="task/key_frequencies",
    label="frequencies above twice an equal share",
    unit="frequencies",
    low=0.0,
    tier=Tier.CHEAP,
    formula="#{k : P_k > 2 · mean P}",
    source=_NANDA,
)
FREQUENCY_IPR = Measure(
    key="task/frequency_ipr",
    label="inverse participation of the units' frequencies",
    unit="1",
    low=0.0,
    high=1.0,
    tier=Tier.CHEAP,
    formula=formula_of(inverse_participation),
    source="Doshi et al. 2023, arXiv:2310.13061",
)
PARALLELOGRAM_SHARE = Measure(
    key="task/parallelogram_share",
    label="embedding parallelograms that close (RQI)",
    unit="1",
    low=0.0,
    high=1.0,
    tier=Tier.CHEAP,
    formula=formula_of(parallelogram_share),
    source="Liu et al. 2022, arXiv:2205.10343",
    around="leads or with accuracy (arXiv:2205.10343)",
)
