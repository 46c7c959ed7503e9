"""The instruments of modular addition and sparse parity on models whose answer is known."""

import math
from collections import OrderedDict

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from grokscope.collectors.evaluating.preserved_state import preserved_state
from grokscope.collectors.measures import sparse_parity
from grokscope.collectors.measures.instrument import StepContext
from grokscope.collectors.measures.tasks.modular_addition import modular_addition
from grokscope.collectors.measures.tasks.sums import (
    restricted_and_excluded,
    sum_frequencies,
    sum_parts,
    table_loss,
)

P = 11


class Clock(nn.Module):
    """The known solution: rotations by a and b, multiplied; logits cos(w_k (a + b - c))."""

    def __init__(self, keys=(2, 5), *, sequence=False):
        super().__init__()
        angle = 2 * torch.pi * torch.arange(P).unsqueeze(1) * torch.tensor(keys) / P
        self.embedding = nn.Embedding(P + 1, 2 * len(keys))
        self.embedding.weight.data[:P] = torch.cat([angle.cos(), angle.sin()], dim=1)
        self.output = nn.Linear(2 * len(keys), P, bias=False)
        self.output.weight.data = 5 * torch.cat([angle.cos(), angle.sin()], dim=1)
        self.sequence = sequence

    def forward(self, pairs):
        rows = self.embedding(pairs)
        (cos_a, sin_a), (cos_b, sin_b) = (rows[:, i].chunk(2, dim=-1) for i in (0, 1))
        turned = torch.cat([cos_a * cos_b - sin_a * sin_b, sin_a * cos_b + cos_a * sin_b], dim=-1)
        logits = self.output(turned if not self.sequence else turned.unsqueeze(1).expand(-1, 3, -1))
        return logits * torch.tensor([0.0, 0.0, 1.0]).view(1, 3, 1) if self.sequence else logits


def pairs():
    return torch.cartesian_prod(torch.arange(P), torch.arange(P))


def read(instrument, model, **splits):
    with preserved_state(model):
        return {k: float(v) for k, v in instrument(StepContext(step=0, model=model, splits=splits)).items()}


def test_the_known_solution_is_recognised():
    values = read(modular_addition(p=P, keys=2), Clock(), train=(pairs()[::3], pairs()[::3].sum(dim=1) % P))
    angle = 2 * torch.pi * (pairs().sum(dim=1).unsqueeze(1) - torch.arange(P)) / P
    logits = 5 * (torch.cos(2 * angle) + torch.cos(5 * angle))
    loss = nn.functional.cross_entropy(logits, pairs().sum(dim=1) % P).item()
    assert values["task/sum_share"] == pytest.approx(1, abs=1e-5)
    assert values["task/restricted_loss"] == pytest.approx(loss, rel=1e-3)
    assert values["task/excluded_loss"] == pytest.approx(math.log(P), rel=1e-4)
    assert values["task/fourier_top_share"] == pytest.approx(1)
    assert values["task/key_frequencies"] == 2
    assert values["task/fourier_gini"] == pytest.approx(0.6)
    assert values["task/parallelogram_share"] < 0.3


def test_a_sequence_model_is_read_at_its_last_position_through_inputs_of_its_own():
    def with_equals(table):
        return torch.cat([table, torch.full((len(table), 1), P)], dim=1)

    whole = (with_equals(pairs()[:20]), pairs()[:20].sum(dim=1) % P)
    values = read(modular_addition(p=P, keys=2, inputs=with_equals), Clock(sequence=True), train=whole)
    plain = read(modular_addition(p=P, keys=2), Clock(), train=(pairs()[:20], whole[1]))
    assert values == pytest.approx(plain, rel=1e-4)


def test_the_excluded_loss_is_over_the_training_pairs_however_they_come():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Embedding(P, 3), nn.Flatten(), nn.Linear(6, P))
    chosen = torch.randperm(P * P)[:30]
    inputs, targets = pairs()[chosen], pairs()[chosen].sum(dim=1) % P
    parts = sum_parts(model(pairs()).detach().view(P, P, P))
    excluded = restricted_and_excluded(parts, sum_frequencies(parts, count=5))[1]
    direct = nn.functional.cross_entropy(excluded.flatten(0, 1)[chosen], targets).item()
    loader = DataLoader(TensorDataset(inputs, targets), batch_size=7)
    for train in ((inputs, targets), loader, [(inputs[:10], targets[:10]), (inputs[10:], targets[10:])]):
        assert read(modular_addition(p=P), model, train=train)["task/excluded_loss"] == pytest.approx(direct)
    everything = torch.ones(P, P, dtype=torch.bool)
    assert table_loss(excluded, pairs().sum(dim=1).view(P, P) % P, chosen=everything) != direct
    assert "task/excluded_loss" not in read(modular_addition(p=P), model)


def test_a_table_without_embedding_or_representation_still_has_logits():
    class Bare(nn.Module):
        def forward(self, table):
            return nn.functional.one_hot(table.sum(dim=1) % P, P).float()

    assert list(read(modular_addition(p=P), Bare())) == ["task/sum_share", "task/restricted_loss"]


def test_the_embedding_can_be_named_and_a_name_that_has_none_is_refused():
    model = nn.Sequential(OrderedDict(clock=Clock()))
    model.clock.other = nn.Embedding(P, 2)
    assert read(modular_addition(p=P, embedding="clock.embedding"), model)["task/key_frequencies"] == 2
    assert read(modular_addition(p=P, embedding="clock.other"), model)["task/fourier_gini"] < 0.5
    with pytest.raises(ValueError, match="embedding='clock' must have a weight of at least 11 rows"):
        read(modular_addition(p=P, embedding="clock"), model)


def test_a_modulus_too_small_and_a_model_without_logits_are_refused():
    with pytest.raises(ValueError, match="p must be at least 4"):
        modular_addition(p=3)

    class Nothing(nn.Module):
        def forward(self, table):
            return (table,)

    with pytest.raises(TypeError, match=r"must return logits as a tensor or as \.logits, got tuple"):
        read(modular_addition(p=P), Nothing())


class Product(nn.Module):
    """Computes the parity of the first two bits, in any of the usual shapes of output."""

    def __init__(self, outputs):
        super().__init__()
        self.first = nn.Linear(6, 4)
        nn.init.zeros_(self.first.weight)
        self.first.weight.data[:, [0, 1, 2]] = 1.0
        self.outputs = outputs

    def forward(self, bits):
        parity = bits[:, 0] * bits[:, 1] + 0 * self.first(bits).sum(dim=1)
        return {0: parity, 1: parity.unsqueeze(1), 2: torch.stack([-parity, parity], dim=1)}[self.outputs]


@pytest.mark.parametrize("outputs", [0, 1, 2])
def test_a_network_that_computes_the_parity_correlates_fully(outputs):
    values = read(sparse_parity(bits=6, relevant=[0, 1], samples=256), Product(outputs))
    assert values["task/parity_correlation"] == pytest.approx(1)
    assert values["task/relevant_mass"] == pytest.approx(2 / 3)
    other = read(sparse_parity(bits=6, relevant=[0, 2], samples=4096), Product(outputs))
    assert abs(other["task/parity_correlation"]) < 5 / 64


def test_bits_of_0_and_1_are_prepared_by_inputs():
    model = nn.Sequential(nn.Linear(6, 2))
    with torch.no_grad():
        model[0].weight.zero_()
        model[0].bias.zero_()
        model[0].weight[1, 3], model[0].bias[1] = -2.0, 1.0  # 1 - 2x is the bit of ±1 again
    prepared = sparse_parity(bits=6, relevant=[3], inputs=lambda bits: (1 - bits) / 2)
    assert read(prepared, model)["task/parity_correlation"] == pytest.approx(1)


def test_more_classes_than_two_are_refused():
    with pytest.raises(ValueError, match=r"must return \[N\], \[N, 1\] or \[N, 2\], got \[4096, 3\]"):
        read(sparse_parity(bits=6, relevant=[0]), nn.Linear(6, 3))
