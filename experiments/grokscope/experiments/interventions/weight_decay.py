"""Weight decay: the more of it, the sooner modular arithmetic generalizes; without any it only memorizes.

Delays go roughly as one over learning rate times weight decay, down to where decay keeps the network from
fitting its examples at all (near 10 here).
"""

from grokscope.experiments.algorithmic.modular_arithmetic import ModularArithmetic, prepare
from grokscope.experiments.expectations import GROKS, MEMORIZES
from grokscope.experiments.experiment import Arm, Experiment

_STEPS = 3500

WEIGHT_DECAY = Experiment(
    name="weight-decay",
    title="An MLP learns x+y modulo 47 with weight decay from 0 to 3",
    event="grokking",
    source="Power et al. 2022, arXiv:2201.02177, section 3.3; Liu et al. 2022, arXiv:2205.10343",
    recipe=ModularArithmetic,
    prepare=prepare,
    arms=(
        *(
            Arm(
                group=f"weight decay {decay:g}",
                settings={"weight_decay": decay, "steps": _STEPS},
                expects=GROKS,
            )
            for decay in (0.3, 1.0, 3.0)
        ),
        Arm(
            group="no weight decay",
            settings={"weight_decay": 0.0, "steps": _STEPS},
            expects=MEMORIZES,
            is_control=True,
        ),
    ),
    seconds=8,
)
