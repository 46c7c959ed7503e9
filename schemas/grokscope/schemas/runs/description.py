"""What a run was: the survey's axes, as flat MLflow params.

``setting`` says how far from real pretraining it is. The rest are three groups of training choices:
the compute budget (scale, exposure), interventions (data, protocol, regularization) and structure
(architecture, learned computation).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import cast

from grokscope.schemas.errors import InvalidDescriptionError
from grokscope.schemas.runs.param_aliases import PARAM_ALIASES

Value = str | int | float | bool
Values = Mapping[str, Value]

_SEPARATOR = re.compile(r"[./:]")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|-| ")


class Setting(StrEnum):
    """How far from real pretraining the run is."""

    BRIDGE = "bridge"
    PRETRAINING = "pretraining"
    SYNTHETIC = "synthetic"


AXES: Mapping[str, str] = MappingProxyType(
    {
        "scale": "compute.scale",
        "exposure": "compute.exposure",
        "data": "intervention.data",
        "protocol": "intervention.protocol",
        "regularization": "intervention.regularization",
        "architecture": "structure.architecture",
        "computation": "structure.computation",
    }
)
"""Field of ``RunDescription`` -> prefix of its params."""


def _no_values() -> Values:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDescription:
    """One run on the survey's axes.

    Attributes:
        setting: How far from real pretraining the run is.
        group: What runs that differ only in their seed share; seeds of a group are averaged.
        seed: The random seed.
        scale: Parameters, width, depth.
        exposure: Examples, tokens, epochs, batch, steps, FLOPs.
        data: Fraction, noise, mixture, curriculum.
        protocol: Optimizer, learning rate, schedule.
        regularization: Weight decay, dropout, norm clamp.
        architecture: Kind of model, activation, normalisation.
        computation: The task's rule that is to be learned.
    """

    setting: Setting
    group: str
    seed: int
    scale: Values = field(default_factory=_no_values)
    exposure: Values = field(default_factory=_no_values)
    data: Values = field(default_factory=_no_values)
    protocol: Values = field(default_factory=_no_values)
    regularization: Values = field(default_factory=_no_values)
    architecture: Values = field(default_factory=_no_values)
    computation: Values = field(default_factory=_no_values)

    def to_params(self) -> dict[str, Value]:
        """Return flat params, one a value.

        >>> run = RunDescription(setting=Setting.BRIDGE, group="wd 1", seed=0, scale={"width": 128})
        >>> run.to_params()
        {'setting': 'bridge', 'group': 'wd 1', 'seed': 0, 'compute.scale.width': 128}
        """
        params: dict[str, Value] = {"setting": self.setting.value, "group": self.group, "seed": self.seed}
        for name, prefix in AXES.items():
            values = cast("Values", getattr(self, name))
            params.update({f"{prefix}.{key}": value for key, value in values.items()})
        return params


def axis_of(param: str) -> str | None:
    """Return the axis that a param's name belongs to, or ``None`` for a free-form param.

    >>> axis_of("intervention.regularization.weight_decay"), axis_of("lr")
    ('intervention.regularization', None)
    """
    return next((prefix for prefix in AXES.values() if param.startswith(prefix + ".")), None)


@lru_cache(maxsize=4096)
def guessed_param(param: str) -> str | None:
    """Return our name for a param that other code logged, or ``None`` where it does not plainly have one.

    The last part of a nested name counts: ``optimizer.lr``, ``model/n_layer``. A name of ours stays.

    >>> [guessed_param(p) for p in ("args.weightDecay", "n_layer", "random_seed", "notes")]
    ['intervention.regularization.weight_decay', 'compute.scale.depth', 'seed', None]
    """
    if param in ("setting", "group", "seed") or axis_of(param) is not None:
        return param
    last = _SEPARATOR.split(param)[-1]
    return PARAM_ALIASES.get(_CAMEL.sub("_", last).lower())


def param(params: Mapping[str, str], ours: str) -> str | None:
    """Return what a run's params say of ``ours``: under our name, else under the least nested usual one.

    >>> param({"args.random_seed": "3", "wandb_group": "wd 1"}, "seed")
    '3'
    """
    if ours in params:
        return params[ours]
    usual = (name for name in params if guessed_param(name) == ours)
    name = min(usual, key=lambda name: (len(_SEPARATOR.findall(name)), name), default=None)
    return None if name is None else params[name]


def description_from_params(params: Mapping[str, str]) -> RunDescription:
    """Read a description back from params as MLflow stores them (text); other params are left out.

    Raises:
        InvalidDescriptionError: If ``setting``, ``group`` or ``seed`` is missing or not allowed.

    >>> run = RunDescription(setting=Setting.BRIDGE, group="g", seed=3)
    >>> description_from_params({k: str(v) for k, v in run.to_params().items()}) == run
    True
    """
    allowed = ", ".join(Setting)
    try:
        setting, group, seed = Setting(params["setting"]), params["group"], int(params["seed"])
    except (KeyError, ValueError) as error:
        raise InvalidDescriptionError(
            f"a run description needs setting ({allowed}), group (text) and seed (whole number); "
            f"got {error}. Add them as params."
        ) from error
    axes: dict[str, Values] = {
        name: {k.removeprefix(prefix + "."): v for k, v in params.items() if axis_of(k) == prefix}
        for name, prefix in AXES.items()
    }
    return RunDescription(setting=setting, group=group, seed=seed, **axes)
