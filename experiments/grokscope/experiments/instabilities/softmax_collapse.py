"""Softmax collapse: without weight decay logits grow until the loss rounds to exactly 0, and learning stops.

Once the training set is fit, most of the gradient only enlarges the logits. An example whose other classes
are rounded away has no gradient left; in float16 that is soon all of them. ``train/zero_loss_share`` goes to
1, ``gradients/norm`` and ``updates/ratio`` to 0, and what was memorized stays for good.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from grokscope.experiments.algorithmic.modular_arithmetic import ModularArithmetic
from grokscope.experiments.algorithmic.tables import operation_table
from grokscope.experiments.expectations import GENERALIZES, MEMORIZES
from grokscope.experiments.experiment import Arm, Experiment
from grokscope.experiments.models.pairs import PairsMLP
from grokscope.experiments.recipe import setting
from grokscope.experiments.training.classifying import classifying
from grokscope.experiments.training.losses import loss_by_name
from grokscope.experiments.training.training import Training

_PRECISIONS = {"float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32}


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftmaxCollapse(ModularArithmetic):
    """Settings of softmax collapse: those of modular arithmetic without weight decay, and a precision."""

    steps: int = setting(1000, axis="exposure", says="optimizer steps")
    lr: float = setting(0.05, axis="protocol", says="learning rate")
    weight_decay: float = setting(0.0, axis="regularization", says="decoupled weight decay")
    p: int = setting(31, axis="computation", says="modulus, a prime", param="modulus")
    train_fraction: float = setting(
        0.7, axis="data", says="share of the table that is trained on", param="fraction"
    )
    dtype: str = setting(
        "float16",
        axis="computation",
        says="of logits and loss: float16, bfloat16 or float32",
        allowed=tuple(_PRECISIONS),
    )


class Rounded(nn.Module):
    """A network whose logits are rounded to a precision; its weights keep theirs.

    >>> Rounded(nn.Identity(), torch.float16)(torch.tensor([1.0001]))
    tensor([1.], dtype=torch.float16)
    """

    def __init__(self, network: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.network = network
        self.dtype = dtype

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the network's logits, rounded."""
        return self.network(inputs).to(self.dtype)


def prepare(recipe: SoftmaxCollapse) -> Training:
    """Return the training that a recipe describes."""
    torch.manual_seed(recipe.seed)
    train_set, test_set = operation_table(recipe.operation, recipe.p, recipe.train_fraction, recipe.seed)
    network = PairsMLP(recipe.p, recipe.width, recipe.hidden)
    model = Rounded(network, _PRECISIONS[recipe.dtype])
    training = classifying(model, recipe, train_set, {"test": test_set})
    # As it is descended: a tracker's own loss is taken in float32.
    return replace(training, measuring=replace(training.measuring, loss=loss_by_name(recipe.loss)))


SOFTMAX_COLLAPSE = Experiment(
    name="softmax-collapse",
    title="An MLP learns x+y modulo 31 in float16 without weight decay",
    event="memorization",
    source="Prieto et al. 2025, arXiv:2501.04697",
    recipe=SoftmaxCollapse,
    prepare=prepare,
    arms=(
        *(
            Arm(
                group=dtype,
                settings={"dtype": dtype},
                expects=MEMORIZES,
            )
            for dtype in ("float16", "float32")
        ),
        Arm(
            group="orthogonal gradient in float16",
            settings={"orthogonal_gradient": True, "lr": 0.02},
            expects=GENERALIZES,
            is_control=True,
        ),
    ),
    seconds=3,
)
