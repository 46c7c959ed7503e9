"""Two-hop reasoning."""

from dataclasses import replace

import torch

from grokscope.collectors.testing import MemorySink
from grokscope.experiments.knowledge.two_hop_reasoning import TWO_HOP_REASONING, TwoHopReasoning, prepare
from grokscope.experiments.training.run import Destination, Run
from grokscope.experiments.training.training import train

SMALL = TwoHopReasoning(
    entities=8, relations=5, ratio=2.0, shifted_share=0.2, batch=16, width=16, hidden=16, steps=3
)


def first_losses(recipe: TwoHopReasoning) -> list[float]:
    training = prepare(recipe)
    return [training.loss_of(step).item() for step in range(3)]


def test_all_that_is_random_comes_from_the_seed():
    assert first_losses(SMALL) == first_losses(SMALL)
    assert first_losses(SMALL) != first_losses(replace(SMALL, seed=1))


def test_facts_and_chains_are_trained_on_together():
    tokens, answers = prepare(SMALL).splits["train"]
    asked = (answers >= 0).sum(0).tolist()
    assert asked == [0, 8 * 5, 2 * 8 * 5 * 0.8]
    assert (answers >= 0).sum(1).eq(1).all()
    assert len(tokens) == sum(asked)


def test_an_answer_is_an_entity():
    training = prepare(SMALL)
    assert training.model(torch.zeros(1, 3, dtype=torch.int64)).shape == (1, 3, 8)


def test_a_run_logs_the_chains_of_trained_facts_apart_from_those_of_others():
    sink = MemorySink()
    train(prepare(SMALL), SMALL, Run(to=Destination(experiment="e"), sink=sink))
    accuracies = {metric for _, metric, _ in sink.rows() if metric.endswith("/accuracy")}
    assert accuracies == {"train/accuracy", "test/accuracy", "shift:unchained/accuracy"}


def test_every_arm_makes_a_training():
    for arm in TWO_HOP_REASONING.arms:
        prepare(TwoHopReasoning(group=arm.group, **arm.settings)).loss_of(0)
