"""A transformer that reads examples of a function and predicts its value at one more input."""

from collections.abc import Iterable
from typing import cast

from torch import Tensor, nn

from grokscope.experiments.models.transformer import Block


class InContextRegressor(nn.Module):
    """Predictions [N, 1] from sequences of vectors [N, T, D], the last of which is what is asked.

    Without embeddings of positions: the examples are a set, and may be more than in training.

    Args:
        inputs: D, what is told of each example.
        width: Of the residual stream.
        heads: A layer; divides ``width``.
        layers: Blocks.
        mlp: Hidden units of each block's MLP.

    >>> import torch
    >>> InContextRegressor(inputs=5)(torch.zeros(2, 9, 5)).shape
    torch.Size([2, 1])
    """

    def __init__(
        self, *, inputs: int, width: int = 64, heads: int = 4, layers: int = 2, mlp: int = 128
    ) -> None:
        super().__init__()
        self.read = nn.Linear(inputs, width)
        self.blocks = nn.ModuleList(Block(width, heads, mlp, has_norm=True) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.output = nn.Linear(width, 1)

    def forward(self, examples: Tensor) -> Tensor:
        """Return the predictions."""
        hidden = self.read(examples)
        for place, block in enumerate(cast("Iterable[Block]", self.blocks), 1):
            hidden = block(hidden, is_last_only=place == len(self.blocks))
        return self.output(self.norm(hidden))[:, 0]
