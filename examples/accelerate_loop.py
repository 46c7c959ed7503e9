"""grokscope with Hugging Face Accelerate, mixed precision and accumulated gradients.

python examples/accelerate_loop.py, then: grokscope up
"""

# Accelerate gives back what it was given, wrapped, without saying so in types:
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

import torch
from accelerate import Accelerator
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from grokscope.collectors import Tracker


def points(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return noisy points around ten centres."""
    targets = torch.arange(n) % 10
    centres = torch.randn(10, 16, generator=torch.Generator().manual_seed(7))
    return centres[targets] + 0.5 * torch.randn(n, 16), targets


def main() -> None:
    """Train a small classifier."""
    torch.manual_seed(0)
    train, test = points(480), points(200)
    accelerator = Accelerator(cpu=True, mixed_precision="bf16", gradient_accumulation_steps=2)
    model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    # The tracker gets the plain model and optimizer: those that Accelerate wraps next.
    with Tracker(model, optimizer, experiment="examples", config={"group": "accelerate"}) as tracker:
        loader = DataLoader(TensorDataset(*train), batch_size=40)
        model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
        step = 0
        for _ in range(8):
            for inputs, targets in loader:
                with accelerator.accumulate(model):
                    loss = cross_entropy(model(inputs), targets)
                    accelerator.backward(loss)
                    optimizer.step()
                    optimizer.zero_grad()
                if not accelerator.sync_gradients:
                    continue  # not a step of the optimizer yet
                step += 1
                tracker.log(step, {"train/batch_loss": loss})
                if tracker.due(step):
                    tracker.evaluate(step, train=train, test=test)


if __name__ == "__main__":
    main()
