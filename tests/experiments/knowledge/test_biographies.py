"""Recalling facts about people."""

from dataclasses import replace

import pytest
import torch

from grokscope.collectors.testing import MemorySink
from grokscope.experiments.knowledge.biographies import BIOGRAPHIES, Biographies, prepare
from grokscope.experiments.training.run import Destination, Run
from grokscope.experiments.training.training import train

SMALL = Biographies(people=8, attributes=2, choices=4, phrasings=2, width=16, hidden=16, layers=1, steps=3)


def first_losses(recipe: Biographies) -> list[float]:
    training = prepare(recipe)
    return [training.loss_of(step).item() for step in range(3)]


def batches(recipe: Biographies, count: int) -> torch.Tensor:
    """Return the tokens of the first batches that a recipe trains on."""
    training = prepare(recipe)
    seen: list[torch.Tensor] = []
    training.model.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    for step in range(count):
        training.loss_of(step)
    return torch.cat(seen)


def told_values(recipe: Biographies) -> dict[tuple[int, ...], set[int]]:
    """Return the values that training gives each person."""
    found: dict[tuple[int, ...], set[int]] = {}
    for row in batches(recipe, 20).tolist():
        found.setdefault(tuple(row[:3]), set()).update(row[5::3])
    return found


def test_all_that_is_random_comes_from_the_seed():
    assert first_losses(SMALL) == first_losses(SMALL)
    assert first_losses(SMALL) != first_losses(replace(SMALL, seed=1))


def test_facts_stay_from_step_to_step_unless_they_are_drawn_anew():
    assert {len(values) for values in told_values(SMALL).values()} == {SMALL.attributes}
    changing = told_values(replace(SMALL, are_facts_fixed=False))
    assert min(len(values) for values in changing.values()) > SMALL.attributes


def test_an_imbalance_tells_about_the_first_people_more_often():
    names = batches(replace(SMALL, imbalance=2.0, batch=64), 20)[:, :3]
    _, counts = names.unique(dim=0, return_counts=True)
    shares = torch.arange(1.0, 9.0) ** -2
    assert torch.allclose(counts.sort(descending=True).values / len(names), shares / shares.sum(), atol=0.05)


def test_a_run_logs_trained_and_new_phrasings_and_nothing_but_answers_is_scored():
    sink = MemorySink()
    train(prepare(SMALL), SMALL, Run(to=Destination(experiment="e"), sink=sink))
    accuracies = {
        metric: value * 16 for step, metric, value in sink.rows() if step == 0 and "/accuracy" in metric
    }
    assert set(accuracies) == {"train/accuracy", "test/accuracy"}
    assert all(abs(value - round(value)) < 1e-4 for value in accuracies.values())


def test_a_step_without_a_biography_is_refused():
    with pytest.raises(ValueError, match="batch is at least 1, got 0"):
        prepare(replace(SMALL, batch=0))


def test_every_arm_makes_a_training():
    for arm in BIOGRAPHIES.arms:
        prepare(Biographies(group=arm.group, **arm.settings)).loss_of(0)
