"""Examples divided at random and joined: none is lost, and each keeps its target."""

import torch

from grokscope.experiments.training.splits import joined, random_split

DATA = (torch.arange(20.0).view(10, 2), torch.arange(10))


def test_a_split_holds_every_example_once_with_its_target():
    first, rest = random_split(DATA, 4, seed=3)
    assert (len(first[1]), len(rest[1])) == (4, 6)
    inputs, targets = joined(first, rest)
    assert sorted(targets.tolist()) == list(range(10))
    assert torch.equal(inputs, DATA[0][targets])


def test_the_split_depends_on_the_seed_alone():
    first, again, other = (random_split(DATA, 5, seed=seed)[0][1] for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_parts_are_joined_in_their_order():
    inputs, targets = joined((DATA[0][:3], DATA[1][:3]), (DATA[0][7:], DATA[1][7:]))
    assert targets.tolist() == [0, 1, 2, 7, 8, 9]
    assert torch.equal(inputs, DATA[0][targets])
