"""What attention heads look at, from their patterns ``A[..., T, T]``: rows are queries and sum to 1."""

import torch
from torch import Tensor

from grokscope.collectors.tensors.predictions import widened
from grokscope.collectors.tensors.torch_stubs import entropy_terms


def attention_entropy(patterns: Tensor) -> Tensor:
    """Return the mean entropy of a head's rows: 0 looks at one position, log T at all alike.

        (1/T) Σ_t -Σ_s A_ts log A_ts

    Args:
        patterns: ``[..., B, H, T, S]``, non-negative, rows summing to 1.

    Returns:
        ``[..., H]`` in nats, averaged over batch and queries, no synchronisation; NaN with NaN.

    Raises:
        ValueError: If ``patterns`` has fewer than four dimensions.

    Source: Zhai et al. 2023, arXiv:2303.06296. Cost: one pass over the patterns.

    >>> attention_entropy(torch.full((1, 1, 4, 4), 0.25))
    tensor([1.3863])
    """
    return entropy_terms(_checked(patterns)).sum(dim=-1).mean(dim=(-3, -1))


def previous_token_score(patterns: Tensor) -> Tensor:
    """Return how much of a head's attention goes to the token before: mean of A_{t,t-1} over t ≥ 1.

    Args:
        patterns: ``[..., B, H, T, T]``, T ≥ 2.

    Returns:
        ``[..., H]`` in [0, 1], averaged over batch and queries, no synchronisation; NaN with NaN.

    Raises:
        ValueError: If ``patterns`` has fewer than four dimensions, or is not square with T ≥ 2.

    Source: Olsson et al. 2022, arXiv:2209.11895. Cost: one diagonal of the patterns.

    >>> previous_token_score(torch.diag(torch.ones(3), -1).expand(1, 1, 4, 4))
    tensor([1.])
    """
    _square(patterns)
    return widened(patterns.detach()).diagonal(-1, -2, -1).mean(dim=(-3, -1))


def prefix_matching_score(patterns: Tensor, tokens: Tensor) -> Tensor:
    """Return how much of a head's attention goes to what followed earlier occurrences of the present token.

        mean over t of Σ_{s < t, x_s = x_t} A_{t,s+1},  over the t whose token occurred before

    Measure it on random sequences repeated after a varying length: with a fixed one, a head that counts
    positions can copy without matching anything.

    Args:
        patterns: ``[..., B, H, T, T]``.
        tokens: ``[B, T]`` integers.

    Returns:
        ``[..., H]`` in [0, 1], no synchronisation; NaN if no token occurs twice, or with NaN.

    Raises:
        ValueError: If shapes do not match.

    Source: induction heads, Olsson et al. 2022, arXiv:2209.11895. Cost: one product with the patterns.

    >>> tokens = torch.tensor([[5, 7, 5]])
    >>> pattern = torch.tensor([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.1, 0.8, 0.1]])
    >>> prefix_matching_score(pattern.expand(1, 1, 3, 3), tokens)
    tensor([0.8000])
    """
    _square(patterns)
    length = patterns.shape[-1]
    if tokens.shape != (patterns.shape[-4], length):
        raise ValueError(
            f"tokens must be [B, T] of the patterns' batch and length, got {list(tokens.shape)} for patterns "
            f"{list(patterns.shape)}"
        )
    same = (tokens.unsqueeze(2) == tokens.unsqueeze(1)).tril(-1)
    followed = torch.nn.functional.pad(same[..., :-1], (1, 0)).to(widened(patterns[:0]).dtype)
    mass = torch.einsum("...bhts,bts->...h", widened(patterns.detach()), followed)
    return mass / same.any(dim=-1).sum()


def _checked(patterns: Tensor) -> Tensor:
    if patterns.ndim < 4 or not patterns.numel():  # noqa: PLR2004 - batch, head, query, key
        raise ValueError(f"patterns must be [..., B, H, T, S] and not empty, got {list(patterns.shape)}")
    return widened(patterns.detach())


def _square(patterns: Tensor) -> None:
    if patterns.ndim < 4 or patterns.shape[-1] != patterns.shape[-2] or patterns.shape[-1] < 2:  # noqa: PLR2004
        raise ValueError(
            f"patterns must be [..., B, H, T, T] with T at least 2, got {list(patterns.shape)}; "
            "self-attention over the whole sequence is needed"
        )
