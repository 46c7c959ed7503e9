"""The bytes of one array in a spool; see ``record``."""

import json
import struct
from typing import Any, cast

from grokscope.collectors.recording.spool.small_files import whole_number
from grokscope.schemas.arrays import Axis, LoggedArray

_LENGTH = struct.Struct("<cI")
_LEAST, _MOST = -(2**63), 2**63 - 1


def array_payload(logged: LoggedArray) -> bytes:
    """Return the payload that holds an array."""
    about = {
        "name": logged.name,
        "step": logged.step,
        "time_ms": logged.time_ms,
        "precision": logged.precision,
        "shape": logged.shape,
        "axes": [[axis.name, *axis.labels] for axis in logged.axes],
    }
    header = json.dumps(about, ensure_ascii=False, separators=(",", ":")).encode()
    return b"".join((_LENGTH.pack(b"A", len(header)), header, logged.data))


def read_array_payload(payload: bytes) -> LoggedArray:
    """Return the array of a payload.

    Raises:
        ValueError: If it holds none.
        struct.error: If it ends before that can be told.

    >>> one = LoggedArray(
    ...     name="norms",
    ...     step=3,
    ...     time_ms=1000,
    ...     precision="float64",
    ...     shape=(1,),
    ...     axes=(Axis(name="layer", labels=("embed",)),),
    ...     data=bytes(8),
    ... )
    >>> read_array_payload(array_payload(one)) == one
    True
    """
    _, length = _LENGTH.unpack_from(payload)
    begin = _LENGTH.size + length
    about: object = json.loads(payload[_LENGTH.size : begin])
    if not isinstance(about, dict):
        raise ValueError("what stands before its values is no JSON object")  # noqa: TRY004 - of what a file holds
    return _array(cast("dict[str, Any]", about), payload[begin:])


def _array(about: dict[str, Any], data: bytes) -> LoggedArray:
    step, time_ms = about.get("step"), whole_number(about.get("time_ms"))
    if type(step) is not int or not _LEAST <= step <= _MOST or time_ms is None:
        raise ValueError("it has no step or no time")
    if (precision := about.get("precision")) not in ("float32", "float64"):
        raise ValueError("its values are of an unknown type")
    axes = [_texts(axis) for axis in _list(about.get("axes"))]
    if not all(axes):
        raise ValueError("an axis has no name")
    logged = LoggedArray(
        name=_texts([about.get("name")])[0],
        step=step,
        time_ms=time_ms,
        precision=precision,
        shape=tuple(whole_number(length) or 0 for length in _list(about.get("shape"))),
        axes=tuple(Axis(name=name, labels=tuple(labels)) for name, *labels in axes),
        data=data,
    )
    if why := logged.why_bad:
        raise ValueError(why)
    return logged


def _list(found: object) -> list[object]:
    return cast("list[object]", found) if isinstance(found, list) else []


def _texts(found: object) -> list[str]:
    texts = [text for text in _list(found) if isinstance(text, str)]
    if len(texts) != len(_list(found)):
        raise ValueError("a name or label of it is no text")
    "".join(texts).encode()  # half a character, which no file takes, is an error
    return texts
