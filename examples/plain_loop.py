"""grokscope in a training loop of your own: the lines with a comment are all there is to add.

python examples/plain_loop.py, then: grokscope up
"""

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from grokscope.collectors import Tracker  # 1


def digits(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a toy problem: noisy points around ten centres."""
    targets = torch.arange(n) % 10
    centres = torch.randn(10, 16, generator=torch.Generator().manual_seed(7))
    return centres[targets] + 0.5 * torch.randn(n, 16), targets


def main() -> None:
    """Train a small classifier."""
    torch.manual_seed(0)
    train, test = digits(500), digits(200)
    model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    config = {"group": "plain loop", "seed": 0, "lr": 1e-3}
    with Tracker(model, optimizer, experiment="examples", config=config) as tracker:  # 2
        for step in range(200):
            loss = cross_entropy(model(train[0]), train[1])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            tracker.log(step, {"train/batch_loss": loss})  # 3
            if tracker.due(step):  # 4
                tracker.evaluate(step, train=train, test=test)  # 5


if __name__ == "__main__":
    main()
