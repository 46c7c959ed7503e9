"""Muon beside AdamW at one learning rate: both grok.

Muon moves the hidden matrices, AdamW the embedding and the output layer. That Muon groks sooner, as the
source has it, is not seen at equal rates here: AdamW alone is first at 0.02 and at 0.005.
"""

from grokscope.experiments.algorithmic.modular_arithmetic import ModularArithmetic, prepare
from grokscope.experiments.expectations import GROKS, MEMORIZES
from grokscope.experiments.experiment import Arm, Experiment

MUON = Experiment(
    name="muon",
    title="An MLP learns x+y modulo 47 with Muon and with AdamW",
    event="grokking",
    source="Tveit et al. 2025, arXiv:2504.16041; Jordan 2024, https://kellerjordan.github.io/posts/muon",
    recipe=ModularArithmetic,
    prepare=prepare,
    arms=(
        Arm(group="Muon", settings={"optimizer": "muon", "lr": 0.02}, expects=GROKS),
        Arm(group="AdamW", settings={"lr": 0.02}, expects=GROKS),
        Arm(
            group="Muon without weight decay",
            settings={"optimizer": "muon", "lr": 0.02, "weight_decay": 0.0},
            expects=MEMORIZES,
            is_control=True,
        ),
    ),
    seconds=12,
)
