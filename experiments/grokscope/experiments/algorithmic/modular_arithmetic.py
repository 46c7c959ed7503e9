"""Modular arithmetic with an MLP: groks within seconds on one CPU core.

The model reads two residues through a shared embedding and predicts the result modulo p. On half of the
table of sums with weight decay it memorizes within 100 steps and generalizes near step 1,000; without weight
decay, or on a quarter of the table, it memorizes and stays there. In x^2+y^2 sign and order do not matter, so
few pairs tell the others: on half of its table it generalizes too soon after memorizing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch

from grokscope.experiments.algorithmic.tables import operation_table
from grokscope.experiments.demo import DEMO_ARMS, DEMO_STEPS
from grokscope.experiments.expectations import GROKS
from grokscope.experiments.experiment import Arm, Experiment
from grokscope.experiments.models.pairs import PairsMLP
from grokscope.experiments.recipe import Range, Recipe, setting
from grokscope.experiments.training.classifying import classifying
from grokscope.experiments.training.training import Training
from grokscope.schemas.runs.description import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class ModularArithmetic(Recipe):
    """Settings of modular arithmetic with an MLP."""

    FACTS: ClassVar[Mapping[str, Mapping[str, Value]]] = {
        "architecture": {"kind": "mlp", "activation": "relu"},
        "computation": {"task": "modular arithmetic"},
    }

    steps: int = setting(DEMO_STEPS, axis="exposure", says="optimizer steps")
    lr: float = setting(5e-3, axis="protocol", says="learning rate")
    weight_decay: float = setting(1.0, axis="regularization", says="decoupled weight decay")
    operation: str = setting("x+y", axis="computation", says="x+y, x-y, x*y, x/y or x^2+y^2")
    p: int = setting(47, axis="computation", says="modulus, a prime", param="modulus", allowed=Range(least=2))
    train_fraction: float = setting(
        0.5,
        axis="data",
        says="share of the table that is trained on",
        param="fraction",
        allowed=Range(above=0, below=1),
    )
    width: int = setting(
        48, axis="scale", says="size of the embedding", param="embedding", allowed=Range(least=1)
    )
    hidden: int = setting(128, axis="scale", says="hidden units", allowed=Range(least=1))


def prepare(recipe: ModularArithmetic) -> Training:
    """Return the training that a recipe describes."""
    torch.manual_seed(recipe.seed)
    train_set, test_set = operation_table(recipe.operation, recipe.p, recipe.train_fraction, recipe.seed)
    model = PairsMLP(recipe.p, recipe.width, recipe.hidden)
    return classifying(model, recipe, train_set, {"test": test_set})


MODULAR_ARITHMETIC = Experiment(
    name="modular-arithmetic",
    title="An MLP learns x+y (x-y, x*y, x/y, x²+y²) modulo 47 from half of the table",
    event="grokking",
    source="Power et al. 2022, arXiv:2201.02177; the MLP after Gromov 2023, arXiv:2301.02679",
    recipe=ModularArithmetic,
    prepare=prepare,
    arms=(
        *DEMO_ARMS,
        Arm(group="x-y", settings={"operation": "x-y"}, expects=GROKS),
        Arm(group="x*y", settings={"operation": "x*y"}, expects=GROKS),
        Arm(group="x/y", settings={"operation": "x/y"}, expects=GROKS),
        Arm(
            group="x^2+y^2, 35 % of the data",
            settings={"operation": "x^2+y^2", "train_fraction": 0.35},
            expects=GROKS,
        ),
    ),
    seconds=8,
)
