"""Sparse parity: its data, its settings, and a short run of each way to train."""

import pytest
import torch

from grokscope.experiments.algorithmic.sparse_parity import SPARSE_PARITY, SparseParity, parity_data, prepare


def test_the_class_says_whether_an_even_number_of_parity_bits_is_negative():
    secret = [1, 4, 5]
    inputs, classes = parity_data(64, bits=6, secret=secret, generator=torch.Generator().manual_seed(0))
    assert set(inputs.unique().tolist()) == {-1.0, 1.0}
    negative = (inputs[:, secret] < 0).sum(dim=1)
    assert torch.equal(classes, (negative % 2 == 0).long())
    assert set(classes.tolist()) == {0, 1}


def test_training_and_test_examples_are_as_many_as_asked_for_and_of_one_rule():
    training = prepare(SparseParity(bits=12, parity_bits=1, examples=200, test_examples=300))
    (inputs, classes), (others, other_classes) = training.splits["train"], training.splits["test"]
    assert (inputs.shape, others.shape) == ((200, 12), (300, 12))
    rules = [
        [bit for bit in range(12) if torch.equal((x[:, bit] > 0).long(), y)]
        for x, y in ((inputs, classes), (others, other_classes))
    ]
    assert rules[0] == rules[1]
    assert len(rules[0]) == 1


def test_the_secret_and_the_examples_come_from_the_seed_alone():
    first, again, other = (prepare(SparseParity(seed=seed)).splits["train"] for seed in (0, 0, 1))
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[0], other[0])


@pytest.mark.parametrize("parity_bits", [0, 5])
def test_more_parity_bits_than_bits_are_refused(parity_bits):
    with pytest.raises(ValueError, match=rf"parity_bits is 1 to bits \(4\), got {parity_bits}"):
        prepare(SparseParity(bits=4, parity_bits=parity_bits))


def test_the_two_sets_and_the_task_stand_on_their_axes():
    params = SparseParity().describe().to_params()
    told = {
        "compute.exposure.unique_examples": 1000,
        "intervention.data.test_examples": 1000,
        "structure.computation.bits": 40,
        "structure.computation.parity_bits": 3,
        "structure.computation.task": "sparse parity",
        "intervention.protocol.loss": "hinge",
        "intervention.protocol.optimizer": "sgd",
    }
    assert {name: params[name] for name in told} == told


def test_the_loss_that_is_logged_is_the_one_that_is_descended(curves_of):
    start = prepare(SparseParity(seed=3))
    inputs, classes = start.splits["train"]
    logits = start.model(inputs)
    signs = 2.0 * classes - 1
    margin = signs * (logits[:, 1] - logits[:, 0])
    curves = curves_of(SPARSE_PARITY, seed=3)
    assert curves["train/loss"][0] == pytest.approx((1 - margin).clamp(min=0).mean().item(), rel=1e-5)
    assert curves["train/accuracy"][0] == pytest.approx((margin > 0).float().mean().item())


@pytest.mark.parametrize("arm", SPARSE_PARITY.arms, ids=lambda arm: arm.group)
def test_each_arm_trains_and_follows_the_parity_bits(curves_of, arm):
    curves = curves_of(SPARSE_PARITY, **arm.settings | {"steps": 3})
    assert curves["task/relevant_mass"][0] == pytest.approx(3 / 40, abs=0.02)
    assert curves["test/accuracy"].keys() == {0, 1, 2, 3}
