"""Training on sequences of tokens in which only the answers are learned and scored."""

from collections.abc import Callable, Mapping

from torch import Tensor, nn

from grokscope.collectors import Measuring
from grokscope.experiments.recipe import Recipe
from grokscope.experiments.training.batches import Split, examples_a_step
from grokscope.experiments.training.losses import loss_by_name
from grokscope.experiments.training.training import Training

NO_ANSWER = -100
"""Target of a token after which there is nothing to answer; torch's losses and the tracker leave it out."""


def answering(
    model: nn.Module,
    recipe: Recipe,
    draw: Callable[[], Split],
    splits: Mapping[str, Split],
    *,
    examples: int,
) -> Training:
    """Return the training of a model of sequences, of which only the answers count.

    Args:
        model: From tokens [N, T] to logits [N, T, C].
        recipe: Names the loss and the size of a batch.
        draw: Gives the next batch: tokens [N, T] and targets [N, T], ``NO_ANSWER`` where there is none.
        splits: Split name -> tokens and targets.
        examples: Sequences that the training set holds.
    """
    loss_fn = loss_by_name(recipe.loss)

    def of_answers(logits: Tensor, targets: Tensor) -> Tensor:
        is_answer = targets != NO_ANSWER
        return loss_fn(logits[is_answer], targets[is_answer])

    def loss_of(step: int) -> Tensor:
        del step
        tokens, targets = draw()
        return of_answers(model(tokens), targets)

    measuring = Measuring(
        loss="cross_entropy" if recipe.loss == "cross_entropy" else of_answers,
        ignore_index=NO_ANSWER,
        examples_per_step=examples_a_step(recipe.batch, examples),
        dataset_examples=examples,
    )
    return Training(model=model, loss_of=loss_of, splits=splits, measuring=measuring)
