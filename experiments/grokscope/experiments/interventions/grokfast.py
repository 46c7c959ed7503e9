"""Grokfast: the slow part of noisy gradients, made larger, brings memorization and generalization forward.

Batches are small here: noise then sets the size of Adam's steps, and more of the slow part goes through. With
the whole training set at each step there is no noise, and Grokfast only adds inertia: delays grow.
"""

from dataclasses import dataclass

from grokscope.experiments.algorithmic.modular_arithmetic import ModularArithmetic, prepare
from grokscope.experiments.expectations import GENERALIZES, GROKS
from grokscope.experiments.experiment import Arm, Experiment
from grokscope.experiments.recipe import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Grokfast(ModularArithmetic):
    """Settings of Grokfast: those of modular arithmetic, in small batches."""

    steps: int = setting(4000, axis="exposure", says="optimizer steps")
    batch: int = setting(64, axis="exposure", says="examples a step; 0 takes all")
    lr: float = setting(2e-3, axis="protocol", says="learning rate")
    train_fraction: float = setting(
        0.6, axis="data", says="share of the table that is trained on", param="fraction"
    )
    grokfast: float = setting(
        2.0, axis="protocol", says="how much of the slow part of gradients is added; 0 is off"
    )


GROKFAST = Experiment(
    name="grokfast",
    title="An MLP learns x+y modulo 47 in batches of 64, with the slow part of gradients made larger",
    event="grokking",
    source="Lee et al. 2024, arXiv:2405.20233",
    recipe=Grokfast,
    prepare=prepare,
    arms=(
        Arm(group="Grokfast", expects=GROKS),
        Arm(
            group="plain gradients",
            settings={"grokfast": 0.0},
            expects=GENERALIZES,
            is_control=True,
        ),
    ),
    seconds=6,
)
