"""The share of the table that is trained on: memorization below a critical one, shorter delays above it."""

from grokscope.experiments.algorithmic.modular_arithmetic import ModularArithmetic, prepare
from grokscope.experiments.expectations import GENERALIZES, GROKS, MEMORIZES
from grokscope.experiments.experiment import Arm, Experiment

_STEPS = 3000

DATA_FRACTION = Experiment(
    name="data-fraction",
    title="An MLP learns x+y modulo 47 from 25 to 90 % of the table",
    event="grokking",
    source="Power et al. 2022, arXiv:2201.02177, section 3.1; Liu et al. 2022, arXiv:2205.10343",
    recipe=ModularArithmetic,
    prepare=prepare,
    arms=(
        *(
            Arm(
                group=f"{fraction:.0%} of the data".replace("%", " %"),
                settings={"train_fraction": fraction, "steps": _STEPS},
                expects=GROKS,
            )
            for fraction in (0.4, 0.6)
        ),
        Arm(
            group="90 % of the data",
            settings={"train_fraction": 0.9, "steps": _STEPS},
            expects=GENERALIZES,
        ),
        Arm(
            group="25 % of the data",
            settings={"train_fraction": 0.25, "steps": _STEPS},
            expects=MEMORIZES,
            is_control=True,
        ),
    ),
    seconds=7,
)
