"""The workloads of AlgoPerf and the levels that they must reach, as its scoring reads them."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, cast

from grokscope.interventions.outcomes.target import Target
from grokscope.schemas import GrokscopeError

MAXIMIZED = frozenset({"accuracy", "bleu", "mean_average_precision", "ssim"})
"""Metrics of AlgoPerf of which more is better; of all others (loss, word error rate) less is."""

_LARGEST = sys.float_info.max


class AlgoPerfTargetsError(GrokscopeError):
    """A file of targets that cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlgoPerfTargets:
    """What each workload must reach, and which workloads the score is made of.

    Attributes:
        base: The workloads that are scored.
        base_of: By held-out variant, the base workload that it is a variant of.
        targets: By workload, the level on its validation metric.
    """

    base: tuple[str, ...]
    base_of: dict[str, str]
    targets: dict[str, Target]

    @classmethod
    def parse(cls, data: object) -> Self:
        """Read ``{"base_workloads": [], "held_out_workloads": [], "workloads": {NAME: {…}}}``.

        A workload has ``target_metric_name`` and ``validation_target_value``; other fields are passed over.
        A held-out variant is called as its base workload, an underscore, and what is different.

        Raises:
            AlgoPerfTargetsError: If something is missing, of another type, or names an unknown workload.

        >>> w = {"target_metric_name": "loss", "validation_target_value": 0.1}
        >>> data = {"base_workloads": ["a"], "held_out_workloads": ["a_x"], "workloads": {"a": w, "a_x": w}}
        >>> parsed = AlgoPerfTargets.parse(data)
        >>> parsed.base, parsed.base_of, str(parsed.targets["a"])
        (('a',), {'a_x': 'a'}, 'validation/loss<=0.1')
        """
        fields = _mapping(data, "a targets file")
        workloads = _mapping(fields.get("workloads"), "'workloads'")
        targets = {name: _target(name, entry) for name, entry in workloads.items()}
        base = _names(fields, "base_workloads", targets)
        if not base:
            raise AlgoPerfTargetsError("'base_workloads' is empty; name the workloads that are scored")
        held_out = _names(fields, "held_out_workloads", targets)
        return cls(base=base, base_of={name: _base_of(name, base) for name in held_out}, targets=targets)


def _mapping(value: object, what: str) -> Mapping[str, Any]:
    """Return a JSON object, or say what is none."""
    if not isinstance(value, Mapping):
        raise AlgoPerfTargetsError(f"{what} must be a JSON object with names, got {_kind(value)}")
    return cast("Mapping[str, Any]", value)


def _kind(value: object) -> str:
    """Return what was got in the words of JSON."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case list():
            return "a list"
        case str():
            return f"the text {value!r:.40}"
        case _:
            return f"{value!r:.40}"


def _target(name: str, entry: object) -> Target:
    """Return the target of one workload."""
    fields = _mapping(entry, f"workload {name!r}")
    metric, level = fields.get("target_metric_name"), fields.get("validation_target_value")
    if not isinstance(metric, str) or not metric:
        raise AlgoPerfTargetsError(
            f"workload {name!r} needs 'target_metric_name', a text, got {_kind(metric)}"
        )
    if isinstance(level, bool) or not isinstance(level, int | float) or not abs(level) <= _LARGEST:
        raise AlgoPerfTargetsError(
            f"workload {name!r} needs 'validation_target_value', a finite number, got {_kind(level)}"
        )
    sign = ">=" if metric in MAXIMIZED else "<="
    return Target(metric=f"validation/{metric}", sign=sign, level=float(level))


def _names(fields: Mapping[str, Any], key: str, targets: Mapping[str, Target]) -> tuple[str, ...]:
    """Return a list of known workloads, each once."""
    given = cast("object", fields.get(key))
    if not isinstance(given, list):
        raise AlgoPerfTargetsError(f"{key!r} must be a list of names of workloads, got {_kind(given)}")
    names = [_name(name, key) for name in cast("list[object]", given)]
    unknown = sorted({name for name in names if name not in targets})
    if unknown:
        raise AlgoPerfTargetsError(
            f"{key!r} names {', '.join(unknown)}, which 'workloads' does not have; add a target or take it "
            "out"
        )
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise AlgoPerfTargetsError(f"{key!r} names {', '.join(twice)} more than once; name each once")
    return tuple(names)


def _name(value: object, key: str) -> str:
    """Return an entry of a list of names."""
    if not isinstance(value, str):
        raise AlgoPerfTargetsError(f"{key!r} must be a list of names of workloads, got {_kind(value)} in it")
    return value


def _base_of(name: str, base: tuple[str, ...]) -> str:
    """Return the base workload with the longest name that the variant's begins with."""
    bases = [candidate for candidate in base if name.startswith(f"{candidate}_")]
    if not bases:
        raise AlgoPerfTargetsError(
            f"held-out workload {name!r} is a variant of no base workload; its name begins with that of one, "
            f"which are {', '.join(base)}"
        )
    return max(bases, key=len)
