"""What of a spool cannot be read: counted once, kept beside it, and reported when the spool has gone.

Readers come to the same damage again, after a shipper was killed for instance, and always in the order of the
file. So what is told of a segment counts only beyond the place up to which its damage is known.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

from grokscope.collectors.recording.spool.small_files import read_json, replace_json, whole_number
from grokscope.schemas.files.private import check_place
from grokscope.schemas.files.spools import dead
from grokscope.schemas.names import plain_text

_NAME, _REPORT = "damage.json", ".damage.json"
_MOST_REASONS = 5
_MOST_LENGTH = 1000
_MOST_DIGITS = 10


@dataclass(slots=True, kw_only=True)
class _SegmentDamage:
    """Damage to one segment, all of which begins before ``until``."""

    records: int = 0
    size: int = 0
    until: int = 0
    why: list[str] = field(default_factory=list[str])


class Damage:
    """What of one spool could not be read so far.

    Args:
        folder: The spool's folder, whose ``damage.json`` is read; ``None`` to keep all in memory.

    >>> damage = Damage()
    >>> damage.note(3, 100, size=20, why="its checksum is wrong")
    >>> damage.note(3, 100, size=20, why="its checksum is wrong")
    >>> damage.sentence
    '20 bytes could not be read (segment 3, byte 100: its checksum is wrong)'
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.remarks: list[str] = []
        self._path = None if folder is None else folder / _NAME
        raw = (self._path and read_json(self._path)) or {}
        self._segments = dict(_segments(raw.get("segments")))
        self.remarks = _texts(raw.get("remarks"))
        self._is_saved = True

    def __bool__(self) -> bool:
        """Say whether there is anything to tell."""
        return bool(self._segments or self.remarks)

    @property
    def is_loss(self) -> bool:
        """Whether something that was written cannot be read any more."""
        return bool(self._segments)

    @property
    def sentence(self) -> str:
        """What cannot be read, how much of it, where and why; empty if all can."""
        found = self._segments.values()
        records, size = sum(s.records for s in found), sum(s.size for s in found)
        counts = [f"{records:,} records"] * bool(records) + [f"{size:,} bytes"] * bool(size)
        why = [reason for _, segment in sorted(self._segments.items()) for reason in segment.why]
        more = f"; and {len(why) - _MOST_REASONS} more" if len(why) > _MOST_REASONS else ""
        much = " and ".join(counts) or "an unknown number of bytes"
        what = f"{much} could not be read ({'; '.join(why[:_MOST_REASONS])}{more})"
        parts = [what] if self._segments else []
        return "; ".join([*parts, *self.remarks])[:_MOST_LENGTH]

    def holds(self, segment: int) -> bool:
        """Say whether a segment is damaged."""
        return segment in self._segments

    def note(self, segment: int, offset: int, *, why: str, size: int = 0, records: int = 0) -> None:
        """Count what begins at ``offset`` of a segment, unless that is known."""
        found = self._segments.setdefault(segment, _SegmentDamage())
        if offset < found.until:
            return
        found.records, found.size, found.until = found.records + records, found.size + size, offset + 1
        if len(found.why) < _MOST_REASONS:
            found.why.append(f"segment {segment}, byte {offset}: {why}")
        self._is_saved = False

    def remark(self, text: str) -> None:
        """Note what was wrong and has cost nothing."""
        if text not in self.remarks and len(self.remarks) < _MOST_REASONS:
            self.remarks.append(text)
            self._is_saved = False

    def save(self) -> None:
        """Keep it beside the spool.

        Raises:
            OSError: If the disk refuses.
        """
        if not self._is_saved and self._path is not None:
            replace_json(self._path, self._content())
            self._is_saved = True

    def report(self, place: Path, *, run: str) -> None:
        """Keep it for 'grokscope sync' and 'grokscope doctor', which tell it after the spool has gone.

        Raises:
            OSError: If the disk refuses.
        """
        about = {"run": run, "is_loss": self.is_loss, "says": self.sentence, "is_told": False}
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace_json(place.with_name(place.name + _REPORT), {**about, **self._content()})

    def _content(self) -> dict[str, Any]:
        return {
            "segments": {str(number): asdict(segment) for number, segment in self._segments.items()},
            "remarks": self.remarks,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What could not be read of a spool that is shipped as far as it goes.

    Attributes:
        path: Its file, beside which the damaged segments are kept.
        says: A sentence without a full stop.
        is_loss: Whether something that was written is lost.
        is_told: Whether 'grokscope sync' has told it.
    """

    path: Path
    says: str
    is_loss: bool
    is_told: bool

    def told(self) -> None:
        """Note that it was told.

        Raises:
            OSError: If the disk refuses.
        """
        replace_json(self.path, {**(read_json(self.path) or {}), "is_told": True})


def damage_reports(home: Path) -> list[Report]:
    """Return the reports that nobody has deleted yet.

    >>> damage_reports(Path("no-such-home"))
    []
    """
    place = dead(home)
    try:
        check_place(place)
    except OSError:
        return []
    paths = sorted(place.glob(f"*{_REPORT}"))
    return [_read_report(path, raw) for path in paths if (raw := read_json(path)) is not None]


def _read_report(path: Path, raw: dict[str, Any]) -> Report:
    is_loss = raw.get("is_loss") is not False
    says = f"run {str(raw.get('run'))[:100]!r}: {str(raw.get('says'))[:_MOST_LENGTH]}; all else is sent"
    if is_loss:
        says += f", and the damaged files are kept beside {path}"
    return Report(path=path, says=says, is_loss=is_loss, is_told=raw.get("is_told") is True)


def _segments(raw: object) -> Iterator[tuple[int, _SegmentDamage]]:
    for number, found in (cast("dict[str, Any]", raw) if isinstance(raw, dict) else {}).items():
        if number.isdecimal() and len(number) < _MOST_DIGITS and isinstance(found, dict):
            told = cast("dict[str, Any]", found)
            counts = {name: whole_number(told.get(name)) or 0 for name in ("records", "size", "until")}
            yield int(number), _SegmentDamage(**counts, why=_texts(told.get("why")))


def _texts(raw: object) -> list[str]:
    found = cast("list[object]", raw) if isinstance(raw, list) else []
    texts = (text for text in found if isinstance(text, str))
    return [plain_text(text) for text in texts][:_MOST_REASONS]
