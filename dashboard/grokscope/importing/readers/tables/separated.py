"""Tables as text: in which encoding, with what between cells, and where their header is."""

import csv
import io
import os
import re
from collections.abc import Callable
from pathlib import Path

import polars as pl

from grokscope.importing.growing import may_be_half
from grokscope.importing.limits import Tally
from grokscope.importing.readers.json_values import number
from grokscope.importing.readers.tables.table import Table
from grokscope.importing.records import ImportingError
from grokscope.store.formulas import unguarded

_SEPARATORS = (",", ";", "\t", "|")
_SAID = re.compile(r'"?sep=(.)"?')
_HEAD = 64 * 1024
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


def read_separated(path: Path, tally: Tally, check: Callable[[int, int, Tally], None]) -> Table:
    """Return a table of texts; ``check`` gets its rows and columns before it is made.

    Raises:
        ImportingError: If it has no header.
    """
    content = _whole_lines(path, tally)
    head = content[:_HEAD].decode("utf-8", "replace")
    skipped, line, said = _header(head, tally)
    separator = said or _separator(line, path)
    check(0, line.count(separator) + 1, tally)
    names = [name for row in csv.reader([line], delimiter=separator) for name in row]
    if names and all(_is_number(name) for name in names):
        raise ImportingError(
            f"{path.name!r} begins with numbers; write a line with the names of its columns above them, "
            "for instance step,train_loss,val_loss"
        )
    frame, notes = _frame(content, separator, skipped)
    check(frame.height, frame.width, tally)
    frame = unguarded(frame)
    frame = frame.rename(_names(frame.columns), strict=False)
    return Table(frame=_without_headers(frame), notes=notes, is_semicolon=separator == ";")


def _whole_lines(path: Path, tally: Tally) -> bytes:
    """Return a text without a last line that may be half."""
    with path.open("rb") as file:
        before = os.fstat(file.fileno())
        content = _utf8(file.read())
        is_growing = may_be_half(file, before)
    end = content.rfind(b"\n") + 1
    if not is_growing or not 0 < end < len(content):
        return content
    tally.half.add(path)
    return content[:end]


def _utf8(content: bytes) -> bytes:
    """Return a text in UTF-8; what Windows calls Unicode is known by its mark, or by its zeros."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace").encode()
    if content[1:64:2].count(0) > 16 and 0 not in content[0:64:2]:  # noqa: PLR2004 - half of a line
        return content.decode("utf-16-le", "replace").encode()
    return content.removeprefix(b"\xef\xbb\xbf")


def _header(head: str, tally: Tally) -> tuple[int, str, str | None]:
    """Return how many lines come before the header, the header, and the separator if the file names it."""
    skipped, said = 0, None
    for line in head.splitlines() or [""]:
        found = _SAID.fullmatch(line.strip())
        if found is None and line.strip() and not line.startswith(("#{", "# ")):
            return skipped, line[: tally.limits.record_bytes], said
        said, skipped = found[1] if found else said, skipped + 1
    return 0, head.partition("\n")[0], None


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
