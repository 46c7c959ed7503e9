"""Slingshots: Adam without weight decay falls out of its fit again and again, and each time the norm grows.

Long after the fit gradients are so small that Adam's second moments fade to almost nothing; the next gradient
of any size then makes a huge step. The training loss spikes for some ten steps, the norm of the last layer
jumps and stays, and the cycle begins anew. An ε as large as 1e-5 bounds the step and keeps slingshots away.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from grokscope.collectors.evaluating.schedule import every
from grokscope.experiments.algorithmic.tables import operation_table
from grokscope.experiments.experiment import Arm, Expectation, Experiment
from grokscope.experiments.models.mlp import MLP
from grokscope.experiments.recipe import Range, Recipe, setting
from grokscope.experiments.training.batches import Split
from grokscope.experiments.training.classifying import classifying
from grokscope.experiments.training.training import Training
from grokscope.schemas import Kind, Pattern
from grokscope.schemas.runs.description import Value

_EVALUATED = 3
"""Steps between evaluations: a spike lasts about ten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slingshot(Recipe):
    """Settings of slingshots."""

    FACTS: ClassVar[Mapping[str, Mapping[str, Value]]] = {
        "architecture": {"kind": "mlp", "activation": "relu"},
        "computation": {"task": "modular arithmetic", "operation": "x+y"},
    }

    steps: int = setting(3300, axis="exposure", says="optimizer steps")
    optimizer: str = setting("adam", axis="protocol", says="adamw, adam, sgd or muon")
    lr: float = setting(0.02, axis="protocol", says="learning rate")
    p: int = setting(17, axis="computation", says="modulus", param="modulus", allowed=Range(least=2))
    train_fraction: float = setting(
        0.5,
        axis="data",
        says="share of the table that is trained on",
        param="fraction",
        allowed=Range(above=0, below=1),
    )
    hidden: int = setting(96, axis="scale", says="hidden units a layer", allowed=Range(least=1))
    layers: int = setting(3, axis="scale", param="depth", says="hidden layers", allowed=Range(least=1))


def prepare(recipe: Slingshot) -> Training:
    """Return the training that a recipe describes."""
    torch.manual_seed(recipe.seed)
    train_set, test_set = (
        _one_hot_pairs(split, recipe.p)
        for split in operation_table("x+y", recipe.p, recipe.train_fraction, recipe.seed)
    )
    model = MLP(2 * recipe.p, *[recipe.hidden] * recipe.layers, recipe.p)
    training = classifying(model, recipe, train_set, {"test": test_set})
    return replace(training, schedule=every(_EVALUATED))


def _one_hot_pairs(split: Split, p: int) -> Split:
    pairs, results = split
    rows: Tensor = one_hot(pairs, p).flatten(1).float()
    return rows, results


SLINGSHOT = Experiment(
    name="slingshot",
    title="A deep MLP memorizes half of x+y modulo 17 with Adam and goes on",
    event="slingshot",
    source="Thilak et al. 2022, arXiv:2206.04817",
    recipe=Slingshot,
    prepare=prepare,
    arms=(
        Arm(
            group="ε 1e-8",
            expects=Expectation(
                says="falls out of its fit and comes back, twice or more",
                kinds=frozenset({Kind.SLINGSHOT}),
                metric="train/accuracy",
            ),
        ),
        Arm(
            group="ε 1e-5",
            settings={"eps": 1e-5},
            expects=Expectation(
                says="stays fit",
                patterns=frozenset({Pattern.MEMORIZATION}),
                without=frozenset({Kind.SLINGSHOT}),
            ),
            is_control=True,
        ),
    ),
    seconds=10,
)
