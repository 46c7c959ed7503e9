"""A small decoder-only transformer."""

from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention


def _of_heads(hidden: Tensor, heads: int) -> Tensor:
    count, length, width = hidden.shape
    return hidden.view(count, length, heads, width // heads).transpose(1, 2)


class Attention(nn.Module):
    """Causal self-attention with several heads, [N, T, d] to [N, T, d], or [N, 1, d] at the last position.

    Raises:
        ValueError: If ``heads`` does not divide ``width``.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"heads divides the width, {width}, got {heads}")
        self.heads = heads
        self.query = nn.Linear(width, width, bias=False)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width, bias=False)
        self.mix = nn.Linear(width, width, bias=False)

    def forward(self, hidden: Tensor, *, is_last_only: bool = False) -> Tensor:
        """Return what each position, or the last alone, gathers from those up to it."""
        asking = hidden[:, -1:] if is_last_only else hidden
        query, key, value = (
            _of_heads(x, self.heads) for x in (self.query(asking), self.key(hidden), self.value(hidden))
        )
        gathered = scaled_dot_product_attention(query, key, value, is_causal=not is_last_only)
        return self.mix(gathered.transpose(1, 2).flatten(2))

    def pattern(self, hidden: Tensor) -> Tensor:
        """Return how much each position attends to each, [N, H, T, T]; rows are queries and sum to 1."""
        query, key = _of_heads(self.query(hidden), self.heads), _of_heads(self.key(hidden), self.heads)
        scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5
        later = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).triu(1)
        return scores.masked_fill(later, float("-inf")).softmax(dim=-1)


class Block(nn.Module):
    """Attention, then an MLP if it has one, each added to the residual stream."""

    def __init__(self, width: int, heads: int, mlp: int, *, has_norm: bool) -> None:
        super().__init__()
        self.attention = Attention(width, heads)
        self.norms = nn.ModuleList(nn.LayerNorm(width) if has_norm else nn.Identity() for _ in range(2))
        self.mlp = nn.Sequential(nn.Linear(width, mlp), nn.ReLU(), nn.Linear(mlp, width)) if mlp else None

    def forward(self, hidden: Tensor, *, is_last_only: bool = False) -> Tensor:
        """Return the residual stream after the block, of the last position alone where only that is asked."""
        gathered = self.attention(self.norms[0](hidden), is_last_only=is_last_only)
        hidden = (hidden[:, -1:] if is_last_only else hidden) + gathered
        return hidden if self.mlp is None else hidden + self.mlp(self.norms[1](hidden))


class Transformer(nn.Module):
    """Logits for tokens: [N, T] to [N, T, C], or to [N, C] at the last position.

    Args:
        tokens: Size of the vocabulary.
        classes: Number of logits; ``None`` for the vocabulary's.
        context: Longest sequence.
        width: Of the residual stream.
        heads: A layer; divides ``width``.
        layers: Blocks.
        mlp: Hidden units of each block's MLP; 0 leaves it out.
        has_norm: Whether layers are normalized first.
        is_last_only: Whether only the last position's logits are computed, which saves much.

    >>> Transformer(tokens=5, context=3)(torch.zeros(2, 3, dtype=torch.int64)).shape
    torch.Size([2, 3, 5])
    """

    def __init__(  # noqa: PLR0913 - keyword-only sizes of one model
        self,
        *,
        tokens: int,
        context: int,
        classes: int | None = None,
        width: int = 64,
        heads: int = 4,
        layers: int = 1,
        mlp: int = 0,
        has_norm: bool = False,
        is_last_only: bool = False,
    ) -> None:
        super().__init__()
        self.is_last_only = is_last_only
        self.embedding = nn.Embedding(tokens, width)
        self.positions = nn.Embedding(context, width)
        self.blocks = nn.ModuleList(Block(width, heads, mlp, has_norm=has_norm) for _ in range(layers))
        self.norm = nn.LayerNorm(width) if has_norm else nn.Identity()
        self.output = nn.Linear(width, classes or tokens, bias=False)
        for embedding in (self.embedding, self.positions):
            nn.init.normal_(embedding.weight, std=width**-0.5)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the logits."""
        hidden = self._embedded(tokens)
        for place, block in enumerate(self.blocks, 1):
            hidden = block(hidden, is_last_only=self.is_last_only and place == len(self.blocks))
        logits = self.output(self.norm(hidden))
        return logits[:, 0] if self.is_last_only else logits

    def patterns(self, tokens: Tensor) -> Tensor:
        """Return how much each head attends to what, [layers, N, H, T, T]."""
        hidden, found = self._embedded(tokens), list[Tensor]()
        for block in cast("Iterable[Block]", self.blocks):
            found.append(block.attention.pattern(block.norms[0](hidden)))
            hidden = block(hidden)
        return torch.stack(found)

    def _embedded(self, tokens: Tensor) -> Tensor:
        places = torch.arange(tokens.shape[1], device=tokens.device)
        return self.embedding(tokens) + self.positions(places)


def attention_patterns(model: nn.Module, tokens: Tensor) -> Tensor:
    """Return the patterns of a transformer for ``attention_heads(attention=...)``, [layers, N, H, T, T].

    Raises:
        TypeError: If the model is another one.

    >>> model = Transformer(tokens=5, context=3, heads=2)
    >>> attention_patterns(model, torch.zeros(1, 3, dtype=torch.int64)).shape
    torch.Size([1, 1, 2, 3, 3])
    """
    if not isinstance(model, Transformer):
        raise TypeError(f"attention_patterns reads a Transformer, got a {type(model).__name__}")
    return model.patterns(tokens)
