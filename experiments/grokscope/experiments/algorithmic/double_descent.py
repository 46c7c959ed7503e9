"""Epoch-wise double descent: a linear model whose inputs are learned at different speeds.

Gradient descent learns an input the faster the larger its scale. Large inputs carry a part of the target and
are learned first: the held-out loss falls. Inputs of a middle scale carry nothing: what the model learns of
them is the noise of its few examples, and the held-out loss rises. Small inputs carry the other part and are
learned last: the loss falls again, below where it was. Without the useless inputs, or with all inputs at
one scale, it has no such peak.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from grokscope.collectors import Measuring
from grokscope.experiments.experiment import Arm, Expectation, Experiment
from grokscope.experiments.recipe import Range, Recipe, setting
from grokscope.experiments.training.batches import Split, batch_source, examples_a_step
from grokscope.experiments.training.training import Training
from grokscope.schemas import Kind
from grokscope.schemas.runs.description import Value

HELD_OUT = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubleDescent(Recipe):
    """Settings of a linear model with inputs of three scales."""

    FACTS: ClassVar[Mapping[str, Mapping[str, Value]]] = {
        "architecture": {"kind": "linear"},
        "computation": {"task": "linear regression"},
    }

    steps: int = setting(15000, axis="exposure", says="optimizer steps")
    optimizer: str = setting("sgd", axis="protocol", says="adamw, adam, sgd or muon")
    lr: float = setting(0.1, axis="protocol", says="learning rate")
    loss: str = setting("mse", axis="protocol", says="mse, and nothing else here", allowed=("mse",))
    examples: int = setting(
        200, axis="exposure", says="examples to train on", param="unique_examples", allowed=Range(least=1)
    )
    noise: float = setting(
        1.0,
        axis="data",
        says="standard deviation of what no input tells of the target",
        allowed=Range(least=0),
    )
    useless: int = setting(
        100, axis="data", says="inputs of the middle scale, which tell nothing", allowed=Range(least=0)
    )
    middle_scale: float = setting(
        0.35, axis="data", says="their scale; the large inputs have 1", allowed=Range(above=0)
    )
    small_scale: float = setting(
        0.07, axis="data", says="scale of the inputs that are learned last", allowed=Range(above=0)
    )


class Linear(nn.Module):
    """Outputs [N, 1] for inputs [N, d]; starts at 0."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.output = nn.Linear(inputs, 1, bias=False)
        nn.init.zeros_(self.output.weight)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the outputs."""
        return self.output(inputs)


def regression(recipe: DoubleDescent) -> tuple[Split, Split]:
    """Return inputs [N, d] and targets [N, 1] as (train, test); new ones for each seed.

    Ten large and twenty small inputs tell of the target, with variances 10 and 8 of it.
    """
    generator = torch.Generator().manual_seed(recipe.seed)
    large, small = 10, 20
    counts = torch.tensor([large, recipe.useless, small])
    scales = torch.tensor([1.0, recipe.middle_scale, recipe.small_scale]).repeat_interleave(counts)
    strengths = torch.tensor([1.0, 0.0, (8 / small) ** 0.5]).repeat_interleave(counts)
    total = recipe.examples + HELD_OUT
    plain = torch.randn(total, len(scales), generator=generator)
    noise = recipe.noise * torch.randn(total, 1, generator=generator)
    targets = plain @ strengths.unsqueeze(1) + noise
    inputs, end = plain * scales, recipe.examples
    return (inputs[:end], targets[:end]), (inputs[end:], targets[end:])


def prepare(recipe: DoubleDescent) -> Training:
    """Return the training that a recipe describes."""
    torch.manual_seed(recipe.seed)
    train_set, test_set = regression(recipe)
    model = Linear(train_set[0].shape[1])
    draw = batch_source(train_set, recipe.batch, seed=recipe.seed)

    def loss_of(step: int) -> Tensor:
        del step
        inputs, targets = draw()
        return mse_loss(model(inputs), targets)

    measuring = Measuring(
        loss="mse",
        examples_per_step=examples_a_step(recipe.batch, recipe.examples),
        dataset_examples=recipe.examples,
    )
    return Training(
        model=model, loss_of=loss_of, splits={"train": train_set, "test": test_set}, measuring=measuring
    )


PEAK = Expectation(
    says="the held-out loss falls, rises and falls again",
    kinds=frozenset({Kind.DOUBLE_DESCENT}),
    metric="test/loss",
)
NO_PEAK = Expectation(
    says="the held-out loss has no peak between two valleys",
    without=frozenset({Kind.DOUBLE_DESCENT}),
    metric="test/loss",
)

DOUBLE_DESCENT = Experiment(
    name="epoch-wise-double-descent",
    title="A linear model learns inputs of three scales one after the other, useless ones between",
    event="epoch-wise double descent",
    source="Heckel & Yilmaz 2020, arXiv:2007.10099; in deep networks Nakkiran et al. 2019, arXiv:1912.02292",
    recipe=DoubleDescent,
    prepare=prepare,
    arms=(
        Arm(group="three scales", expects=PEAK),
        Arm(group="no useless inputs", settings={"useless": 0}, expects=NO_PEAK, is_control=True),
        Arm(
            group="one scale",
            settings={"middle_scale": 1.0, "small_scale": 1.0},
            expects=NO_PEAK,
            is_control=True,
        ),
    ),
    seconds=3,
)
