"""The one loop that all experiments train in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from grokscope.collectors import Measuring, Tracker
from grokscope.collectors.evaluating.schedule import Schedule, log_spaced
from grokscope.experiments.recipe import Recipe
from grokscope.experiments.training.gradients import GradientFilter
from grokscope.experiments.training.norms import NormClamp
from grokscope.experiments.training.optimizers import optimizers_of
from grokscope.experiments.training.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """A model, what it descends, and what it is measured on.

    Attributes:
        model: What is trained; the module that gives its logits is called ``output``.
        loss_of: From a step to the scalar that is descended there; draws its batch itself.
        splits: Split name -> data, as ``Tracker.evaluate`` takes it.
        measuring: How the model is read.
        measures: What is measured besides the default measures.
        schedule: Steps that are evaluated, besides the last; the same for all seeds.
    """

    model: nn.Module
    loss_of: Callable[[int], Tensor]
    splits: Mapping[str, Any]
    measuring: Measuring = field(default_factory=Measuring)
    measures: Sequence[Any] = ()
    schedule: Schedule = field(default_factory=log_spaced)


def train(training: Training, recipe: Recipe, run: Run) -> None:
    """Train one run and log it.

    Args:
        training: What ``recipe`` makes.
        recipe: The settings, which are logged as params.
        run: Where it is logged, who watches it and when it is over.
    """
    model = training.model
    optimizers = optimizers_of(model, recipe)
    gradients, norm = GradientFilter(model, recipe), NormClamp(model, recipe)
    with _tracker(training, recipe, run, optimizers) as tracker:
        for step in range(recipe.steps + 1):
            if tracker.due(step) or step == recipe.steps:
                tracker.evaluate(step, training.splits)
                run.report(step)
                if step == recipe.steps or run.is_over(tracker, step):
                    break
            loss = training.loss_of(step)
            for optimizer in optimizers:
                optimizer.zero_grad()
            loss.backward()
            gradients.apply()
            for optimizer in optimizers:
                optimizer.step()
            norm.apply()


def _tracker(
    training: Training, recipe: Recipe, run: Run, optimizers: list[torch.optim.Optimizer]
) -> Tracker:
    return Tracker(
        training.model,
        optimizers,
        config=run.describe(recipe),
        measuring=training.measuring,
        measures=training.measures,
        schedule=training.schedule,
        experiment=run.to.experiment,
        store=run.to.store,
        run_id=run.to.run_id,
        detector=run.detector,
        sink=run.sink,
    )
