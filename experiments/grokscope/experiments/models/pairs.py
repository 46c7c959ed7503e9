"""Networks that read pairs of the same few values."""

import torch
from torch import Tensor, nn


class PairsMLP(nn.Module):
    """Logits [N, v] for pairs [N, 2] of v values, through one embedding and one hidden layer of ReLU.

    Args:
        values: How many values there are; as many are the logits.
        width: Of the embedding that both places share.
        hidden: Units of the hidden layer, which reads each place by weights of its own.

    >>> PairsMLP(5, 8, 16)(torch.tensor([[0, 1], [4, 4]])).shape
    torch.Size([2, 5])
    """

    def __init__(self, values: int, width: int, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(values, width)
        self.left = nn.Linear(width, hidden, bias=False)
        self.right = nn.Linear(width, hidden, bias=False)
        self.output = nn.Linear(hidden, values, bias=False)
        for layer in (self.embedding, self.left, self.right, self.output):
            nn.init.normal_(layer.weight, std=layer.weight.shape[1] ** -0.5)

    def forward(self, pairs: Tensor) -> Tensor:
        """Return the logits of each pair's result."""
        # Both places take few values: transform the embeddings once and look the results up.
        left, right = self.left(self.embedding.weight), self.right(self.embedding.weight)
        return self.output(torch.relu(left[pairs[:, 0]] + right[pairs[:, 1]]))
