"""The network of slingshots reads pairs one-hot and is looked at often enough to see a spike."""

import torch

from grokscope.experiments.instabilities.slingshot import Slingshot, prepare


def test_inputs_are_the_two_residues_one_hot():
    training = prepare(Slingshot(p=5, hidden=8, layers=2))
    rows, sums = training.splits["train"]
    left, right = (half.argmax(1) for half in rows.split(5, dim=1))
    assert torch.equal((left + right) % 5, sums)
    assert torch.equal(rows.sum(1), torch.full((12,), 2.0))


def test_a_spike_of_ten_steps_is_seen_three_times():
    training = prepare(Slingshot(p=5, hidden=8, layers=2))
    assert [step for step in range(1000, 1010) if training.schedule(step)] == [1002, 1005, 1008]


def test_the_network_has_as_many_hidden_layers_as_the_recipe_says():
    sizes = [tuple(one.shape) for one in prepare(Slingshot(p=5, hidden=8, layers=3)).model.parameters()]
    assert sizes == [(8, 10), (8,), (8, 8), (8,), (8, 8), (8,), (5, 8), (5,)]
