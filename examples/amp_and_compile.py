"""grokscope with torch.compile, autocast and a GradScaler: gradients are logged in their true size.

python examples/amp_and_compile.py, then: grokscope up
"""

from typing import cast

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from grokscope.collectors import Tracker


def points(n: int, device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Return noisy points around ten centres."""
    targets = torch.arange(n) % 10
    centres = torch.randn(10, 16, generator=torch.Generator().manual_seed(7))
    inputs = centres[targets] + 0.5 * torch.randn(n, 16)
    return inputs.to(device), targets.to(device)


def main() -> None:
    """Train a small classifier in half precision."""
    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    train, test = points(500, device), points(200, device)
    model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 10)).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    compiled = cast("nn.Module", torch.compile(model, backend="inductor" if device == "cuda" else "eager"))
    scaler = torch.amp.GradScaler(device)
    with Tracker(compiled, optimizer, experiment="examples", config={"group": "amp"}) as tracker:
        for step in range(60):
            with torch.autocast(device, dtype=torch.float16 if device == "cuda" else torch.bfloat16):
                loss = cross_entropy(compiled(train[0]), train[1])
            optimizer.zero_grad()
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)  # before the step, so that clipping and the tracker see true gradients
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            scaler.step(optimizer)
            scaler.update()
            tracker.log(step, {"train/batch_loss": loss})
            if tracker.due(step):
                tracker.evaluate(step, train=train, test=test)


if __name__ == "__main__":
    main()
