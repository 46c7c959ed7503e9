"""The norm of the weights, kept at a multiple of its start: the larger it is, the longer the delay.

Without weight decay the norm grows until the network has memorized. On a sphere of twice the first norm it
generalizes soon after the fit, of three times later, of five times not within the budget.
"""

from grokscope.experiments.algorithmic.modular_arithmetic import ModularArithmetic, prepare
from grokscope.experiments.expectations import GROKS, MEMORIZES
from grokscope.experiments.experiment import Arm, Experiment

NORM_CLAMP = Experiment(
    name="norm-clamp",
    title="An MLP learns x+y modulo 47 without weight decay at a fixed norm of its weights",
    event="grokking",
    source="Liu et al. 2022, arXiv:2210.01117",
    recipe=ModularArithmetic,
    prepare=prepare,
    arms=(
        *(
            Arm(
                group=f"{multiple:g} times the first norm",
                settings={"weight_decay": 0.0, "norm_clamp": multiple},
                expects=GROKS,
            )
            for multiple in (2.0, 3.0)
        ),
        *(
            Arm(
                group=group,
                settings={"weight_decay": 0.0, "norm_clamp": multiple},
                expects=MEMORIZES,
                is_control=True,
            )
            for group, multiple in (("5 times the first norm", 5.0), ("free norm", 0.0))
        ),
    ),
    seconds=7,
)
