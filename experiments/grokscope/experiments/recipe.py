"""A recipe: every setting of one training run, each with the survey's axis that it is logged under."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from grokscope.schemas import RunDescription, Setting
from grokscope.schemas.runs.description import AXES, Value


def setting(default: Value, *, axis: str, says: str, param: str | None = None) -> Any:
    """Return a field of a recipe that sweeps may vary and that is logged as a param.

    Args:
        default: Its value where nothing else is said.
        axis: Field of ``RunDescription`` that it belongs to.
        says: What it is, with its unit, in a few words.
        param: Its name among the params of the axis, if not the field's own.

    Raises:
        ValueError: If there is no such axis.
    """
    if axis not in AXES:
        raise ValueError(f"an axis is one of {', '.join(AXES)}, got {axis!r}")
    return field(default=default, metadata={"axis": axis, "says": says, "param": param})


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One training run: what every experiment can be told.

    The fields of a subclass are its own settings; ``FACTS`` are what it never varies, by axis.

    Attributes:
        group: What runs that differ only in their seed share.
        seed: Seeds the initial weights, the data and its order.
    """

    FACTS: ClassVar[Mapping[str, Mapping[str, Value]]] = {}

    group: str = ""
    seed: int = 0
    steps: int = setting(1000, axis="exposure", says="optimizer steps")
    batch: int = setting(0, axis="exposure", says="examples a step; 0 takes all")
    optimizer: str = setting("adamw", axis="protocol", says="adamw, adam, sgd or muon")
    lr: float = setting(1e-3, axis="protocol", says="learning rate")
    momentum: float = setting(0.0, axis="protocol", says="momentum of sgd and muon")
    beta1: float = setting(0.9, axis="protocol", says="decay of Adam's mean of gradients")
    beta2: float = setting(0.98, axis="protocol", says="decay of Adam's mean of squared gradients")
    eps: float = setting(1e-8, axis="protocol", says="what Adam adds to the root of that mean")
    grokfast: float = setting(
        0.0, axis="protocol", says="how much of the slow part of gradients is added; 0 is off"
    )
    grokfast_memory: float = setting(0.98, axis="protocol", says="decay of the mean that is the slow part")
    orthogonal_gradient: bool = setting(
        False, axis="protocol", says="take from each gradient what only scales its weights"
    )
    weight_decay: float = setting(0.0, axis="regularization", says="weight decay, decoupled but for adam")
    norm_clamp: float = setting(
        0.0,
        axis="regularization",
        says="keep the norm of the weights at this multiple of its start; 0 is off",
    )
    loss: str = setting("cross_entropy", axis="protocol", says="cross_entropy, stablemax, hinge or mse")

    def describe(self) -> RunDescription:
        """Return the run on the survey's axes.

        >>> Recipe(group="g", lr=0.1).describe().to_params()["intervention.protocol.lr"]
        0.1
        """
        axes: dict[str, dict[str, Value]] = {axis: dict(self.FACTS.get(axis, {})) for axis in AXES}
        for one in fields(self):
            if "axis" in one.metadata:
                axes[one.metadata["axis"]][one.metadata["param"] or one.name] = getattr(self, one.name)
        return RunDescription(setting=Setting.BRIDGE, group=self.group, seed=self.seed, **axes)
