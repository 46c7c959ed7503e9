"""A loss of the user's own, where nothing else can be said of outputs and targets."""

import pytest
import torch
from torch import nn
from torch.nn.functional import normalize
from torch.utils.data import DataLoader, TensorDataset

from grokscope.collectors import Measuring, Tracker
from grokscope.collectors.testing import MemorySink

X = torch.randn(12, 4, generator=torch.Generator().manual_seed(0))
IDENTITIES = torch.arange(12) // 2


class Complex(nn.Module):
    """Makes complex numbers of real ones."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(4, 3, dtype=torch.complex64)

    def forward(self, x):
        return self.head(x.to(torch.complex64))


def pairs(embedding, identities):
    """Return a contrastive loss an example."""
    unit = normalize(embedding)
    likeness = (unit @ unit.T).fill_diagonal_(-1e4).log_softmax(-1)
    same = (identities[:, None] == identities).fill_diagonal_(0)
    return -(likeness * same).sum(-1)


def evaluated(model, data, loss):
    tracker = Tracker(model, experiment="e", sink=MemorySink(), measuring=Measuring(loss=loss))
    values = tracker.evaluate(0, train=data)
    return {key: value for key, value in values.items() if key.startswith("train/")}


def test_indices_that_are_no_classes_have_their_loss_alone_and_that_is_said_once(capsys):
    model = nn.Linear(4, 3)
    values = evaluated(model, (X, IDENTITIES), pairs)
    by_hand = pairs(model(X).detach(), IDENTITIES).mean().item()
    assert values == pytest.approx({"train/loss": by_hand}, rel=1e-5)
    said = capsys.readouterr().err
    assert "of the split 'train' only the loss is logged, as Measuring(loss=...) computes it: targets" in said
    assert said.count("\n") == 1


def test_the_first_batch_need_not_tell_that_they_are_none():
    loader = DataLoader(TensorDataset(X, IDENTITIES), batch_size=4)
    model = nn.Linear(4, 3)
    values = evaluated(model, loader, pairs)
    by_hand = torch.stack([pairs(model(x).detach(), y).mean() for x, y in loader]).mean().item()
    assert values == pytest.approx({"train/loss": by_hand}, rel=1e-5)


def test_complex_outputs_have_their_loss_alone(capsys):
    model, targets = Complex(), torch.complex(X[:, :3], X[:, 1:])
    values = evaluated(model, (X, targets), lambda z, y: (z - y).abs())
    assert values == pytest.approx({"train/loss": (model(X) - targets).abs().mean().item()}, rel=1e-5)
    assert capsys.readouterr().err == ""
