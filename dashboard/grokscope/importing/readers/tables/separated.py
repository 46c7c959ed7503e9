"""Tables as text: in which encoding, with what between cells, and where their header is."""

import csv
import io
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from grokscope.importing.encodings import in_utf8
from grokscope.importing.growing import may_be_half
from grokscope.importing.limits import Tally
from grokscope.importing.readers.json_values import number
from grokscope.importing.readers.tables.clocks import is_clock
from grokscope.importing.readers.tables.spaced import (
    COMMENTS,
    cells_of,
    has_spaces,
    is_table,
    spaced,
    tabbed,
    uncommented,
)
from grokscope.importing.readers.tables.table import Table
from grokscope.importing.records import ImportingError, NotALogError
from grokscope.store.formulas import unguarded

_SEPARATORS = (",", ";", "\t", "|")
_SAID = re.compile(r'"?sep=(.)"?')
_HEAD = 64 * 1024
_SURELY = frozenset({".csv", ".tsv", ".tab"})
"""Endings of names that only tables have."""
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


def read_separated(path: Path, tally: Tally, check: Callable[[int, int, Tally], None]) -> Table:
    """Return a table of texts; ``check`` gets its rows and columns before it is made.

    Raises:
        ImportingError: If it has no header.
    """
    content, said = _whole_lines(path, tally), ()
    header = _header(content[:_HEAD].decode("utf-8", "replace"), tally)
    if has_spaces(header.line, _SEPARATORS) and header.said is None:
        rows, said = _rows(content, header)
        check(len(rows), len(header.line.split()), tally)
        content, separator, skipped = "\n".join(tabbed(rows, header.line, where=path.name)).encode(), "\t", 0
        names = content.partition(b"\n")[0].decode().split(separator)
    else:
        separator = header.said or _separator(header.line, path)
        names = [name for row in csv.reader([header.line], delimiter=separator) for name in row]
        content, skipped = _with_names(content, header)
    check(0, len(names), tally)
    if names and all(_is_number(name) for name in names):
        kind = ImportingError if path.suffix.lower() in _SURELY else NotALogError
        raise kind(
            f"{path.name!r} begins with numbers; write a line with the names of its columns above them, "
            "for instance step,train_loss,val_loss"
        )
    frame, notes = _frame(content, separator, skipped)
    check(frame.height, frame.width, tally)
    frame = unguarded(frame)
    frame = frame.rename(_names(frame.columns), strict=False)
    return Table(frame=_without_headers(frame), notes=(*said, *notes), is_semicolon=separator == ";")


def is_separated(head: bytes) -> bool:
    """Say whether the first bytes of any text are those of a table with a column of steps."""
    text = head[:_HEAD].decode("utf-8-sig", "replace")
    return "\0" not in text and is_table(text, _SEPARATORS)


def _with_names(content: bytes, header: "_Header") -> tuple[bytes, int]:
    """Return a table whose names of columns are no comment, and how many lines come before it."""
    if not header.is_comment:
        return content, header.skipped
    rest = content.split(b"\n", header.skipped)[-1]
    return header.line.strip().encode() + b"\n" + rest, 0


def _rows(content: bytes, header: "_Header") -> tuple[list[str], tuple[str, ...]]:
    """Return the lines of a table with spaces; what is said among rows of numbers is none."""
    lines = content.decode("utf-8", "replace").splitlines()[header.skipped + (not header.is_comment) :]
    found = [line for line in lines if line.strip() and not line.lstrip().startswith(COMMENTS)]
    rows = [line for line in found if _is_number(line.split(maxsplit=1)[0])]
    if not rows or len(rows) == len(found) or len(rows) < len(found) / 2:
        return found, ()
    return rows, (f"{len(found) - len(rows):,} of its lines do not begin with a number and are left out",)


def _whole_lines(path: Path, tally: Tally) -> bytes:
    """Return a text without a last line that may be half."""
    with path.open("rb") as file:
        before = os.fstat(file.fileno())
        content = in_utf8(file.read())
        is_growing = may_be_half(file, before)
    if b"\n" not in content:
        content = content.replace(b"\r", b"\n")  # the ends of lines of old Macs, which Excel still writes
    end = content.rfind(b"\n") + 1
    if not is_growing or not 0 < end < len(content):
        return content
    tally.half.add(path)
    return content[:end]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    """The names of the columns.

    Attributes:
        line: Where they stand, with spaces for the mark of a comment.
        skipped: How many lines come before the rows if it is a comment, or else before it.
        said: The separator, if the file names it.
        is_comment: It is a comment, above a line of numbers.
    """

    line: str
    skipped: int
    said: str | None = None
    is_comment: bool = False


def _header(head: str, tally: Tally) -> _Header:
    said, comment = None, ""
    lines = head.splitlines() or [""]
    for skipped, line in enumerate(lines):
        if found := _SAID.fullmatch(line.strip()):
            said = found[1]
        elif line.lstrip().startswith(COMMENTS):
            comment = uncommented(line)
        elif line.strip():
            if _is_header(comment, line):
                is_spaced = not any(one in line for one in _SEPARATORS)
                names = spaced(comment, _SEPARATORS) if is_spaced else comment
                return _Header(line=names, skipped=skipped, said=said, is_comment=True)
            return _Header(line=line[: tally.limits.record_bytes], skipped=skipped, said=said)
    return _Header(line=lines[0], skipped=0)


def _is_header(comment: str, line: str) -> bool:
    """Say whether a comment names the columns of the line below it, or at least what counts its steps."""
    cells, names = cells_of(line, _SEPARATORS), cells_of(comment, _SEPARATORS)
    if len(names) < 2 or not any(map(_is_number, cells)):  # noqa: PLR2004 - a step and a value
        return False
    return len(cells) == len(names) or is_clock(names[0])


def _separator(header: str, path: Path) -> str:
    bare = re.sub(r'"[^"]*"', "", header)
    counts = {one: bare.count(one) for one in _SEPARATORS}
    usual = "\t" if path.suffix.lower() in (".tsv", ".tab") else ","
    best = max(counts, key=lambda one: (counts[one], one == usual))
    return best if counts[best] else usual


def _frame(content: bytes, separator: str, skipped: int) -> tuple[pl.DataFrame, tuple[str, ...]]:
    for is_cut in (False, True):
        try:
            frame = pl.read_csv(
                io.BytesIO(content),
                separator=separator,
                infer_schema=False,
                encoding="utf8-lossy",
                skip_lines=skipped,
                glob=False,
                truncate_ragged_lines=is_cut,
            )
        except pl.exceptions.ComputeError:
            if is_cut:
                raise
        else:
            note = "some of its lines have more cells than its header; what is beyond it is left out"
            return frame, (note,) if is_cut else ()
    raise AssertionError


def _names(columns: list[str]) -> dict[str, str]:
    """Return the names without spaces and quotes around them, where that leaves them different."""
    bare = {name: name.strip().strip('"') for name in columns}
    seen: dict[str, int] = {}
    for name in bare.values():
        seen[name] = seen.get(name, 0) + 1
    return {name: short for name, short in bare.items() if seen[short] == 1}


def _without_headers(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that do not repeat the header, as a log that was opened again has it."""
    if not frame.width:
        return frame
    first = frame.columns[0]
    repeats = frame.to_series(0).str.strip_chars() == first
    if not first or not repeats.any():
        return frame
    is_header = pl.all_horizontal(pl.col(name).str.strip_chars().eq_missing(name) for name in frame.columns)
    return frame.filter(~is_header)


def _is_number(cell: str) -> bool:
    return bool(_NUMBER.fullmatch(cell.strip())) or number(cell) is not None
