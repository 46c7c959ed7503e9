"""Multilayer perceptrons."""

from itertools import pairwise

from torch import Tensor, nn


class MLP(nn.Module):
    """Logits [N, C] for vectors [N, d] through ReLU layers.

    Args:
        widths: Of the inputs, the hidden layers and the logits.
        scale: Multiplies torch's initial weights and biases.

    >>> import torch
    >>> MLP(4, 8, 3)(torch.zeros(2, 4)).shape
    torch.Size([2, 3])
    """

    def __init__(self, *widths: int, scale: float = 1.0) -> None:
        super().__init__()
        *hidden, last = (nn.Linear(a, b) for a, b in pairwise(widths))
        self.hidden = nn.ModuleList(hidden)
        self.output = last
        for parameter in self.parameters():
            parameter.data *= scale

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the logits."""
        for layer in self.hidden:
            inputs = layer(inputs).relu()
        return self.output(inputs)
