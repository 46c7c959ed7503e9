"""Induction heads: sequences that repeat, what is scored of them, and what is measured."""

import math

import pytest
import torch

from grokscope.collectors.testing import MemorySink
from grokscope.experiments.catalogue import EXPERIMENTS
from grokscope.experiments.sequences.induction_heads import (
    INDUCTION_HEADS,
    InductionHeads,
    prepare,
    repeated_part,
    repeated_segments,
)
from grokscope.experiments.training.run import Destination, Run
from grokscope.experiments.training.training import train

TINY = {"steps": 2, "batch": 4, "length": 12, "shortest": 3, "longest": 5, "width": 8, "vocabulary": 6}


def test_each_sequence_comes_again_after_its_own_period():
    periods = torch.tensor([2, 3, 5])
    found = repeated_segments(periods, vocabulary=50, length=9, generator=torch.Generator().manual_seed(0))
    assert found.shape == (3, 10)
    for row, period in zip(found, periods.tolist(), strict=True):
        assert torch.equal(row[period:], row[:-period])
    assert len(set(found[2, :5].tolist())) > 1


def test_only_targets_whose_input_came_before_are_scored():
    sequences = torch.tensor([[1, 2, 1, 2, 1], [3, 4, 5, 3, 4]])
    inputs, targets = repeated_part(sequences, torch.tensor([2, 3]))
    assert torch.equal(inputs, sequences[:, :-1])
    assert targets.tolist() == [[-100, -100, 2, 1], [-100, -100, -100, 4]]


def test_the_same_seed_draws_the_same_training_and_another_one_does_not():
    def first(seed: int):
        training = prepare(InductionHeads(seed=seed, **TINY))
        return training.splits["test"][0], training.loss_of(0).item()

    assert torch.equal(first(0)[0], first(0)[0])
    assert first(0)[1] == first(0)[1]
    assert not torch.equal(first(0)[0], first(1)[0])


def test_longer_segments_are_a_shifted_set_that_training_never_shows():
    training = prepare(InductionHeads(**TINY))
    assert set(training.splits) == {"test", "shift:longer_segments"}
    inputs, targets = training.splits["shift:longer_segments"]
    first = (targets != -100).int().argmax(dim=1)
    assert set(first.tolist()) <= {6, 7, 8}
    assert inputs.shape == targets.shape == (64, 12)


@pytest.mark.parametrize("length", [16, 17])
def test_segments_that_leave_no_room_to_repeat_a_longer_one_are_refused(length):
    with pytest.raises(ValueError, match=f"shortest <= longest < length - 1, got 6, 16 and {length}"):
        prepare(InductionHeads(length=length))


def test_a_run_logs_the_scores_of_heads_and_of_the_context():
    sink = MemorySink()
    recipe = InductionHeads(**TINY)
    train(prepare(recipe), recipe, Run(to=Destination(experiment="e"), sink=sink))
    rows = {(step, key): value for step, key, value in sink.rows()}
    for key in ("attention/prefix_matching", "test/in_context_score", "test/exact_match"):
        assert math.isfinite(rows[0, key])
    assert rows[0, "test/loss"] != rows[2, "test/loss"]


def test_the_control_has_one_layer_and_all_else_alike():
    two, one = EXPERIMENTS["induction-heads"].arms
    assert EXPERIMENTS["induction-heads"] is INDUCTION_HEADS
    assert (dict(two.settings), two.is_control) == ({}, False)
    assert (dict(one.settings), one.is_control) == ({"layers": 1}, True)
