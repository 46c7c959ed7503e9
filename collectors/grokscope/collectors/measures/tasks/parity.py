"""Hidden progress on a sparse parity: what points to the secret bits long before the accuracy does."""

from collections.abc import Sequence

from torch import Tensor

from grokscope.collectors.tensors.predictions import widened
from grokscope.collectors.tensors.torch_stubs import vector_norm


def relevant_mass(weight: Tensor, relevant: Sequence[int]) -> Tensor:
    """Return the share of a first layer's squared weights that reads the relevant bits.

        Σ_{h, i ∈ S} w_hi² / Σ_hi w_hi²

    Args:
        weight: ``[h, n]``, a column a bit.
        relevant: S, the indices of the secret bits.

    Returns:
        Scalar tensor in [0, 1]: |S|/n for weights that favour none; no synchronisation.

    Raises:
        ValueError: If ``weight`` is no matrix, or an index is none of its columns or comes twice.

    Source: Merrill et al. 2023, arXiv:2303.11873. Cost: one pass over the weight.

    >>> import torch
    >>> relevant_mass(torch.tensor([[3.0, 0.0, 4.0]]), [2])
    tensor(0.6400)
    """
    if weight.ndim != 2:  # noqa: PLR2004 - units and bits
        raise ValueError(f"weight must be [h, n], a column a bit, got {list(weight.shape)}; flatten it")
    _check_bits(relevant, weight.shape[1])
    mass = widened(weight.detach()).square().sum(dim=0)
    return mass[list(relevant)].sum() / mass.sum()


def parity_correlation(outputs: Tensor, bits: Tensor, relevant: Sequence[int]) -> Tensor:
    """Return the normalised Fourier coefficient of the secret subset in the network's function.

        f̂(S) / ‖f‖ = E[f(x) χ_S(x)] / √E[f(x)²],  χ_S(x) = Π_{i ∈ S} x_i

    By Parseval its square is the share of f that is the parity: 1 when learned, about 1/√N for another f.

    Args:
        outputs: ``[N]``, f: the logit of one class less that of the other.
        bits: ``[N, n]`` of ±1, uniform.
        relevant: S, the indices of the secret bits.

    Returns:
        Scalar tensor in [-1, 1], no synchronisation; NaN if f is 0.

    Raises:
        ValueError: If shapes do not match, or an index is none of the bits or comes twice.

    Source: Barak et al. 2022, arXiv:2207.08799. Cost: two passes.

    >>> import torch
    >>> bits = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    >>> parity_correlation(2 * bits[:, 0] * bits[:, 1], bits, [0, 1])
    tensor(1.)
    """
    if bits.ndim != 2 or outputs.shape != bits.shape[:1]:  # noqa: PLR2004 - samples and bits
        raise ValueError(
            f"outputs must be [N] and bits [N, n], got {list(outputs.shape)} and {list(bits.shape)}; "
            "give one output a sample"
        )
    _check_bits(relevant, bits.shape[1])
    outputs = widened(outputs.detach())
    character = bits[:, list(relevant)].to(outputs).prod(dim=1)
    return (outputs @ character) / (len(outputs) ** 0.5 * vector_norm(outputs))


def _check_bits(relevant: Sequence[int], bits: int) -> None:
    if not relevant or len(set(relevant)) != len(relevant) or not set(relevant) <= set(range(bits)):
        raise ValueError(
            f"relevant must name different bits of 0..{bits - 1}, at least one, got {list(relevant)}; "
            "count bits from 0"
        )
