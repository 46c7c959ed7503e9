"""Lightning with several optimizers, stepped by hand: gradients and updates of all of them, at their step."""

from itertools import pairwise

import lightning.pytorch as pl
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.utils.data import DataLoader, TensorDataset

from grokscope.collectors.evaluating.schedule import every, log_spaced
from grokscope.collectors.integrations.lightning import GrokscopeCallback
from grokscope.collectors.testing import MemorySink

pytestmark = pytest.mark.filterwarnings(
    "ignore::lightning.fabric.utilities.warnings.PossibleUserWarning", "ignore:.*LeafSpec:FutureWarning"
)

REAL = torch.linspace(-1, 1, 240).reshape(120, 2)
RATES = {"critic": 0.2, "generator": 0.1}


class Players(pl.LightningModule):
    """A generator against a critic, which note by themselves what each of their steps did."""

    def __init__(self, every_nth: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.automatic_optimization = False
        self.every_nth = every_nth
        self.critic, self.generator = nn.Linear(2, 1), nn.Linear(2, 2)
        self.by_hand: dict[int, dict[str, float]] = {}

    def forward(self, inputs: Tensor) -> Tensor:
        return self.critic(inputs)

    def training_step(self, batch: tuple[Tensor], index: int) -> None:
        of_critic, of_generator = self.optimizers()
        said = [self(batch[0]), self(self.generator(torch.ones_like(batch[0])).detach())]
        loss = sum(
            binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))
            for logits, label in zip(said, (1.0, 0.0), strict=True)
        )
        parts = [self.stepped(of_critic, loss, self.critic)]
        if index % self.every_nth == self.every_nth - 1:
            logits = self(self.generator(torch.ones_like(batch[0])))
            loss = binary_cross_entropy_with_logits(logits, torch.ones_like(logits))
            parts.append(self.stepped(of_generator, loss, self.generator))
        gradient, change, before = (torch.cat(part).norm().item() for part in zip(*parts, strict=True))
        self.by_hand[self.global_step] = {"gradients/norm": gradient, "updates/ratio": change / before}

    def stepped(self, optimizer, loss: Tensor, player: nn.Module) -> list[Tensor]:
        optimizer.zero_grad()
        self.manual_backward(loss)
        gradient, before = flat(p.grad for p in player.parameters()), flat(player.parameters())
        optimizer.step()
        return [gradient, flat(player.parameters()) - before, before]

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        return [
            torch.optim.SGD(getattr(self, name).parameters(), lr=rate, momentum=0.5)
            for name, rate in RATES.items()
        ]


def flat(tensors) -> Tensor:
    return torch.cat([one.detach().flatten() for one in tensors]).clone()


def fitted(every_nth: int, **options: object) -> tuple[Players, dict[str, dict[int, float]]]:
    sink, module = MemorySink(), Players(every_nth)
    splits = {"test": (REAL[:4], torch.tensor([[0.0], [1.0], [0.0], [1.0]]))}
    callback = GrokscopeCallback(splits, experiment="e", sink=sink, **options)
    trainer = pl.Trainer(
        max_epochs=2, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, callbacks=[callback],
    )  # fmt: skip
    trainer.fit(module, DataLoader(TensorDataset(REAL), batch_size=10))
    curves: dict[str, dict[int, float]] = {}
    for step, key, value in sink.rows():
        assert curves.setdefault(key, {}).setdefault(step, value) == value, (step, key)
    return module, curves


@pytest.mark.parametrize("every_nth", [1, 3])
def test_what_all_optimizers_did_in_a_batch_is_measured_as_one_step(every_nth):
    module, curves = fitted(every_nth)
    due, steps = log_spaced(32), curves["test/loss"].keys()
    for before, step in pairwise([0, *module.by_hand]):
        assert step in steps or not any(map(due, range(before + 1, step + 1)))
    for key in ("gradients/norm", "updates/ratio"):
        expected = {step: module.by_hand[step][key] for step in steps}
        assert curves[key] == pytest.approx(expected, rel=1e-4), key
    for i, rate in enumerate(RATES.values()):
        rates = curves[f"updates/learning_rate/group:group_{i}"]
        assert rates == pytest.approx(dict.fromkeys(steps, rate))


def test_a_due_step_within_a_batch_is_measured_at_its_end():
    module, curves = fitted(1, schedule=every(5))
    assert list(module.by_hand) == list(range(2, 50, 2))
    measured = [6, 10, 16, 20, 26, 30, 36, 40, 46]  # of 5, 10, 15, ...
    assert list(curves["test/loss"]) == measured
    expected = {step: module.by_hand[step]["gradients/norm"] for step in measured}
    assert curves["gradients/norm"] == pytest.approx(expected, rel=1e-4)
