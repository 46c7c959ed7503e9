"""Sparse parity: the product of a few secret bits among many.

With stochastic gradients on 1,000 examples an MLP memorizes them first and finds the secret bits later; on
four times as many it finds the bits at once; with AdamW on all examples a step it only memorizes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import torch

from grokscope.collectors.measures.tasks.parity import sparse_parity
from grokscope.experiments.expectations import GROKS, MEMORIZES
from grokscope.experiments.experiment import Arm, Expectation, Experiment
from grokscope.experiments.models.mlp import MLP
from grokscope.experiments.recipe import Range, Recipe, setting
from grokscope.experiments.training.batches import Split
from grokscope.experiments.training.classifying import classifying
from grokscope.experiments.training.training import Training
from grokscope.schemas import Pattern
from grokscope.schemas.runs.description import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class SparseParity(Recipe):
    """Settings of sparse parity with an MLP."""

    FACTS: ClassVar[Mapping[str, Mapping[str, Value]]] = {
        "architecture": {"kind": "mlp", "activation": "relu"},
        "computation": {"task": "sparse parity"},
    }

    steps: int = setting(8000, axis="exposure", says="optimizer steps")
    batch: int = setting(32, axis="exposure", says="examples a step; 0 takes all")
    optimizer: str = setting("sgd", axis="protocol", says="adamw, adam, sgd or muon")
    lr: float = setting(0.1, axis="protocol", says="learning rate")
    weight_decay: float = setting(0.01, axis="regularization", says="weight decay; not decoupled with sgd")
    loss: str = setting("hinge", axis="protocol", says="cross_entropy, stablemax, hinge or mse")
    bits: int = setting(40, axis="computation", says="bits of an input", allowed=Range(least=1))
    parity_bits: int = setting(3, axis="computation", says="bits whose product is the class")
    examples: int = setting(
        1000, axis="exposure", says="training examples", param="unique_examples", allowed=Range(least=1)
    )
    test_examples: int = setting(1000, axis="data", says="test examples", allowed=Range(least=1))
    hidden: int = setting(200, axis="scale", says="hidden units", allowed=Range(least=1))


def parity_data(count: int, *, bits: int, secret: Sequence[int], generator: torch.Generator) -> Split:
    """Return inputs [count, bits] of -1 and 1, and classes: 1 where the product of the secret bits is 1.

    Args:
        count: How many examples; some may be equal where there are few bits.
        bits: Of an input.
        secret: Indices of the secret bits.
        generator: What the inputs are drawn with.

    >>> inputs, classes = parity_data(
    ...     3, bits=4, secret=[0, 2], generator=torch.Generator().manual_seed(0)
    ... )
    >>> inputs.tolist()
    [[-1.0, 1.0, 1.0, -1.0], [1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, -1.0]]
    >>> classes.tolist()
    [0, 1, 1]
    """
    inputs = torch.randint(2, (count, bits), generator=generator).float() * 2 - 1
    return inputs, (inputs[:, list(secret)].prod(dim=1) > 0).long()


def prepare(recipe: SparseParity) -> Training:
    """Return the training that a recipe describes.

    Raises:
        ValueError: If there are fewer bits than secret ones.
    """
    if not 0 < recipe.parity_bits <= recipe.bits:
        raise ValueError(f"parity_bits is 1 to bits ({recipe.bits}), got {recipe.parity_bits}")
    torch.manual_seed(recipe.seed)
    generator = torch.Generator().manual_seed(recipe.seed)
    secret = [int(bit) for bit in torch.randperm(recipe.bits, generator=generator)[: recipe.parity_bits]]
    train_set, test_set = (
        parity_data(count, bits=recipe.bits, secret=secret, generator=generator)
        for count in (recipe.examples, recipe.test_examples)
    )
    model = MLP(recipe.bits, recipe.hidden, 2)
    training = classifying(model, recipe, train_set, {"test": test_set})
    return replace(training, measures=[sparse_parity(bits=recipe.bits, relevant=secret)])


COMPREHENDS = Expectation(
    says="generalizes as it learns, without memorizing first", patterns=frozenset({Pattern.COMPREHENSION})
)

SPARSE_PARITY = Experiment(
    name="sparse-parity",
    title="An MLP learns the product of 3 secret bits among 40 from 1,000 examples",
    event="grokking",
    source="Barak et al. 2022, arXiv:2207.08799; Merrill et al. 2023, arXiv:2303.11873",
    recipe=SparseParity,
    prepare=prepare,
    arms=(
        Arm(group="SGD", expects=GROKS),
        Arm(
            group="4,000 examples",
            settings={"examples": 4000, "steps": 4000},
            expects=COMPREHENDS,
            is_control=True,
        ),
        Arm(
            group="AdamW on all examples",
            settings={
                "batch": 0,
                "optimizer": "adamw",
                "lr": 1e-3,
                "weight_decay": 1.0,
                "loss": "cross_entropy",
                "steps": 3000,
            },
            expects=MEMORIZES,
            is_control=True,
        ),
    ),
    seconds=6,
)
