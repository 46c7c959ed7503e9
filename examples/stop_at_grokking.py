"""Stop training once generalization is confirmed: a live detector in a plain loop, with lines to add marked.

python examples/stop_at_grokking.py, then: grokscope up
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from grokscope.collectors import Tracker
from grokscope.schemas import Status
from grokscope.transitions import LiveDetector  # 1

P, MOST_STEPS = 31, 4000


class AdditionMLP(nn.Module):
    """Logits of a + b modulo P for pairs of residues."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(P, 48)
        self.hidden = nn.Linear(96, 128)
        self.output = nn.Linear(128, P, bias=False)

    def forward(self, pairs: Tensor) -> Tensor:
        """Return the logits [N, P] of pairs [N, 2]."""
        return self.output(torch.relu(self.hidden(self.embedding(pairs).flatten(1))))


def main() -> None:
    """Train until the model has generalized, not a step longer than it takes to be sure."""
    torch.manual_seed(0)
    pairs = torch.cartesian_prod(torch.arange(P), torch.arange(P))[torch.randperm(P**2)]
    sums, half = pairs.sum(1) % P, int(0.6 * P**2)
    train, test = (pairs[:half], sums[:half]), (pairs[half:], sums[half:])
    model = AdditionMLP()
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=1.0, betas=(0.9, 0.98))
    detector = LiveDetector(alpha=0.01)  # 2: at most one run in a hundred is suspected for nothing
    config = {"group": "stop at grokking", "seed": 0, "planned_steps": MOST_STEPS}
    with Tracker(model, optimizer, experiment="examples", config=config, detector=detector) as tracker:  # 3
        for step in range(MOST_STEPS):
            loss = cross_entropy(model(train[0]), train[1])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            tracker.log(step, {"train/batch_loss": loss})
            if tracker.due(step):
                tracker.evaluate(step, train=train, test=test)
                if detector.status is Status.CONFIRMED:  # 4
                    break
    for event in tracker.events:  # 5
        print(f"{event.kind} {event.status} at step {event.step} [{event.low}, {event.high}]")
    print(f"stopped at step {step} of {MOST_STEPS}")


if __name__ == "__main__":
    main()
