"""grokscope under code that already logs to MLflow: one line around it, nothing in it changes.

python examples/mlflow_drop_in.py, then: grokscope up
"""

import mlflow
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from grokscope.collectors.integrations.mlflow_metrics import spooled


def train() -> None:
    """Train and log, as such code stands in a thousand repositories."""
    torch.manual_seed(0)
    inputs, targets = torch.randn(200, 16), torch.arange(200) % 10
    model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    with mlflow.start_run(run_name="drop-in"):
        mlflow.log_params({"lr": 1e-2, "seed": 0})
        for step in range(200):
            logits = model(inputs)
            loss = cross_entropy(logits, targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            accuracy = (logits.argmax(dim=1) == targets).float().mean().item()
            mlflow.log_metrics({"train_loss": loss.item(), "train_acc": accuracy}, step=step)


def main() -> None:
    """Train with MLflow's metrics going through a spool."""
    mlflow.set_tracking_uri("sqlite:///mlflow.db")
    mlflow.set_experiment("examples")
    with spooled(mlflow):
        train()


if __name__ == "__main__":
    main()
