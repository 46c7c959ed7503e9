"""Training a classifier on pairs of inputs and classes: what most experiments do."""

from collections.abc import Mapping

from torch import Tensor, nn

from grokscope.collectors import Measuring
from grokscope.experiments.recipe import Recipe
from grokscope.experiments.training.batches import Split, batch_source
from grokscope.experiments.training.losses import hinge, loss_by_name, one_hot_mse
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
    loss_fn = loss_by_name(recipe.loss)
    draw = batch_source(train_set, recipe.batch, seed=recipe.seed)

    def loss_of(step: int) -> Tensor:
        del step
        inputs, targets = draw()
        return loss_fn(model(inputs), targets)

    count = len(train_set[1])
    measuring = Measuring(
        loss={"mse": one_hot_mse, "hinge": hinge}.get(recipe.loss),
        examples_per_step=min(recipe.batch, count) or count,
        dataset_examples=count,
    )
    return Training(
        model=model, loss_of=loss_of, splits={"train": train_set, **held_out}, measuring=measuring
    )
