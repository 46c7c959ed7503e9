"""In-context regression: a transformer reads examples of a linear function and predicts its next value.

Each sequence has a function of its own, drawn from those that are trained on. With many of them the model
learns to fit whatever function the context shows, and does so for functions it never saw; with four it learns
these four by heart, and is no better on others than without a context.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from grokscope.collectors import Measuring
from grokscope.experiments.experiment import Arm, Expectation, Experiment
from grokscope.experiments.models.in_context import InContextRegressor
from grokscope.experiments.recipe import Range, Recipe, setting
from grokscope.experiments.training.batches import Split
from grokscope.experiments.training.training import Training
from grokscope.schemas import Pattern
from grokscope.schemas.runs.description import Value

_HELD_OUT = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class InContextRegression(Recipe):
    """Settings of in-context regression."""

    FACTS: ClassVar[Mapping[str, Mapping[str, Value]]] = {
        "architecture": {
            "kind": "transformer",
            "activation": "relu",
            "normalization": "before each layer",
            "heads": 4,
        },
        "computation": {"task": "linear regression in context"},
    }

    steps: int = setting(600, axis="exposure", says="optimizer steps")
    batch: int = setting(64, axis="exposure", says="sequences a step, drawn anew", allowed=Range(least=1))
    lr: float = setting(1e-3, axis="protocol", says="learning rate")
    loss: str = setting(
        "mse", axis="protocol", says="mse, and nothing else here: targets are numbers", allowed=("mse",)
    )
    dimensions: int = setting(4, axis="data", says="dimensions of an input", allowed=Range(least=1))
    examples: int = setting(12, axis="data", says="examples in the context", allowed=Range(least=1))
    tasks: int = setting(4096, axis="data", says="functions that are trained on", allowed=Range(least=1))
    layers: int = setting(2, axis="scale", param="depth", says="blocks", allowed=Range(least=1))
    width: int = setting(64, axis="scale", says="size of the residual stream", allowed=Range(least=1))
    hidden: int = setting(128, axis="scale", says="hidden units of each block's MLP", allowed=Range(least=0))


def regressions(weights: Tensor, *, examples: int, generator: torch.Generator, scale: float = 1.0) -> Split:
    """Return what a model reads [N, examples + 1, d + 2] and what it is to predict [N, 1].

    Each row is an input, its value and whether it is the one that is asked; the last one's value is hidden.
    Inputs are standard normal, values ``⟨w, x⟩``.

    Args:
        weights: [N, d], a function for each sequence.
        examples: With their values, before the one that is asked.
        generator: Of the inputs.
        scale: Of the inputs.

    >>> weights = torch.ones(1, 2)
    >>> read, asked = regressions(weights, examples=3, generator=torch.Generator().manual_seed(0))
    >>> read.shape, bool(torch.allclose(read[:, -1, :2].sum(1, keepdim=True), asked))
    (torch.Size([1, 4, 4]), True)
    """
    count, dimensions = weights.shape
    inputs = scale * torch.randn(count, examples + 1, dimensions, generator=generator)
    values = (inputs * weights.unsqueeze(1)).sum(dim=-1, keepdim=True)
    is_asked = torch.zeros_like(values)
    is_asked[:, -1] = 1
    return torch.cat([inputs, values * (1 - is_asked), is_asked], dim=-1), values[:, -1]


def prepare(recipe: InContextRegression) -> Training:
    """Return the training that a recipe describes."""
    torch.manual_seed(recipe.seed)
    generator = torch.Generator().manual_seed(recipe.seed)

    known = _functions(recipe, recipe.tasks, generator)

    def seen(count: int) -> Split:
        drawn = known[torch.randint(recipe.tasks, (count,), generator=generator)]
        return regressions(drawn, examples=recipe.examples, generator=generator)

    def unseen(scale: float) -> Split:
        return regressions(
            _functions(recipe, _HELD_OUT, generator),
            examples=recipe.examples,
            generator=generator,
            scale=scale,
        )

    def loss_of(step: int) -> Tensor:
        del step
        read, asked = seen(recipe.batch)
        return mse_loss(model(read), asked)

    model = _model(recipe)
    return Training(
        model=model,
        loss_of=loss_of,
        splits={"train": seen(_HELD_OUT), "test": unseen(1.0), "shift:larger_inputs": unseen(1.5)},
        measuring=Measuring(loss="mse", examples_per_step=recipe.batch),
    )


def _model(recipe: InContextRegression) -> InContextRegressor:
    return InContextRegressor(
        inputs=recipe.dimensions + 2, width=recipe.width, layers=recipe.layers, mlp=recipe.hidden
    )


def _functions(recipe: InContextRegression, count: int, generator: torch.Generator) -> Tensor:
    # Values have a variance of 1, so that the loss begins there.
    return torch.randn(count, recipe.dimensions, generator=generator) / recipe.dimensions**0.5


LEARNS_TO_FIT = Expectation(
    says="functions never seen are fit as well as those trained on",
    patterns=frozenset({Pattern.COMPREHENSION}),
)
KNOWS_ITS_OWN = Expectation(
    says="only the functions trained on are predicted", patterns=frozenset({Pattern.MEMORIZATION})
)

IN_CONTEXT_REGRESSION = Experiment(
    name="in-context-regression",
    title="A transformer fits linear functions that its context shows by 12 examples",
    event="in-context learning of unseen tasks",
    source="Garg et al. 2022, arXiv:2208.01066; number of tasks after Raventós et al. 2023, arXiv:2306.15063",
    recipe=InContextRegression,
    prepare=prepare,
    arms=(
        Arm(group="4,096 functions", expects=LEARNS_TO_FIT),
        Arm(group="4 functions", settings={"tasks": 4}, expects=KNOWS_ITS_OWN, is_control=True),
    ),
    seconds=12,
)
