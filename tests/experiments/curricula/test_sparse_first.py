"""A parity, with sparse inputs first."""

from dataclasses import replace

import pytest
import torch

from grokscope.collectors.testing import MemorySink
from grokscope.experiments.curricula.sparse_first import ORDERS, SPARSE_FIRST, SparseFirst, prepare
from grokscope.experiments.training.run import Destination, Run
from grokscope.experiments.training.training import train

SMALL = SparseFirst(
    steps=8, sparse_steps=2, batch=8, bits=100, parity_bits=2, examples=64, hidden=8, density=0.05
)


def sparse_share(recipe: SparseFirst) -> list[float]:
    """Return the share of each step's inputs that are sparse: few of their 100 bits are 1."""
    training = prepare(recipe)
    seen: list[float] = []

    def note(module: object, args: tuple[torch.Tensor]) -> None:
        del module
        seen.append(((args[0] < 0).float().mean(1) < 0.25).float().mean().item())

    training.model.register_forward_pre_hook(note)
    for step in range(recipe.steps):
        training.loss_of(step)
    return seen


@pytest.mark.parametrize(
    ("order", "shares"),
    [
        ("sparse first", [1.0] * 2 + [0.0] * 6),
        ("sparse last", [0.0] * 6 + [1.0] * 2),
        ("mixed", [0.25] * 8),
        ("uniform only", [0.0] * 8),
    ],
)
def test_an_order_says_at_which_steps_sparse_inputs_are_seen(order, shares):
    assert sparse_share(replace(SMALL, order=order)) == shares


@pytest.mark.parametrize("order", ORDERS)
def test_every_order_has_the_same_examples_and_the_same_model(order):
    usual, other = prepare(SMALL), prepare(replace(SMALL, order=order))
    for name, (inputs, parities) in usual.splits.items():
        assert torch.equal(inputs, other.splits[name][0])
        assert torch.equal(parities, other.splits[name][1])
    for mine, its in zip(usual.model.parameters(), other.model.parameters(), strict=True):
        assert torch.equal(mine, its)


def test_all_that_is_random_comes_from_the_seed():
    first, again, other = (prepare(replace(SMALL, seed=seed)) for seed in (0, 0, 1))
    assert torch.equal(first.splits["test"][0], again.splits["test"][0])
    assert first.loss_of(0) == again.loss_of(0)
    assert not torch.equal(first.splits["test"][0], other.splits["test"][0])


def test_an_unknown_order_is_refused_with_those_that_there_are():
    with pytest.raises(
        ValueError, match="order is sparse first, sparse last, mixed or uniform only, got 'x'"
    ):
        prepare(replace(SMALL, order="x"))


@pytest.mark.parametrize("count", [-1, 9])
def test_more_sparse_steps_than_steps_are_refused(count):
    with pytest.raises(ValueError, match=f"sparse_steps is 0 to 8, the steps, got {count}"):
        prepare(replace(SMALL, sparse_steps=count))


@pytest.mark.parametrize("count", [0, 8])
def test_a_mixed_batch_without_both_kinds_is_refused(count):
    with pytest.raises(
        ValueError, match=f"a mixed batch has inputs of both kinds, got {count} sparse ones of 8"
    ):
        prepare(replace(SMALL, order="mixed", sparse_steps=count))


def test_a_run_logs_uniform_and_sparse_inputs_apart():
    sink = MemorySink()
    train(prepare(SMALL), SMALL, Run(to=Destination(experiment="e"), sink=sink))
    accuracies = {metric for _, metric, _ in sink.rows() if metric.endswith("/accuracy")}
    assert accuracies == {"train/accuracy", "test/accuracy", "shift:sparse/accuracy"}


def test_every_arm_makes_a_training():
    for arm in SPARSE_FIRST.arms:
        prepare(SparseFirst(group=arm.group, **{**arm.settings, "examples": 100}))
