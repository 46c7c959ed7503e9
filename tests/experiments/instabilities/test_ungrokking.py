"""The training set of ungrokking shrinks when it is said to, and the train split is what is trained on."""

import pytest
import torch

from grokscope.experiments.instabilities.ungrokking import Ungrokking, prepare


def test_the_train_split_is_the_set_of_the_last_step():
    training = prepare(Ungrokking(p=7, train_fraction=0.6, shrinks_at=2, shrinks_to=0.3))
    counts = []
    for step in range(4):
        training.loss_of(step)
        counts.append(len(training.splits["train"]()[1]))
    assert counts == [29, 29, 14, 14]


def test_what_is_left_is_a_part_of_what_was_trained_on_and_none_of_the_test_set():
    training = prepare(Ungrokking(p=7, train_fraction=0.6, shrinks_at=1, shrinks_to=0.3))
    many = set(map(tuple, training.splits["train"]()[0].tolist()))
    training.loss_of(1)
    few = set(map(tuple, training.splits["train"]()[0].tolist()))
    assert few < many
    assert many.isdisjoint(map(tuple, training.splits["test"][0].tolist()))


def test_the_loss_after_the_change_is_that_of_the_smaller_set():
    training = prepare(Ungrokking(p=7, train_fraction=0.6, shrinks_at=1, shrinks_to=0.3))
    loss = training.loss_of(1)
    inputs, targets = training.splits["train"]()
    assert torch.equal(loss, torch.nn.functional.cross_entropy(training.model(inputs), targets))


@pytest.mark.parametrize("share", [0.0, 0.7])
def test_a_set_that_does_not_shrink_is_refused(share):
    with pytest.raises(
        ValueError, match=r"shrinks_to is above 0 and at most train_fraction = 0\.6, got 0\.\d"
    ):
        prepare(Ungrokking(train_fraction=0.6, shrinks_to=share))
