"""The one JSON form of a verdict: written, read back, and described by a JSON Schema."""

import json
import math
import types
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import StrEnum
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

from grokscope.schemas.errors import InvalidVerdictError
from grokscope.schemas.verdicts.check import Check, Outcome
from grokscope.schemas.verdicts.review import Review
from grokscope.schemas.verdicts.transition import Date, Transition
from grokscope.schemas.verdicts.verdict import CurveOutcome, Delay, Verdict

JsonObject = dict[str, Any]


def verdict_to_dict(verdict: Verdict) -> JsonObject:
    """Return the verdict as plain JSON values; a level that is not finite becomes null.

    >>> from grokscope.schemas import Pattern
    >>> verdict_to_dict(Verdict(run="a", pattern=Pattern.OTHER))["pattern"]
    'other'
    """
    plain = _plain(verdict)
    for transition in plain["transitions"]:
        del transition["run_id"]  # the verdict's own ``run`` says it once
    if not plain["reviews"]:
        del plain["reviews"]  # a detector's verdict is written as it always was, and keeps its digest
    return plain


def transition_to_dict(event: Transition) -> JsonObject:
    """Return the event as plain JSON values, as a verdict holds it, and with its run.

    >>> from grokscope.schemas import Kind
    >>> lost = Check(name="permanent", text="ends at 0.10 after 1.00")
    >>> event = Transition(run_id="a", metric="m", kind=Kind.COLLAPSE, step=9, low=8, high=9, evidence=[lost])
    >>> transition_to_dict(event)["evidence"]
    {'permanent': 'ends at 0.10 after 1.00'}
    """
    return {
        f.name: _said(event.evidence) if f.name == "evidence" else _plain(getattr(event, f.name))
        for f in fields(event)
    }


def verdict_to_json(verdict: Verdict) -> str:
    """Return the verdict as one line of JSON.

    >>> from grokscope.schemas import Pattern
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
        return _verdict(json.loads(text))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidVerdictError(
            f"not a verdict: {error!r} in {text[:80]!r}. "
            "A verdict is the JSON that 'grokscope detect --format json' prints."
        ) from error


def _plain(value: Any) -> Any:
    if isinstance(value, Transition):
        return transition_to_dict(value)
    if isinstance(value, (Verdict, CurveOutcome, Date, Delay, Review)):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(v) for v in cast("Sequence[Any]", value)]
    return str(value) if isinstance(value, str) else value


def _said(evidence: Sequence[Check]) -> dict[str, str]:
    """Return checks as they have always been written: name -> ``"outcome: text"``."""
    return {c.name: c.text if c.outcome is None else f"{c.outcome}: {c.text}" for c in evidence}


def _check(name: str, said: str) -> Check:
    """Return the check that ``_said`` wrote."""
    outcome, colon, text = said.partition(": ")
    if not colon or outcome not in set(Outcome):
        return Check(name=name, text=said)
    return Check(name=name, outcome=Outcome(outcome), text=text)


def _build(hint: Any, raw: Any) -> Any:
    """Return ``raw`` as a value of type ``hint``; raise TypeError or ValueError if it is none."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return None if raw is None else _build(arguments[0], raw)
    if origin is Sequence:
        return _sequence(arguments[0], raw)
    if origin is Mapping:
        return {str(k): _build(arguments[1], v) for k, v in _expect(dict, raw).items()}
    if issubclass(hint, StrEnum):
        return hint(_expect(str, raw))
    if is_dataclass(hint):
        return _record(cast("type", hint), _expect(dict, raw))
    return float(_expect((int, float), raw)) if hint is float else _expect(hint, raw)


def _sequence(item: Any, raw: Any) -> tuple[Any, ...]:
    if item is Check:
        return tuple(_check(str(name), _expect(str, said)) for name, said in _expect(dict, raw).items())
    return tuple(_build(item, part) for part in _expect(list, raw))


def _record(record: type, raw: JsonObject) -> Any:
    hints = get_type_hints(record)
    return record(**{name: _build(hints[name], value) for name, value in raw.items()})


def _expect(allowed: type | tuple[type, ...], raw: Any) -> Any:
    # bool is an int to Python, and not to JSON.
    if not isinstance(raw, allowed) or (isinstance(raw, bool) and allowed is not bool):
        raise TypeError(f"expected {allowed}, got {raw!r}")
    return raw


def _verdict(raw: Any) -> Verdict:
    run = _expect(dict, raw)["run"]
    raw_events = _expect(list, raw.get("transitions", []))
    events = [{**_expect(dict, event), "run_id": run} for event in raw_events]
    return _record(Verdict, {"schema": 1, **raw, "transitions": events})  # the first version did not say
