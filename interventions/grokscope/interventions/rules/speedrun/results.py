"""Published results of a speedrun: what was claimed, and the runs that it was claimed from."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, cast

from grokscope.interventions.outcomes.target import Target
from grokscope.interventions.rules.speedrun.ladder import SpeedrunError

_MOST_STEPS = float(1 << 53)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedResult:
    """One accepted result.

    Attributes:
        number: What it is called.
        steps: The number of steps at which the target is claimed.
        mean: The loss there as published; ``None`` if not given.
        n: From how many runs as published; ``None`` if not given.
        runs: The logs that belong to it.
    """

    number: str
    steps: int
    mean: float | None
    n: int | None
    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedResults:
    """All accepted results, and their target; ``None`` if the file does not tell it."""

    target: Target | None
    results: tuple[PublishedResult, ...]

    @classmethod
    def parse(cls, data: object) -> Self:
        """Read ``{"target": {"metric", "at_most"}, "results": [{"number", "steps", "runs", …}]}``.

        ``mean_loss`` and ``n`` of a result are read where they are; other fields are passed over.

        Raises:
            SpeedrunError: If something is missing, of another type, or one number is given twice.

        >>> result = {"number": 1, "steps": 3600, "mean_loss": 3.2777, "n": 1, "runs": ["log.txt"]}
        >>> data = {"target": {"metric": "val_loss", "at_most": 3.28}, "results": [result]}
        >>> published = PublishedResults.parse(data)
        >>> str(published.target), published.results[0].steps
        ('val_loss<=3.28', 3600)
        """
        fields = _mapping(data, "a results file")
        given = cast("object", fields.get("results"))
        if not isinstance(given, list):
            raise SpeedrunError("a results file needs 'results', a list of the accepted results")
        results = tuple(_result(entry, place) for place, entry in enumerate(cast("list[object]", given)))
        numbers = [result.number for result in results]
        twice = sorted({number for number in numbers if numbers.count(number) > 1})
        if twice:
            raise SpeedrunError(f"'results' has number {', '.join(twice)} more than once; give each its own")
        return cls(target=_target(fields.get("target")), results=results)


def _mapping(value: object, what: str) -> Mapping[str, Any]:
    """Return a JSON object, or say what is none."""
    if not isinstance(value, Mapping):
        raise SpeedrunError(f"{what} must be a JSON object with names, got {value!r:.40}")
    return cast("Mapping[str, Any]", value)


def _target(value: object) -> Target | None:
    """Return the target, if there is one."""
    if value is None:
        return None
    fields = _mapping(value, "'target'")
    sign = ">=" if "at_least" in fields else "<="
    return Target.parse(f"{fields.get('metric')}{sign}{fields.get('at_least', fields.get('at_most'))}")


def _result(entry: object, place: int) -> PublishedResult:
    """Return one result."""
    fields = _mapping(entry, f"result {place + 1} of 'results'")
    number = str(fields.get("number", place + 1))
    runs = cast("object", fields.get("runs"))
    if not isinstance(runs, list) or not all(isinstance(run, str) for run in cast("list[object]", runs)):
        raise SpeedrunError(f"result {number} needs 'runs', a list of names of runs; give [] if it has none")
    steps = _number(fields, "steps", number, largest=_MOST_STEPS)
    if steps is None:
        raise SpeedrunError(f"result {number} needs 'steps', the number of steps at which it is claimed")
    n = _number(fields, "n", number, largest=_MOST_STEPS)
    return PublishedResult(
        number=number,
        steps=int(steps),
        mean=_number(fields, "mean_loss", number),
        n=None if n is None else int(n),
        runs=tuple(dict.fromkeys(cast("list[str]", runs))),
    )


def _number(
    fields: Mapping[str, Any], key: str, number: str, *, largest: float = sys.float_info.max
) -> float | None:
    """Return a finite number, or nothing where there is none."""
    value = fields.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= largest:
        raise SpeedrunError(f"{key!r} of result {number} must be a number, got {value!r:.40}")
    return float(value)
