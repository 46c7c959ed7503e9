"""A recipe: every setting of one training run, each with the survey's axis that it is logged under."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from grokscope.schemas import RunDescription, Setting
from grokscope.schemas.runs.description import AXES, Value

OPTIMIZERS = ("adamw", "adam", "sgd", "muon")
LOSSES = ("cross_entropy", "stablemax", "hinge", "mse")
_MUONS_MOMENTUM = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """The numbers that a setting can be.

    >>> str(Range(least=0, below=1)), 1.0 in Range(least=0, below=1)
    ('at least 0 and below 1', False)
    """

    least: float | None = None
    above: float | None = None
    below: float | None = None

    def __contains__(self, value: float) -> bool:
        return (
            (self.least is None or value >= self.least)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
        )

    def __str__(self) -> str:
        ends = {"at least": self.least, "above": self.above, "below": self.below}
        return " and ".join(f"{words} {end:g}" for words, end in ends.items() if end is not None)


Allowed = Range | tuple[str, ...]
_SHARE = Range(least=0, below=1)


def setting(
    default: Value, *, axis: str, says: str, param: str | None = None, allowed: Allowed | None = None
) -> Any:
    """Return a field of a recipe that sweeps may vary and that is logged as a param.

    Args:
        default: Its value where nothing else is said.
        axis: Field of ``RunDescription`` that it belongs to.
        says: What it is, with its unit, in a few words.
        param: Its name among the params of the axis, if not the field's own.
        allowed: What it can be; ``None`` for what the recipe allows that this one is derived from.

    Raises:
        ValueError: If there is no such axis.
    """
    if axis not in AXES:
        raise ValueError(f"an axis is one of {', '.join(AXES)}, got {axis!r}")
    return field(default=default, metadata={"axis": axis, "says": says, "param": param, "allowed": allowed})


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One training run: what every experiment can be told.

    The fields of a subclass are its own settings; ``FACTS`` are what it never varies, by axis.

    Attributes:
        group: What runs that differ only in their seed share.
        seed: Seeds the initial weights, the data and its order.

    Raises:
        ValueError: If a setting is none that its experiment allows.

    >>> try:
    ...     Recipe(lr=0.0)
    ... except ValueError as error:
    ...     print(error)
    lr is above 0, got 0.0
    """

    FACTS: ClassVar[Mapping[str, Mapping[str, Value]]] = {}

    group: str = ""
    seed: int = 0
    steps: int = setting(1000, axis="exposure", says="optimizer steps", allowed=Range(least=1))
    batch: int = setting(0, axis="exposure", says="examples a step; 0 takes all", allowed=Range(least=0))
    optimizer: str = setting("adamw", axis="protocol", says="adamw, adam, sgd or muon", allowed=OPTIMIZERS)
    lr: float = setting(1e-3, axis="protocol", says="learning rate", allowed=Range(above=0))
    momentum: float = setting(
        0.0, axis="protocol", says="momentum of sgd and muon; of muon 0 means 0.95", allowed=_SHARE
    )
    beta1: float = setting(0.9, axis="protocol", says="decay of Adam's mean of gradients", allowed=_SHARE)
    beta2: float = setting(
        0.98, axis="protocol", says="decay of Adam's mean of squared gradients", allowed=_SHARE
    )
    eps: float = setting(
        1e-8, axis="protocol", says="what Adam adds to the root of that mean", allowed=Range(least=0)
    )
    grokfast: float = setting(
        0.0,
        axis="protocol",
        says="how much of the slow part of gradients is added; 0 is off",
        allowed=Range(least=0),
    )
    grokfast_memory: float = setting(
        0.98, axis="protocol", says="decay of the mean that is the slow part", allowed=_SHARE
    )
    orthogonal_gradient: bool = setting(
        False, axis="protocol", says="take from each gradient what only scales its weights"
    )
    weight_decay: float = setting(
        0.0,
        axis="regularization",
        says="weight decay; decoupled with adamw and muon",
        allowed=Range(least=0),
    )
    norm_clamp: float = setting(
        0.0,
        axis="regularization",
        says="keep the norm of the weights at this multiple of its start; 0 is off",
        allowed=Range(least=0),
    )
    loss: str = setting(
        "cross_entropy", axis="protocol", says="cross_entropy, stablemax, hinge or mse", allowed=LOSSES
    )

    def __post_init__(self) -> None:
        for one in fields(self):
            _check(one.name, getattr(self, one.name), _allowed(type(self), one.name))

    @property
    def momentum_in_use(self) -> float:
        """Momentum of sgd or muon; muon is not used without any."""
        return self.momentum or (_MUONS_MOMENTUM if self.optimizer == "muon" else 0.0)

    def describe(self) -> RunDescription:
        """Return the run on the survey's axes, without settings that change nothing beside the others.

        >>> params = Recipe(group="g", optimizer="sgd", lr=0.1).describe().to_params()
        >>> params["intervention.protocol.lr"], "intervention.protocol.beta1" in params
        (0.1, False)
        """
        axes: dict[str, dict[str, Value]] = {axis: dict(self.FACTS.get(axis, {})) for axis in AXES}
        for one in fields(self):
            if "axis" in one.metadata and self._is_in_use(one.name):
                value = self.momentum_in_use if one.name == "momentum" else getattr(self, one.name)
                axes[one.metadata["axis"]][one.metadata["param"] or one.name] = value
        return RunDescription(setting=Setting.BRIDGE, group=self.group, seed=self.seed, **axes)

    def _is_in_use(self, name: str) -> bool:
        if name in ("beta1", "beta2", "eps"):
            return self.optimizer != "sgd"
        if name == "momentum":
            return self.optimizer in ("sgd", "muon")
        return name != "grokfast_memory" or self.grokfast > 0


def _allowed(kind: type, name: str) -> Allowed | None:
    """Return what the recipe, or the first of those that it is derived from, allows."""
    for each in kind.__mro__:
        found = getattr(each, "__dataclass_fields__", {}).get(name)
        if found is not None and found.metadata.get("allowed") is not None:
            return found.metadata["allowed"]
    return None


def _check(name: str, value: Any, allowed: Allowed | None) -> None:
    if allowed is None or value in allowed:
        return
    *others, last = allowed if isinstance(allowed, tuple) else (str(allowed),)
    words = f"{', '.join(others)} or {last}" if others else last
    raise ValueError(f"{name} is {words}, got {value!r}")
