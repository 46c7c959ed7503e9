"""Training on answers alone."""

import pytest
import torch
from torch import Tensor, nn

from grokscope.experiments.knowledge.answers import NO_ANSWER, answering
from grokscope.experiments.recipe import Recipe

TOKENS = torch.tensor([[0, 1, 2], [2, 1, 0]])
TARGETS = torch.tensor([[NO_ANSWER, 1, NO_ANSWER], [0, NO_ANSWER, NO_ANSWER]])


class Unigram(nn.Module):
    """Logits that depend on the token alone."""

    def __init__(self) -> None:
        super().__init__()
        self.output = nn.Embedding.from_pretrained(torch.arange(9.0).view(3, 3).sin(), freeze=False)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.output(tokens)


@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
def test_the_loss_is_that_of_the_answers_alone(loss):
    model = Unigram()
    training = answering(model, Recipe(loss=loss), lambda: (TOKENS, TARGETS), {}, examples=2)
    logits, classes = model.output.weight[[1, 2]], torch.tensor([1, 0])
    expected = {
        "cross_entropy": nn.functional.cross_entropy(logits, classes),
        "mse": (logits - torch.eye(3)[classes]).square().mean(),
    }
    assert torch.allclose(training.loss_of(0), expected[loss])


def test_the_loss_that_is_measured_is_the_one_that_is_descended():
    model = Unigram()
    training = answering(model, Recipe(loss="mse"), lambda: (TOKENS, TARGETS), {}, examples=2)
    assert callable(training.measuring.loss)
    assert training.measuring.loss(model(TOKENS), TARGETS) == training.loss_of(0)


@pytest.mark.parametrize(("batch", "examples"), [(0, 7), (4, 4), (9, 7)])
def test_a_step_counts_the_examples_of_its_batch(batch, examples):
    recipe = Recipe(batch=batch)
    training = answering(Unigram(), recipe, lambda: (TOKENS, TARGETS), {}, examples=7)
    assert training.measuring.examples_per_step == examples
