"""Several parities at once: what is drawn, how often, and what is measured."""

import pytest
import torch

from grokscope.experiments.algorithmic.multistage import Multistage, ParityTasks, prepare


def tasks_of(**settings) -> ParityTasks:
    return ParityTasks(Multistage(**settings), torch.Generator().manual_seed(5))


def test_a_label_is_the_parity_of_the_same_bits_throughout_a_task():
    tasks = tasks_of(tasks=2, bits=6, parity_bits=2)
    for task in (0, 1):
        inputs, labels = tasks.drawn(400, task=task)
        bits = inputs[:, 2:].long()
        pairs = [(i, j) for i in range(6) for j in range(i)]
        fitting = [pair for pair in pairs if torch.equal(bits[:, pair].sum(dim=1) % 2, labels)]
        assert len(fitting) == 1


def test_an_input_begins_with_the_code_of_its_task():
    inputs, _ = tasks_of(tasks=3, bits=4).drawn(5, task=1)
    assert inputs[:, :3].tolist() == [[0.0, 1.0, 0.0]] * 5
    assert set(inputs[:, 3:].unique().tolist()) == {0.0, 1.0}


def test_tasks_are_as_frequent_as_the_power_of_their_number_says():
    inputs, _ = tasks_of(tasks=3, exponent=1.0, bits=4).drawn(20_000)
    expected = torch.tensor([1.0, 1 / 2, 1 / 3])
    assert torch.allclose(inputs[:, :3].mean(dim=0), expected / expected.sum(), atol=0.02)


def test_each_task_has_a_held_out_set_of_its_own():
    splits = prepare(Multistage(tasks=3, examples=100)).splits
    assert list(splits) == ["train", "test", "shift:task_1", "shift:task_2", "shift:task_3"]
    assert [len(labels) for _, labels in splits.values()] == [100, 2000, 1000, 1000, 1000]


def test_a_single_task_is_the_test_set():
    assert list(prepare(Multistage(tasks=1, examples=100)).splits) == ["train", "test"]


def test_the_examples_come_from_the_seed_alone():
    first, again, other = (
        prepare(Multistage(seed=seed, examples=50)).splits["train"][0] for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"tasks": 0}, "tasks is at least 1, got 0"),
        ({"parity_bits": 0}, r"parity_bits is 1 to bits \(20\), got 0"),
        ({"bits": 4, "parity_bits": 5}, r"parity_bits is 1 to bits \(4\), got 5"),
    ],
)
def test_tasks_that_cannot_be_are_refused(settings, said):
    with pytest.raises(ValueError, match=said):
        prepare(Multistage(**settings))
