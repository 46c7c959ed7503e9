"""Divergence: with a learning rate far too high the loss of gradient descent overflows within a few steps."""

from dataclasses import dataclass

from grokscope.experiments.algorithmic.modular_arithmetic import ModularArithmetic, prepare
from grokscope.experiments.expectations import MEMORIZES
from grokscope.experiments.experiment import Arm, Expectation, Experiment
from grokscope.experiments.recipe import setting
from grokscope.schemas import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence(ModularArithmetic):
    """Settings of divergence: those of modular arithmetic by plain gradient descent."""

    steps: int = setting(500, axis="exposure", says="optimizer steps")
    optimizer: str = setting("sgd", axis="protocol", says="adamw, adam, sgd or muon")
    lr: float = setting(100.0, axis="protocol", says="learning rate")
    momentum: float = setting(0.9, axis="protocol", says="momentum of sgd and muon")
    weight_decay: float = setting(0.0, axis="regularization", says="weight decay")


DIVERGENCE = Experiment(
    name="divergence",
    title="An MLP learns x+y modulo 47 by gradient descent with too large steps",
    event="divergence",
    source="Cohen et al. 2021, arXiv:2103.00065: above 2 / sharpness steps overshoot",
    recipe=Divergence,
    prepare=prepare,
    arms=(
        Arm(
            group="learning rate 100",
            expects=Expectation(
                says="from some step on to the end losses are no numbers", kinds=frozenset({Kind.DIVERGENCE})
            ),
        ),
        Arm(group="learning rate 1", settings={"lr": 1.0}, expects=MEMORIZES, is_control=True),
    ),
    seconds=1,
)
