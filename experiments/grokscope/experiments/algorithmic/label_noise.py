"""Modular addition with wrong labels: the network generalizes and gives the wrong labels up.

A part of the training labels is replaced. The network first memorizes all of them. With the squared error
and weight decay it later finds the rule, for the held-out pairs first and then for the training pairs whose
labels are wrong: its accuracy by these labels falls to 0. Doshi et al. call that inversion. A network of
twice the width keeps the wrong labels as exceptions, and without weight decay it only memorizes.

The pairs with wrong labels are measured twice: as ``train_corrupted`` by the labels that they are trained
on, and as ``shift:true_labels`` by the right results, which the network is never told.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from grokscope.experiments.algorithmic.modular_arithmetic import ModularArithmetic
from grokscope.experiments.algorithmic.tables import operation_table
from grokscope.experiments.experiment import Arm, Expectation, Experiment
from grokscope.experiments.models.pairs import PairsMLP
from grokscope.experiments.recipe import setting
from grokscope.experiments.training.classifying import classifying
from grokscope.experiments.training.training import Training
from grokscope.schemas import Kind, Pattern
from grokscope.schemas.runs.description import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelNoise(ModularArithmetic):
    """Settings of modular arithmetic with wrong labels."""

    FACTS: ClassVar[Mapping[str, Mapping[str, Value]]] = {
        "architecture": {"kind": "mlp", "activation": "relu"},
        "computation": {"task": "modular arithmetic with wrong labels"},
    }

    loss: str = setting("mse", axis="protocol", says="cross_entropy, stablemax, hinge or mse")
    weight_decay: float = setting(4.0, axis="regularization", says="decoupled weight decay")
    label_noise: float = setting(0.1, axis="data", says="share of the training labels that are wrong")


def with_wrong_labels(labels: Tensor, classes: int, share: float, seed: int) -> tuple[Tensor, Tensor]:
    """Return labels of which a share is replaced by other classes, and the places of these.

    Args:
        labels: Classes [N].
        classes: How many there are.
        share: Of the labels that are replaced, 0 to 1; each by one of the other classes at random.
        seed: Of the places and the classes.

    Raises:
        ValueError: If ``share`` is not from 0 to 1.

    >>> labels, places = with_wrong_labels(torch.zeros(10, dtype=torch.int64), 5, 0.3, seed=0)
    >>> len(places), int((labels != 0).sum()), bool((labels[places] != 0).all())
    (3, 3, True)
    """
    if not 0 <= share <= 1:
        raise ValueError(f"label_noise is a share from 0 to 1, got {share}")
    generator = torch.Generator().manual_seed(seed)
    count = round(share * len(labels))
    places = torch.randperm(len(labels), generator=generator)[:count]
    wrong = labels.clone()
    wrong[places] = (labels[places] + torch.randint(1, classes, (count,), generator=generator)) % classes
    return wrong, places


def prepare(recipe: LabelNoise) -> Training:
    """Return the training that a recipe describes."""
    torch.manual_seed(recipe.seed)
    (pairs, results), test_set = operation_table(
        recipe.operation, recipe.p, recipe.train_fraction, recipe.seed
    )
    labels, places = with_wrong_labels(results, recipe.p, recipe.label_noise, recipe.seed)
    held_out = {"test": test_set}
    if len(places):
        held_out["train_corrupted"] = (pairs[places], labels[places])
        held_out["shift:true_labels"] = (pairs[places], results[places])
    model = PairsMLP(recipe.p, recipe.width, recipe.hidden)
    # By the seed of the wrong labels the first batches would hold all of them.
    in_another_order = replace(recipe, seed=recipe.seed + 1)
    return classifying(model, in_another_order, (pairs, labels), held_out)


RESTORED = "shift:true_labels/accuracy"
INVERTS = Expectation(
    says="memorizes all labels, then generalizes and gives the wrong ones up",
    patterns=frozenset({Pattern.GROKKING}),
    kinds=frozenset({Kind.GENERALIZATION}),
    metric=RESTORED,
)
KEEPS = Expectation(
    says="generalizes and keeps the wrong labels",
    patterns=frozenset({Pattern.GROKKING}),
    without=frozenset({Kind.GENERALIZATION}),
    metric=RESTORED,
)
MEMORIZES = Expectation(says="memorizes all labels", patterns=frozenset({Pattern.MEMORIZATION}))
GENERALIZES = Expectation(says="generalizes", kinds=frozenset({Kind.GENERALIZATION}), metric="test/accuracy")

LABEL_NOISE = Experiment(
    name="label-noise",
    title="An MLP learns x+y modulo 47 although one label in ten is wrong",
    event="inversion",
    source="Doshi et al. 2024, arXiv:2310.13061",
    recipe=LabelNoise,
    prepare=prepare,
    arms=(
        Arm(group="10 % wrong labels", expects=INVERTS),
        Arm(group="256 hidden units", settings={"hidden": 256}, expects=KEEPS, is_control=True),
        Arm(group="no weight decay", settings={"weight_decay": 0.0}, expects=MEMORIZES, is_control=True),
        Arm(group="no wrong labels", settings={"label_noise": 0.0}, expects=GENERALIZES, is_control=True),
    ),
    seconds=8,
)
