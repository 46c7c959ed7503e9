"""A measure of your own: one function, and one line to register it.

python examples/own_measure.py, then: grokscope up
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from grokscope.collectors import Tracker
from grokscope.collectors.measures import StepContext, sharpness


def confusion(context: StepContext) -> Mapping[str, Tensor]:  # the function: a step in, scalars out
    """Return how often each of the most confused pair of classes is taken for the other."""
    seen = context.passes["test"]  # logits and targets of the pass that evaluate has made anyway
    classes = seen.logits.shape[1]
    pairs = seen.targets * classes + seen.logits.argmax(dim=1)
    table = torch.bincount(pairs, minlength=classes**2).view(classes, classes)
    return {"my/confusion": (table + table.T).fill_diagonal_(0).max() / len(seen.targets)}


def main() -> None:
    """Train a small classifier on noisy points around ten centres."""
    torch.manual_seed(0)
    centres = torch.randn(10, 16)
    targets = torch.arange(700) % 10
    points = centres[targets] + 0.7 * torch.randn(700, 16)
    train, test = (points[:500], targets[:500]), (points[500:], targets[500:])
    model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    measures = [confusion, sharpness()]  # the line: yours beside those that come along
    with Tracker(model, optimizer, experiment="examples", measures=measures) as tracker:
        for step in range(200):
            loss = cross_entropy(model(train[0]), train[1])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            tracker.log(step, {"train/batch_loss": loss})
            if tracker.due(step):
                tracker.evaluate(step, train=train, test=test)


if __name__ == "__main__":
    main()
