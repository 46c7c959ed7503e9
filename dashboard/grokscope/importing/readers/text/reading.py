"""Text logs as runs: in the style of a known program, as pairs of names and numbers, or by patterns given."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from grokscope.importing.formats import LogFormat, LogSource, SourceKind
from grokscope.importing.limits import Tally
from grokscope.importing.readers.naming import named_by
from grokscope.importing.readers.text.boxes import Boxes
from grokscope.importing.readers.text.lines import LONGEST, cleaned, lines_of
from grokscope.importing.readers.text.pairs import Pairs
from grokscope.importing.readers.text.patterns import EXAMPLE, compiled, matched
from grokscope.importing.readers.text.record import Record
from grokscope.importing.readers.text.rows import PAIRS, points_of
from grokscope.importing.readers.text.styles import CATBOOST, LIGHTGBM, STYLES, XGBOOST, Style
from grokscope.importing.records import Log, NotALogError, SourceRun, identity_of

_ENDINGS = frozenset({"", ".log", ".txt", ".out", ".err", ".stdout", ".stderr"})
BOXES = "boxes of names and values"
_ALIAS = "with 'grokscope detect' and --alias "
_VALID = re.compile(r"(valid|validation)_\d{1,9}([/-])")
_ENOUGH = 2
"""Lines at different steps by which a file is known to be a log, whatever it is called."""


def read(source: LogSource, tally: Tally) -> Iterator[Log]:
    """Yield the run of each file.

    Raises:
        NotALogError: If no line is like any that is known, or matches a pattern.
    """
    expressions = compiled(source.patterns)
    for path in source.files:
        lines = lines_of(path, tally)
        if expressions:
            records = _counted((one for line in lines for one in matched(line, expressions)), tally)
            style, wrong = "", "matches --pattern; try it on one line of the file"
        else:
            style, records = _styled(lines, tally)
            records = _of_one_set(records) if style in (LIGHTGBM, XGBOOST) else records
            wrong = (
                f"has a step and a score as known programs write them; say what they look like with {EXAMPLE}"
            )
        points, notes, in_thousandths = points_of(records, path, tally, style=style)
        if points.is_empty():
            raise NotALogError(f"no line of {path.name!r} {wrong}")
        where = path.relative_to(source.root).as_posix()
        yield Log(
            run=SourceRun(
                key=where,
                identity=identity_of("text", "", points),
                is_certain=False,
                name=named_by(path, source.root),
                source=where,
                notes=(*_notes(style, points["metric"].unique()), *notes),
                in_thousandths=in_thousandths,
            ),
            points=points,
        )


def _notes(style: str, names: Iterable[str]) -> Iterator[str]:
    if style:
        yield f"its lines were read as {style}"
    if style == CATBOOST:
        yield f"its metric has no name there; say what it is {_ALIAS}learn=train/loss"
    if numbered := sorted(filter(_VALID.match, names)):
        yield f"its sets have numbers only; say which one is held out {_ALIAS}{numbered[-1]}=val/loss"


def _styled(lines: Iterable[str], tally: Tally) -> tuple[str, list[Record]]:
    """Return the most particular style that a line is written in, and what the lines of it say."""
    readers: dict[str, Style] = {BOXES: Boxes().read, **STYLES, PAIRS: Pairs().read}
    found: dict[str, list[Record]] = {name: [] for name in readers}
    count = 0
    for line in lines:
        if len(line) > LONGEST:
            continue
        for name, reader in readers.items():
            record = reader(line)
            if record is not None:
                found[name].append(record)
                count += len(record.values)
                break
        if count > tally.limits.points:
            tally.points(count)
    for name, records in found.items():
        if any(one.is_placed for one in records):
            return name, records
    return "", []


def _of_one_set(records: list[Record]) -> list[Record]:
    """Return the records of boosting without the number of its validation set, if there is one only."""
    names = {name for record in records for name in record.values}
    if len({found[0] for name in names if (found := _VALID.match(name))}) != 1:
        return records
    return [
        replace(one, values={_VALID.sub(r"\1\2", name): value for name, value in one.values.items()})
        for one in records
    ]


def _counted(records: Iterable[Record], tally: Tally) -> list[Record]:
    found: list[Record] = []
    count = 0
    for record in records:
        found.append(record)
        count += len(record.values)
        if count > tally.limits.points:
            tally.points(count)
    return found


def _is_text_log(path: Path, head: bytes) -> bool:
    if path.suffix.lower() not in _ENDINGS or b"\0" in head[:1024]:
        return False
    if path.suffix:
        return _has_lines(head) or _has_lines(_tail(path, len(head)))
    return _has_lines(head)


def _tail(path: Path, size: int) -> bytes:
    """Return the last bytes of a file: some programs write their own source in front of their log."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - size))
        return file.read(size)


def _has_lines(content: bytes) -> bool:
    lines: Sequence[str] = [
        text
        for line in content.decode("utf-8", "replace").splitlines()
        if len(line) <= LONGEST
        for text in cleaned(line)
    ]
    for reader in (Boxes().read, *STYLES.values(), Pairs().read):
        places: set[tuple[float | None, ...]] = set()
        place = None
        for record in filter(None, map(reader, lines)):
            place = (record.step, record.epoch, record.inner) if record.is_placed else place
            if record.values and place is not None:
                places.add(place)
        if len(places) >= _ENOUGH:
            return True
    return False


FORMAT = LogFormat(
    kind=SourceKind.TEXT,
    shown="text logs, of known programs or with --pattern",
    recognises=_is_text_log,
    read=read,
)
