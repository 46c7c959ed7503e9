"""What an MLflow server answers, checked: each value passes here before anything is made of it."""

import re
from collections.abc import Collection
from typing import Any, cast

from grokscope.store.frames import Row
from grokscope.store.remote.records import RunRecord

_SHOWN = 60
_DIGITS = re.compile(r"-?[0-9]{1,19}")
_FIRST, _LAST = -(2**63), 2**63 - 1


class OddAnswerError(ValueError):
    """An answer is not what MLflow answers; the message says where, what was got, and what belongs there."""


class Part:
    """One object in an answer, whose values are taken out by name and kind; null is as good as missing.

    Args:
        value: As JSON gave it.
        inside: The part that it is in, and its place there.

    Raises:
        OddAnswerError: If it is no object. So do all methods where a value is missing or of another kind.

    >>> run = Part({"info": {"run_id": "a1", "status": None}})
    >>> run.part("info").text("run_id")
    'a1'
    >>> try:
    ...     run.part("info").text("status")
    ... except OddAnswerError as error:
    ...     print(error)
    info.status is None, and a text belongs there
    """

    __slots__ = ("_inside", "_values")

    def __init__(self, value: Any, *, inside: "tuple[Part, str] | None" = None) -> None:
        self._inside = inside
        self._values: dict[str, Any] = {}
        if not isinstance(value, dict):
            raise _odd(self.path(), value, "an object")
        self._values = cast("dict[str, Any]", value)

    def names(self) -> set[str]:
        """Return the names of its values."""
        return set(self._values)

    def part(self, name: str) -> "Part":
        """Return the object at ``name``; an empty one if it is missing."""
        found = self._values.get(name)
        return Part({} if found is None else found, inside=(self, name))

    def parts(self, name: str) -> "list[Part]":
        """Return the objects listed at ``name``; none if it is missing."""
        found = self._values.get(name)
        if found is None:
            return []
        if not isinstance(found, list):
            raise _odd(self.path(name), found, "a list")
        listed = cast("list[Any]", found)
        return [Part(value, inside=(self, f"{name}[{i}]")) for i, value in enumerate(listed)]

    def text(self, name: str, default: str | None = None) -> str:
        """Return the text at ``name``."""
        found = self._values.get(name)
        if found is None and default is not None:
            return default
        if not isinstance(found, str) or not _is_encodable(found):
            raise _odd(self.path(name), found, "a text")
        return found

    def whole(self, name: str, default: int | None = None) -> int:
        """Return the whole number of 64 bits at ``name``."""
        found = self.whole_or_none(name)
        if found is not None:
            return found
        if default is None:
            raise _odd(self.path(name), None, "a whole number")
        return default

    def whole_or_none(self, name: str) -> int | None:
        """Return the whole number of 64 bits at ``name``; ``None`` if it is missing."""
        found = self._values.get(name)
        if found is None:
            return None
        if isinstance(found, str) and _DIGITS.fullmatch(found):  # as JSON of protocol buffers writes them
            found = int(found)
        if not isinstance(found, int) or isinstance(found, bool) or not _FIRST <= found <= _LAST:
            raise _odd(self.path(name), found, "a whole number of 64 bits")
        return found

    def flag(self, name: str) -> bool:
        """Return the truth value at ``name``; false if it is missing."""
        found = self._values.get(name)
        if found is None or isinstance(found, bool):
            return bool(found)
        raise _odd(self.path(name), found, "true or false")

    def number(self, name: str) -> float:
        """Return the number at ``name``; JSON has no NaN and no infinity, they come as texts."""
        found = self._values.get(name)
        if isinstance(found, int | float | str) and not isinstance(found, bool):
            try:
                return float(found)
            except (ValueError, OverflowError):
                pass
        raise _odd(self.path(name), found, "a number")

    def odd(self, name: str, wanted: str) -> OddAnswerError:
        """Return the error that says what belongs at ``name``."""
        return _odd(self.path(name), self._values.get(name), wanted)

    def path(self, name: str = "") -> str:
        """Return where it is, or where its value ``name`` is, from the top of the answer."""
        before = "" if self._inside is None else self._inside[0].path(self._inside[1])
        return ".".join(filter(None, (before, name)))


def experiment_in(found: Part) -> tuple[str, str]:
    """Return an experiment's id and name."""
    return found.text("experiment_id"), found.text("name")


def record_in(run: Part, *, experiment_ids: Collection[str]) -> RunRecord:
    """Return a run of one of the experiments that were asked for."""
    info, data = run.part("info"), run.part("data")
    if info.text("experiment_id") not in experiment_ids:
        raise info.odd("experiment_id", "an experiment that was asked for")
    return RunRecord(
        run_id=info.text("run_id"),
        name=info.text("run_name", ""),
        experiment_id=info.text("experiment_id"),
        status=info.text("status"),
        start_ms=info.whole_or_none("start_time"),
        end_ms=info.whole_or_none("end_time"),
        is_active=info.text("lifecycle_stage") == "active",
        params=pairs_in(data, "params"),
        tags=pairs_in(data, "tags"),
        latest={
            m.text("key"): (m.whole("step", 0), m.whole("timestamp"), str(m.number("value")))
            for m in data.parts("metrics")
        },
    )


def pairs_in(holder: Part, name: str) -> dict[str, str]:
    """Return params or tags."""
    return {pair.text("key"): pair.text("value", "") for pair in holder.parts(name)}


def rows_in(answer: Part, key: str, run_ids: Collection[str]) -> list[Row]:
    """Return the rows of one metric of runs that were asked for; where that is one run, it may be unsaid."""
    only = next(iter(run_ids)) if len(run_ids) == 1 else None
    return [_row(metric, key, run_ids, only) for metric in answer.parts("metrics")]


def _row(metric: Part, key: str, run_ids: Collection[str], only: str | None) -> Row:
    run_id = metric.text("run_id", only)
    if run_id not in run_ids:
        raise metric.odd("run_id", "a run that was asked for")
    if metric.text("key") != key:
        raise metric.odd("key", repr(key))
    return run_id, key, metric.whole("step", 0), metric.whole("timestamp"), metric.number("value"), 0


def _odd(path: str, found: Any, wanted: str) -> OddAnswerError:
    # Not all of what was got: a number may have thousands of digits, an object may be deep.
    is_short = (
        found is None or isinstance(found, bool | float) or (isinstance(found, str) and len(found) < _SHOWN)
    )
    got = repr(found) if is_short else f"a value of type {type(cast('object', found)).__name__}"
    return OddAnswerError(f"{path or 'it'} is {got}, and {wanted} belongs there")


def _is_encodable(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a pair of surrogates, which JSON can write and UTF-8 cannot
        return False
    return True
