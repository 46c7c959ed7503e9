"""What attention heads look at, from their patterns ``A[..., T, T]``: rows are queries and sum to 1."""

from collections.abc import Mapping

import torch
from torch import Tensor

from grokscope.collectors.evaluating.preserved_state import device_of
from grokscope.collectors.measures.attention.patterns import Attention, patterns_of
from grokscope.collectors.measures.formulas import formula_of
from grokscope.collectors.measures.instrument import MeasureFn, StepContext, Use, gives
from grokscope.collectors.measures.probing import first_inputs
from grokscope.collectors.tensors.predictions import widened
from grokscope.collectors.tensors.torch_stubs import entropy_terms
from grokscope.schemas import Measure, Tier


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


_OLSSON = "Olsson et al. 2022, arXiv:2209.11895"

ENTROPY = Measure(
    key="attention/entropy",
    label="entropy of attention",
    unit="nats",
    low=0.0,
    tier=Tier.CHEAP,
    formula=formula_of(attention_entropy),
    source="Zhai et al. 2023, arXiv:2303.06296",
)
PREVIOUS_TOKEN = Measure(
    key="attention/previous_token",
    label="attention to the token before",
    unit="1",
    low=0.0,
    high=1.0,
    tier=Tier.CHEAP,
    formula="mean over t ≥ 1 of A_{t,t-1}",
    source=_OLSSON,
)
PREFIX_MATCHING = Measure(
    key="attention/prefix_matching",
    label="attention to what followed the same token",
    unit="1",
    low=0.0,
    high=1.0,
    tier=Tier.CHEAP,
    formula=formula_of(prefix_matching_score),
    source=_OLSSON,
    around="with accuracy, within 50 steps (measured here)",
)


def repeated_tokens(vocabulary: int, *, sequences: int = 16, length: int = 64, seed: int = 0) -> Tensor:
    """Return random sequences, each a random segment over and over; the segments differ in length.

    What ``prefix_matching`` is measured on: a fixed length would let a head copy by counting positions.

    Args:
        vocabulary: Tokens are drawn from 0..vocabulary-1.
        sequences: B.
        length: T ≥ 4; segments are from a quarter to half of it.
        seed: Of the draw.

    Source: Olsson et al. 2022, arXiv:2209.11895. Cost: none to speak of.

    >>> repeated_tokens(50, sequences=2, length=8).shape
    torch.Size([2, 8])
    """
    generator = torch.Generator().manual_seed(seed)
    rows: list[Tensor] = []
    for _ in range(sequences):
        period = int(torch.randint(length // 4, length // 2 + 1, (), generator=generator))
        segment = torch.randint(0, vocabulary, (period,), generator=generator)
        rows.append(segment.repeat(-(-length // period))[:length])
    return torch.stack(rows)


@gives(ENTROPY, PREVIOUS_TOKEN, PREFIX_MATCHING, use=Use.NAMED)
def attention_heads(
    *,
    tokens: Tensor | None = None,
    attention: Attention | None = None,
    split: str = "test",
    samples: int = 32,
) -> MeasureFn:
    """Return the instrument of attention scores: the best head's, and each head's under ``<layer>.<head>``.

    ``attention/previous_token`` and ``prefix_matching`` come as their largest over heads and by head,
    ``attention/entropy`` as its mean over heads and by head.

    Args:
        tokens: ``[B, T]`` to measure on, best from ``repeated_tokens``; else the first of ``split``.
        attention: Gives the patterns ``[layers, B, H, T, T]`` of a model; by default those that the model
            itself can be asked for, see ``patterns_of``.
        split: Measured without ``tokens``.
        samples: Likewise, at most.

    Source: Olsson et al. 2022, arXiv:2209.11895. Cost: one forward pass with patterns kept.

    >>> uniform = lambda model, tokens: torch.full((1, 1, 1, 4, 4), 0.25)
    >>> heads = attention_heads(tokens=torch.tensor([[1, 2, 1, 2]]), attention=uniform)
    >>> heads(StepContext(step=0, model=torch.nn.ReLU()))["attention/prefix_matching"]
    tensor(0.2500)
    """
    ask = attention or patterns_of

    def measure(context: StepContext) -> Mapping[str, Tensor]:
        found = (tokens,) if tokens is not None else first_inputs(context, split=split, samples=samples)
        if found is None:
            return {}
        read = found[0].to(device_of(context.model))
        seen = ask(context.model, read)
        scores = {
            ENTROPY: attention_entropy(seen),
            PREVIOUS_TOKEN: previous_token_score(seen),
            PREFIX_MATCHING: prefix_matching_score(seen, read),
        }
        values = {one.key: s.mean() if one is ENTROPY else s.amax() for one, s in scores.items()}
        return values | {
            one.at(f"{layer}.{head}"): value
            for one, by_layer in scores.items()
            for layer, by_head in enumerate(by_layer)
            for head, value in enumerate(by_head)
        }

    return measure
