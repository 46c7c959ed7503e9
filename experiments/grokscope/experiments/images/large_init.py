"""Digits from large initial weights: an ordinary image task that groks.

A network that starts with weights eight times as large as usual fits 200 images without learning what they
share. Weight decay shrinks the weights, and the held-out images are classified long after the training
images are. From usual weights both are learned at once; where the weights stay large, three of four held-out
images are still wrong at the end.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch

from grokscope.experiments.expectations import GROKS
from grokscope.experiments.experiment import Arm, Expectation, Experiment
from grokscope.experiments.images.digits import CLASSES, PIXELS, split_digits
from grokscope.experiments.models.mlp import MLP
from grokscope.experiments.recipe import Range, Recipe, setting
from grokscope.experiments.training.classifying import classifying
from grokscope.experiments.training.training import Training
from grokscope.schemas import Kind, Pattern
from grokscope.schemas.runs.description import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class LargeInit(Recipe):
    """Settings of digits from large initial weights."""

    FACTS: ClassVar[Mapping[str, Mapping[str, Value]]] = {
        "architecture": {"kind": "mlp", "activation": "relu"},
        "computation": {"task": "digits"},
    }

    steps: int = setting(10000, axis="exposure", says="optimizer steps")
    lr: float = setting(3e-3, axis="protocol", says="learning rate")
    weight_decay: float = setting(0.1, axis="regularization", says="decoupled weight decay")
    loss: str = setting("mse", axis="protocol", says="cross_entropy, stablemax, hinge or mse")
    train_images: int = setting(
        200, axis="exposure", says="images to train on, of 1,797", param="unique_examples"
    )
    init_scale: float = setting(
        8.0, axis="protocol", says="multiplies torch's initial weights", allowed=Range(above=0)
    )
    hidden: int = setting(
        100, axis="scale", says="units of each of two hidden layers", allowed=Range(least=1)
    )


def prepare(recipe: LargeInit) -> Training:
    """Return the training that a recipe describes."""
    torch.manual_seed(recipe.seed)
    train_set, test_set = split_digits(recipe.train_images, recipe.seed)
    model = MLP(PIXELS, recipe.hidden, recipe.hidden, CLASSES, scale=recipe.init_scale)
    return classifying(model, recipe, train_set, {"test": test_set})


LEARNS = Expectation(says="learns both sets at once", patterns=frozenset({Pattern.COMPREHENSION}))
MEMORIZES = Expectation(
    says="memorizes, and the held-out accuracy stays low",
    kinds=frozenset({Kind.MEMORIZATION}),
    without=frozenset({Kind.GENERALIZATION}),
)

LARGE_INIT = Experiment(
    name="digits-large-init",
    title="An MLP classifies digits from 200 images and initial weights that are 8 times as large as usual",
    event="grokking",
    source="Omnigrok: Liu et al. 2022, arXiv:2210.01117",
    recipe=LargeInit,
    prepare=prepare,
    arms=(
        Arm(group="init x 8", expects=GROKS),
        Arm(group="init x 1", settings={"init_scale": 1.0}, expects=LEARNS, is_control=True),
        Arm(group="no weight decay", settings={"weight_decay": 0.0}, expects=MEMORIZES, is_control=True),
        Arm(group="norm kept", settings={"norm_clamp": 1.0}, expects=MEMORIZES, is_control=True),
    ),
    seconds=12,
)
