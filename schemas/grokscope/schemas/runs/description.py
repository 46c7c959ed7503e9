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
        exposure: Examples and tokens, of them ``unique_examples`` and ``unique_tokens`` in the training set,
            repetitions, epochs, batch, steps, FLOPs.
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


def axis_of_param(param: str) -> str | None:
    """Return the axis that a param's name belongs to, or ``None`` for a free-form param.

    >>> axis_of_param("intervention.regularization.weight_decay"), axis_of_param("lr")
    ('intervention.regularization', None)
    """
    return next((prefix for prefix in AXES.values() if param.startswith(prefix + ".")), None)


@lru_cache(maxsize=4096)
def guessed_param(param: str) -> str | None:
    """Return our name for a param that other code logged, or ``None`` where it does not plainly have one.

    The last part of a nested name counts: ``optimizer.lr``, ``model/n_layer``. Our own names stay.

    >>> [guessed_param(p) for p in ("args.weightDecay", "n_layer", "random_seed", "notes")]
    ['intervention.regularization.weight_decay', 'compute.scale.depth', 'seed', None]
    """
    if param in ("setting", "group", "seed") or axis_of_param(param) is not None:
        return param
    last = _SEPARATOR.split(param)[-1]
    return PARAM_ALIASES.get(_CAMEL.sub("_", last).lower())


def params_on_axes(params: Mapping[str, str]) -> dict[str, str]:
    """Return a run's params by our names where they have one, in their own order; none is lost.

    Of several that mean the same, the one that has our name takes it, else the least nested, else the first
    by name; the others keep their own.

    >>> params_on_axes({"optimizer.lr": "0.2", "lr": "0.1", "random_seed": "3", "notes": "x"})
    {'optimizer.lr': '0.2', 'intervention.protocol.lr': '0.1', 'seed': '3', 'notes': 'x'}
    """
    return {name: params[theirs] for name, theirs in _on_axes(tuple(params)).items()}


def param(params: Mapping[str, str], ours: str) -> str | None:
    """Return what a run's params say of ``ours``, whatever it is called there; ``None`` if nothing.

    >>> param({"args.random_seed": "3", "wandb_group": "wd 1"}, "seed")
    '3'
    """
    theirs = _on_axes(tuple(params)).get(ours)
    return None if theirs is None else params[theirs]


@lru_cache(maxsize=512)  # the runs of an experiment log the same params
def _on_axes(names: tuple[str, ...]) -> Mapping[str, str]:
    """Return which name each of ``names`` goes by -> that name."""
    best: dict[str, str] = {}
    for name in sorted(names, key=lambda n: (guessed_param(n) != n, len(_SEPARATOR.findall(n)), n)):
        best.setdefault(guessed_param(name) or name, name)
    kept = {name: ours for ours, name in best.items()}
    return MappingProxyType({kept.get(name, name): name for name in names})
