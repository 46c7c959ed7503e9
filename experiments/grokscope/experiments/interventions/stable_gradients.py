"""StableMax and the orthogonal gradient: generalization without weight decay, where cross-entropy memorizes.

Softmax rounds to 1 as soon as the logits are large, and its gradient mostly enlarges them. StableMax cannot
round, and the orthogonal gradient leaves out what only scales the weights. ``gradients/alignment`` tells how
much of the gradient scales, ``train/zero_loss_share`` what was rounded.
"""

from grokscope.experiments.algorithmic.modular_arithmetic import ModularArithmetic, prepare
from grokscope.experiments.expectations import GENERALIZES, GROKS, MEMORIZES
from grokscope.experiments.experiment import Arm, Experiment

_COMMON = {"weight_decay": 0.0, "train_fraction": 0.7}
_FASTER = 0.02
"""Learning rate of the orthogonal gradient; at 0.005 it does not fit all of the training set."""

STABLE_GRADIENTS = Experiment(
    name="stable-gradients",
    title="An MLP learns x+y modulo 47 from 70 % of the table without weight decay",
    event="grokking",
    source="Prieto et al. 2025, arXiv:2501.04697",
    recipe=ModularArithmetic,
    prepare=prepare,
    arms=(
        Arm(group="StableMax", settings={**_COMMON, "loss": "stablemax"}, expects=GROKS),
        Arm(
            group="orthogonal gradient, lr 0.02",
            settings={**_COMMON, "orthogonal_gradient": True, "lr": _FASTER},
            expects=GENERALIZES,
        ),
        Arm(group="plain cross-entropy", settings=_COMMON, expects=MEMORIZES, is_control=True),
        Arm(
            group="plain cross-entropy, lr 0.02",
            settings={**_COMMON, "lr": _FASTER},
            expects=MEMORIZES,
            is_control=True,
        ),
    ),
    seconds=9,
)
