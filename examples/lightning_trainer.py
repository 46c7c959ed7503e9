"""grokscope in Lightning's Trainer: one callback.

python examples/lightning_trainer.py, then: grokscope up
"""

import lightning.pytorch as pl
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from grokscope.collectors.integrations.lightning import GrokscopeCallback

LR = 1e-2


class Classifier(pl.LightningModule):
    """A small classifier, as anyone writes it."""

    def __init__(self) -> None:
        """Make the layers."""
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 10))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits."""
        return self.layers(inputs)

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        """Return the loss of a batch."""
        return cross_entropy(self(batch[0]), batch[1])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return AdamW."""
        return torch.optim.AdamW(self.parameters(), lr=LR)


def points(n: int) -> tuple[Tensor, Tensor]:
    """Return noisy points around ten centres."""
    targets = torch.arange(n) % 10
    centres = torch.randn(10, 16, generator=torch.Generator().manual_seed(7))
    return centres[targets] + 0.5 * torch.randn(n, 16), targets


def main() -> None:
    """Train it."""
    pl.seed_everything(0, verbose=False)
    train, test = points(500), points(200)
    callback = GrokscopeCallback({"train": train, "test": test}, experiment="examples", config={"lr": LR})
    trainer = pl.Trainer(
        max_epochs=6, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, callbacks=[callback],
    )  # fmt: skip
    trainer.fit(Classifier(), DataLoader(TensorDataset(*train), batch_size=50))


if __name__ == "__main__":
    main()
