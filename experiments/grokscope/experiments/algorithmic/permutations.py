"""Composition of permutations with an MLP: a group that does not commute.

The model reads two of the 120 permutations of five things through a shared embedding and predicts which one
they make together. On half of the table with weight decay it memorizes within 400 steps and generalizes near
step 2,500; without weight decay it memorizes and stays there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import ClassVar

import torch

from grokscope.experiments.algorithmic.tables import divided
from grokscope.experiments.expectations import GROKS, MEMORIZES
from grokscope.experiments.experiment import Arm, Experiment
from grokscope.experiments.models.pairs import PairsMLP
from grokscope.experiments.recipe import Range, Recipe, setting
from grokscope.experiments.training.batches import Split
from grokscope.experiments.training.classifying import classifying
from grokscope.experiments.training.training import Training
from grokscope.schemas.runs.description import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Permutations(Recipe):
    """Settings of the composition of permutations with an MLP."""

    FACTS: ClassVar[Mapping[str, Mapping[str, Value]]] = {
        "architecture": {"kind": "mlp", "activation": "relu"},
        "computation": {"task": "composition of permutations"},
    }

    steps: int = setting(4000, axis="exposure", says="optimizer steps")
    batch: int = setting(2048, axis="exposure", says="examples a step; 0 takes all")
    lr: float = setting(5e-3, axis="protocol", says="learning rate")
    weight_decay: float = setting(0.7, axis="regularization", says="decoupled weight decay")
    degree: int = setting(5, axis="computation", says="how many things are permuted", allowed=Range(least=2))
    train_fraction: float = setting(
        0.5,
        axis="data",
        says="share of the table that is trained on",
        param="fraction",
        allowed=Range(above=0, below=1),
    )
    width: int = setting(
        64, axis="scale", says="size of the embedding", param="embedding", allowed=Range(least=1)
    )
    hidden: int = setting(256, axis="scale", says="hidden units", allowed=Range(least=1))


def composition_table(degree: int) -> Split:
    """Return all pairs of permutations [n!^2, 2] and what x after y makes of each [n!^2], all by number.

    Permutations are numbered in the order of ``itertools.permutations``, so 0 is the identity.

    Args:
        degree: n, how many things are permuted.

    >>> pairs, results = composition_table(2)
    >>> pairs.tolist(), results.tolist()
    ([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0])
    """
    elements = list(permutations(range(degree)))
    number = {element: place for place, element in enumerate(elements)}
    results = [number[tuple(x[i] for i in y)] for x in elements for y in elements]
    numbers = torch.arange(len(elements))
    return torch.cartesian_prod(numbers, numbers), torch.tensor(results)


def prepare(recipe: Permutations) -> Training:
    """Return the training that a recipe describes."""
    torch.manual_seed(recipe.seed)
    train_set, test_set = divided(composition_table(recipe.degree), recipe.train_fraction, recipe.seed)
    elements = int(train_set[0].max()) + 1
    model = PairsMLP(elements, recipe.width, recipe.hidden)
    return classifying(model, recipe, train_set, {"test": test_set})


PERMUTATIONS = Experiment(
    name="permutations-s5",
    title="An MLP learns the composition of the 120 permutations of five things from half of the table",
    event="grokking",
    source="Power et al. 2022, arXiv:2201.02177; the MLP after Stander et al. 2023, arXiv:2312.06581",
    recipe=Permutations,
    prepare=prepare,
    arms=(
        Arm(group="weight decay 0.7", expects=GROKS),
        Arm(group="no weight decay", settings={"weight_decay": 0.0}, expects=MEMORIZES, is_control=True),
    ),
    seconds=46,
)
