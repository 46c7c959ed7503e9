"""The one JSON form of a verdict: written, read back, and described by a JSON Schema."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, cast

from grokscope.schemas.errors import InvalidVerdictError
from grokscope.schemas.transitions import Date, Kind, Source, Status, Transition
from grokscope.schemas.verdicts import Delay, Pattern, Verdict

JsonObject = dict[str, Any]


def verdict_to_dict(verdict: Verdict) -> JsonObject:
    """Return the verdict as plain JSON values; a level that is not finite becomes null.

    >>> verdict_to_dict(Verdict(run="a", pattern=Pattern.OTHER))["pattern"]
    'other'
    """
    plain = _plain(verdict)
    for transition in plain["transitions"]:
        del transition["run_id"]  # the verdict's own ``run`` says it once
    return plain


def verdict_to_json(verdict: Verdict) -> str:
    """Return the verdict as one line of JSON.

    >>> verdict_to_json(Verdict(run="a", pattern=Pattern.CONFUSION)).startswith('{"run": "a"')
    True
    """
    return json.dumps(verdict_to_dict(verdict), ensure_ascii=False, allow_nan=False)


def verdict_from_json(text: str) -> Verdict:
    """Return the verdict that ``text`` holds.

    Raises:
        InvalidVerdictError: If it is not JSON, or not a verdict.

    >>> verdict_from_json('{"run": "a", "pattern": "grokking"}').pattern
    <Pattern.GROKKING: 'grokking'>
    """
    try:
        raw = json.loads(text)
        return _verdict(raw)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidVerdictError(
            f"not a verdict: {error!r} in {text[:80]!r}. "
            "A verdict is the JSON that 'grokscope detect --format json' prints."
        ) from error


def _plain(value: Any) -> Any:
    if isinstance(value, (Verdict, Transition, Date, Delay)):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(v) for v in cast("Sequence[Any]", value)]
    return str(value) if isinstance(value, str) else value


def _date(raw: JsonObject | None) -> Date | None:
    return None if raw is None else Date(**raw)


def _transition(run: str, raw: JsonObject) -> Transition:
    dates: JsonObject = {name: _date(raw.get(name)) for name in ("onset", "midpoint", "completion")}
    closed: JsonObject = {
        "kind": Kind(raw["kind"]),
        "status": Status(raw.get("status", Status.CONFIRMED)),
        "source": Source(raw.get("source", Source.AUTOMATIC)),
    }
    arguments: JsonObject = {**raw, **dates, **closed, "run_id": run}
    return Transition(**arguments)


def _verdict(raw: JsonObject) -> Verdict:
    run = raw["run"]
    names = ("memorized", "onset", "midpoint", "generalized")
    dates: JsonObject = {name: _date(raw.get(name)) for name in names}
    delay = raw.get("delay")
    rest: JsonObject = {
        "pattern": Pattern(raw["pattern"]),
        "delay": None if delay is None else Delay(**delay),
        "transitions": tuple(_transition(run, t) for t in raw.get("transitions", ())),
        "missing": tuple(raw.get("missing", ())),
    }
    arguments: JsonObject = {**raw, **dates, **rest}
    return Verdict(**arguments)
