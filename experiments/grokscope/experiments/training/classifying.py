"""Training a classifier on pairs of inputs and classes: what most experiments do."""

from collections.abc import Callable, Mapping

from torch import Tensor, nn

from grokscope.collectors import Measuring
from grokscope.experiments.recipe import Recipe
from grokscope.experiments.training.batches import Split, batch_source, examples_a_step
from grokscope.experiments.training.losses import loss_by_name
from grokscope.experiments.training.training import Training


def classifying(
    model: nn.Module, recipe: Recipe, train_set: Split, held_out: Mapping[str, Split]
) -> Training:
    """Return the training of a classifier on ``train_set``, evaluated there and on ``held_out``.

    Args:
        model: From inputs to logits [N, C].
        recipe: Names the loss and the size of a batch.
        train_set: Inputs and classes.
        held_out: Split name -> inputs and classes.
    """
    count = len(train_set[1])
    draw = batch_source(train_set, recipe.batch, seed=recipe.seed)
    return classifying_batches(
        model,
        recipe,
        lambda _: draw(),
        {"train": train_set, **held_out},
        batch=examples_a_step(recipe.batch, count),
        examples=count,
    )


def classifying_batches(  # noqa: PLR0913 - keyword-only sizes of one training
    model: nn.Module,
    recipe: Recipe,
    draw: Callable[[int], Split],
    splits: Mapping[str, Split],
    *,
    batch: int,
    examples: int | None = None,
) -> Training:
    """Return the training of a classifier on batches that ``draw`` gives.

    Args:
        model: From inputs to logits [N, C].
        recipe: Names the loss.
        draw: From a step to its inputs and classes.
        splits: Split name -> inputs and classes that it is evaluated on.
        batch: Examples of a step.
        examples: Examples of the training set, if it is one.
    """
    loss_fn = loss_by_name(recipe.loss)

    def loss_of(step: int) -> Tensor:
        inputs, targets = draw(step)
        return loss_fn(model(inputs), targets)

    measuring = Measuring(
        loss=None if recipe.loss == "cross_entropy" else loss_fn,
        examples_per_step=batch,
        dataset_examples=examples,
    )
    return Training(model=model, loss_of=loss_of, splits=splits, measuring=measuring)
