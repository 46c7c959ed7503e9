"""Modular arithmetic with a one-layer transformer, which reads "x op y =" and is asked at the last place.

On 60 % of the table with weight decay it memorizes within 100 steps and generalizes before step 1,000;
without weight decay, or on a quarter of the table, it memorizes and stays there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from grokscope.experiments.algorithmic.tables import operation_table
from grokscope.experiments.expectations import GROKS, MEMORIZES
from grokscope.experiments.experiment import Arm, Experiment
from grokscope.experiments.models.transformer import Transformer
from grokscope.experiments.recipe import Range, Recipe, setting
from grokscope.experiments.training.classifying import classifying
from grokscope.experiments.training.training import Training
from grokscope.schemas.runs.description import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class ModularArithmeticTransformer(Recipe):
    """Settings of modular arithmetic with a one-layer transformer."""

    FACTS: ClassVar[Mapping[str, Mapping[str, Value]]] = {
        "architecture": {"kind": "transformer", "activation": "relu", "normalization": "none"},
        "computation": {"task": "modular arithmetic"},
    }

    steps: int = setting(1500, axis="exposure", says="optimizer steps")
    lr: float = setting(3e-3, axis="protocol", says="learning rate")
    weight_decay: float = setting(2.0, axis="regularization", says="decoupled weight decay")
    operation: str = setting("x+y", axis="computation", says="x+y, x-y, x*y, x/y or x^2+y^2")
    p: int = setting(31, axis="computation", says="modulus, a prime", param="modulus", allowed=Range(least=2))
    train_fraction: float = setting(
        0.6,
        axis="data",
        says="share of the table that is trained on",
        param="fraction",
        allowed=Range(above=0, below=1),
    )
    width: int = setting(64, axis="scale", says="width of the residual stream", allowed=Range(least=1))
    heads: int = setting(4, axis="architecture", says="attention heads of a layer", allowed=Range(least=1))
    layers: int = setting(1, axis="scale", says="layers", param="depth", allowed=Range(least=1))
    hidden: int = setting(128, axis="scale", says="hidden units of a layer's MLP", allowed=Range(least=0))


def as_tokens(pairs: Tensor, p: int) -> Tensor:
    """Return pairs of residues [N, 2] as sequences "x op y =" [N, 4]; op is token p and = is token p + 1.

    >>> as_tokens(torch.tensor([[3, 4]]), 5)
    tensor([[3, 5, 4, 6]])
    """
    operator, equals = torch.full((2, len(pairs)), p) + torch.arange(2).unsqueeze(1)
    return torch.stack([pairs[:, 0], operator, pairs[:, 1], equals], dim=1)


def start_wide(model: nn.Module) -> None:
    """Draw the weights of linear layers with a variance of 1 / inputs, as Nanda et al. do, and clear biases.

    From torch's smaller ones attention starts even, and of x and y the network first learns what does not
    depend on their order.

    >>> layer = nn.Linear(10_000, 2)
    >>> start_wide(layer)
    >>> layer.weight.detach().std().round(decimals=2), layer.bias.tolist()
    (tensor(0.0100), [0.0, 0.0])
    """
    for module in model.modules():
        if isinstance(module, nn.Linear):
            for parameter in module.parameters():
                nn.init.normal_(parameter, std=module.in_features**-0.5 if parameter.ndim > 1 else 0.0)


def prepare(recipe: ModularArithmeticTransformer) -> Training:
    """Return the training that a recipe describes."""
    torch.manual_seed(recipe.seed)
    train_set, test_set = (
        (as_tokens(pairs, recipe.p), results)
        for pairs, results in operation_table(recipe.operation, recipe.p, recipe.train_fraction, recipe.seed)
    )
    model = Transformer(
        tokens=recipe.p + 2,
        classes=recipe.p,
        context=4,
        width=recipe.width,
        heads=recipe.heads,
        layers=recipe.layers,
        mlp=recipe.hidden,
        is_last_only=True,
    )
    start_wide(model)
    return classifying(model, recipe, train_set, {"test": test_set})


MODULAR_ARITHMETIC_TRANSFORMER = Experiment(
    name="modular-arithmetic-transformer",
    title='A one-layer transformer reads "x op y =" modulo 31 and learns from 60 % of the table',
    event="grokking",
    source="Power et al. 2022, arXiv:2201.02177; Nanda et al. 2023, arXiv:2301.05217",
    recipe=ModularArithmeticTransformer,
    prepare=prepare,
    arms=(
        Arm(group="x+y", expects=GROKS),
        Arm(group="x-y", settings={"operation": "x-y", "steps": 3000}, expects=GROKS),
        Arm(group="x*y", settings={"operation": "x*y"}, expects=GROKS),
        # Not of x+y: most of its test pairs are training pairs turned round, which need no weight decay.
        Arm(
            group="x-y, no weight decay",
            settings={"operation": "x-y", "weight_decay": 0.0, "steps": 3000},
            expects=MEMORIZES,
            is_control=True,
        ),
        Arm(group="25 % of the data", settings={"train_fraction": 0.25}, expects=MEMORIZES, is_control=True),
    ),
    seconds=13,
)
