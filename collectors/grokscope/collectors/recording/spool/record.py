"""The spool's bytes: frames with a checksum, so that a torn or flipped byte is seen and never read as data.

A segment file is the magic ``GRKSPL01`` and then frames::

    u32 length of payload | u32 CRC-32 of payload | payload          (little endian)

A payload begins with one byte that says what it is:

- ``K`` u32 id, JSON list of metric keys: names the keys that later points refer to by id.
- ``P`` u32 id, i64 step, i64 time_ms, then one f64 for each of those keys.
- ``A`` u32 length of a JSON object, that object, then the bytes of one array's values: since version 2.
- ``E`` JSON object: an event in the run's life (its end), or how long the segment before this one is.

Keys are written once a segment, so a step with 50 scalars costs 430 bytes and no text formatting. Every
segment can be read without the ones before it.
"""

import json
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from grokscope.collectors.recording.spool.array_payload import read_array_payload
from grokscope.collectors.recording.spool.small_files import whole_number
from grokscope.schemas.arrays import LoggedArray

MAGIC = b"GRKSPL01"
MAX_PAYLOAD = 16 << 20
END, AFTER = "end", "after"
HEADER = struct.Struct("<II")
_ID = struct.Struct("<I")
_POINTS = struct.Struct("<cIqq")

KeySets = dict[int, tuple[str, ...]]
"""The keys that a segment has named so far, by id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """All scalars of one ``log`` call."""

    keys: tuple[str, ...]
    step: int
    time_ms: int
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something in the run's life, for instance ``{"event": "end", "status": "FINISHED"}``."""

    content: dict[str, Any]


def frame(payload: bytes) -> bytes:
    """Return ``payload`` with its length and checksum in front.

    >>> len(frame(b"abc"))
    11
    """
    return HEADER.pack(len(payload), zlib.crc32(payload)) + payload


def keys_payload(number: int, keys: Sequence[str]) -> bytes:
    """Return the payload that names ``keys`` as set ``number`` of this segment."""
    return b"K" + _ID.pack(number) + json.dumps(list(keys), ensure_ascii=False).encode()


def points_packer(count: int) -> struct.Struct:
    """Return the packer of a points payload with ``count`` values: (b"P", id, step, time_ms, *values)."""
    return struct.Struct(f"{_POINTS.format}{count}d")


def event_payload(content: dict[str, Any]) -> bytes:
    """Return the payload of an event."""
    return b"E" + json.dumps(content, ensure_ascii=False).encode()


def read_frames(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield each whole frame's payload and the offset at which the next frame begins.

    Stops without an error at the first frame that is not whole or whose checksum is wrong: that is what
    a process killed in the middle of a write leaves behind. Nothing is ever invented.

    Args:
        data: Frames from the first byte on; the magic of a segment must be cut off.

    >>> list(read_frames(frame(b"E{}") + b"torn"))
    [(b'E{}', 11)]
    """
    begin = 0
    while (end := whole_until(data, begin)[0]) is not None:
        yield data[begin + HEADER.size : end], end
        begin = end


def whole_until(data: bytes, begin: int) -> tuple[int | None, int]:
    """Return the end of the frame that begins at ``begin``, if it is whole, and how many bytes were summed.

    >>> whole_until(frame(b"E{}"), 0), whole_until(b"torn", 0)
    ((11, 3), (None, 0))
    """
    if begin + HEADER.size > len(data):
        return None, 0
    length, checksum = HEADER.unpack_from(data, begin)
    start, end = begin + HEADER.size, begin + HEADER.size + length
    # Zeros, as a power loss leaves them, would pass for a frame without payload.
    if not 0 < length <= MAX_PAYLOAD or end > len(data):
        return None, 0
    return (end if zlib.crc32(memoryview(data)[start:end]) == checksum else None), length


def is_torn(data: bytes) -> bool:
    """Say whether ``data`` may be the beginning of one frame, as a writer that was killed leaves it.

    >>> is_torn(frame(b"E{}")[:-1]), is_torn(frame(b"E{}")[:-1] + b"x")
    (True, False)
    """
    if len(data) < HEADER.size:
        return True
    length, _ = HEADER.unpack_from(data)
    return length <= MAX_PAYLOAD and len(data) < HEADER.size + length


Record = Points | LoggedArray | Event
"""What a spool holds."""


class MalformedError(ValueError):
    """A payload whose checksum is right and that is no record all the same; says why."""


def decode(payload: bytes, sets: KeySets) -> Record | None:
    """Return the record of a payload; ``None`` for one that names keys, which are put into ``sets``.

    Raises:
        MalformedError: If it is no record, or its keys were named where nothing can be read any more.

    >>> sets: KeySets = {}
    >>> decode(keys_payload(0, ["test/loss"]), sets)
    >>> decode(points_packer(1).pack(b"P", 0, 7, 1000, 0.5), sets).values
    (0.5,)
    """
    kind = payload[:1]
    try:
        if kind == b"P":
            return _points(payload, sets)
        if kind == b"K":
            sets[_ID.unpack_from(payload, 1)[0]] = _keys(json.loads(payload[1 + _ID.size :]))
            return None
        if kind == b"A":
            return read_array_payload(payload)
        if kind == b"E":
            return Event(content=_content(json.loads(payload[1:])))
    except (ValueError, struct.error, RecursionError) as error:
        raise MalformedError(str(error)) from error
    raise MalformedError(f"{kind!r} is no kind of record")


def _points(payload: bytes, sets: KeySets) -> Points:
    _, number, step, time_ms = _POINTS.unpack_from(payload)
    keys = sets.get(number)
    if keys is None:
        raise ValueError("its names cannot be read")
    if len(payload) != _POINTS.size + 8 * len(keys):
        raise ValueError(f"it has not one value for each of its {len(keys)} names")
    values = struct.unpack_from(f"<{len(keys)}d", payload, _POINTS.size)
    return Points(keys=keys, step=step, time_ms=time_ms, values=values)


def _keys(found: object) -> tuple[str, ...]:
    keys = cast("list[object]", found) if isinstance(found, list) else [None]
    names = tuple(key for key in keys if isinstance(key, str))
    if len(names) != len(keys):
        raise ValueError("its names are no list of texts")
    "".join(names).encode()  # half a character, which no store takes, is an error
    return names


def _content(found: object) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004 - of what a file holds, not of an argument
    content = cast("dict[str, Any]", found)
    numbers = {END: ("time_ms", "dropped"), AFTER: ("bytes",)}.get(str(content.get("event")), ())
    if any(whole_number(content.get(name, 0)) is None for name in numbers):
        raise ValueError(f"{' or '.join(numbers)} is no whole number")
    if content.get("event") == END and not isinstance(content.get("status", ""), str):
        raise ValueError("status is no text")
    return content
