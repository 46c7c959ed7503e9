"""Ungrokking: a network that has generalized goes on with fewer examples and learns them by heart.

Generalizing costs the same norm whatever the number of examples, memorizing more with each of them. Below a
critical number of examples memorizing is cheaper, and weight decay takes a grokked network there.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from grokscope.collectors import Measuring
from grokscope.experiments.algorithmic.modular_arithmetic import ModularArithmetic
from grokscope.experiments.algorithmic.tables import operation_table
from grokscope.experiments.experiment import Arm, Expectation, Experiment
from grokscope.experiments.models.pairs import PairsMLP
from grokscope.experiments.recipe import Range, setting
from grokscope.experiments.training.batches import Split
from grokscope.experiments.training.classifying import classifying
from grokscope.experiments.training.training import Training
from grokscope.schemas import Kind, Pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class Ungrokking(ModularArithmetic):
    """Settings of ungrokking: those of modular arithmetic, and when the training set shrinks to what."""

    steps: int = setting(4000, axis="exposure", says="optimizer steps")
    train_fraction: float = setting(
        0.6, axis="data", says="share of the table that is trained on at first", param="fraction"
    )
    shrinks_at: int = setting(
        1200, axis="data", says="step from which on fewer examples are trained on", allowed=Range(least=1)
    )
    shrinks_to: float = setting(0.15, axis="data", says="share of the table that is trained on from then on")


def prepare(recipe: Ungrokking) -> Training:
    """Return the training that a recipe describes; its train split is the set that is trained on by then.

    Raises:
        ValueError: If the set does not shrink, or not to a share of itself.
    """
    if not 0 < recipe.shrinks_to <= recipe.train_fraction:
        raise ValueError(
            f"shrinks_to is above 0 and at most train_fraction = {recipe.train_fraction}, "
            f"got {recipe.shrinks_to}"
        )
    torch.manual_seed(recipe.seed)
    many, test_set = operation_table(recipe.operation, recipe.p, recipe.train_fraction, recipe.seed)
    few = _first_of(many, recipe.shrinks_to / recipe.train_fraction)
    model = PairsMLP(recipe.p, recipe.width, recipe.hidden)
    at_first, later = (classifying(model, recipe, data, {"test": test_set}) for data in (many, few))
    loss_of, trained_on = _switching(at_first, later, recipe.shrinks_at)
    # How often an example was seen cannot be told of a set that changes.
    return replace(
        at_first,
        loss_of=loss_of,
        splits={"train": trained_on, "test": test_set},
        measuring=Measuring(loss=at_first.measuring.loss),
    )


def _first_of(data: Split, share: float) -> Split:
    count = max(1, round(share * len(data[1])))
    return data[0][:count], data[1][:count]


def _switching(
    at_first: Training, later: Training, step: int
) -> tuple[Callable[[int], Tensor], Callable[[], Split]]:
    """Return the loss, from ``step`` on the later training's, and what gives the set trained on last."""
    current = at_first

    def loss_of(now: int) -> Tensor:
        nonlocal current
        current = at_first if now < step else later
        return current.loss_of(now)

    return loss_of, lambda: current.splits["train"]


UNGROKKING = Experiment(
    name="ungrokking",
    title="An MLP that has learned x+y modulo 47 goes on with fewer examples",
    event="collapse",
    source="Varma et al. 2023, arXiv:2309.02390",
    recipe=Ungrokking,
    prepare=prepare,
    arms=(
        Arm(
            group="15 % of the table left",
            expects=Expectation(
                says="what was generalized is lost while the training set stays fit",
                patterns=frozenset({Pattern.COLLAPSE}),
                kinds=frozenset({Kind.COLLAPSE}),
                metric="test/accuracy",
            ),
        ),
        Arm(
            group="45 % of the table left",
            settings={"shrinks_to": 0.45},
            expects=Expectation(
                says="stays generalized: so many examples are above the critical number",
                patterns=frozenset({Pattern.GROKKING}),
                without=frozenset({Kind.COLLAPSE}),
            ),
            is_control=True,
        ),
    ),
    seconds=8,
)
