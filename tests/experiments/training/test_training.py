"""The loop makes as many steps as the recipe says, and evaluates at the first and at the last."""

import torch
from torch import Tensor, nn

from grokscope.collectors.testing import MemorySink
from grokscope.experiments.recipe import Recipe
from grokscope.experiments.training.run import Destination, Run
from grokscope.experiments.training.training import Training, train


def test_a_run_makes_its_steps_and_no_more():
    model = nn.Sequential()
    model.output = nn.Linear(2, 2)
    inputs, classes = torch.ones(4, 2), torch.tensor([0, 1, 0, 1])
    steps: list[int] = []

    def loss_of(step: int) -> Tensor:
        steps.append(step)
        return nn.functional.cross_entropy(model(inputs), classes)

    sink = MemorySink()
    training = Training(model=model, loss_of=loss_of, splits={"train": (inputs, classes)})
    train(training, Recipe(steps=30), Run(to=Destination(experiment="e"), sink=sink))
    evaluated = [step for step, metric, _ in sink.rows() if metric == "train/loss"]
    assert steps == list(range(30))
    assert (evaluated[0], evaluated[-1]) == (0, 30)
