"""Tables with spaces between cells, as gnuplot reads them and programs print them."""

import re
from collections.abc import Iterator, Sequence

from grokscope.importing.readers.json_values import text_number
from grokscope.importing.readers.tables.clocks import is_clock
from grokscope.importing.records import ImportingError
from grokscope.schemas.metrics.reading import read_alone

COMMENTS = ("#", "%", "//")
"""What a line begins with that holds no values; gnuplot and NumPy write the names of columns into one."""

_MARK = re.compile(r"\s*+(?:#++|%++|//+)")
_TOKEN = re.compile(r"\S++")
_PHRASE = re.compile(r"\S++(?: \S++)*+")
_ENOUGH = 2
"""Rows of numbers below a header by which a text is known to be a table."""
_LOOKED_AT = 200
_Fields = list[tuple[str, int, int]]


def has_spaces(header: str, separators: Sequence[str]) -> bool:
    """Say whether only spaces stand between the names of columns.

    >>> has_spaces("step  loss", [","]), has_spaces("step, train loss", [","]), has_spaces("step", [","])
    (True, False, False)
    """
    return not any(one in header for one in separators) and len(header.split()) > 1


def is_table(text: str, separators: Sequence[str]) -> bool:
    r"""Say whether any text is a table with a header, one column of which counts steps.

    >>> is_table("# step loss\n0 2.5\n10 1.5\n", []), is_table("step 1: loss 2\nstep 2: loss 1\n", [])
    (True, False)
    """
    lines = [line for line in text.splitlines()[:_LOOKED_AT] if line.strip()]
    head, names = 0, ""
    while head < len(lines) and lines[head].lstrip().startswith(COMMENTS):
        head, names = head + 1, uncommented(lines[head])
    if head < len(lines) and not any(map(_is_number, cells_of(lines[head], separators))):
        head, names = head + 1, lines[head]
    columns = cells_of(names, separators)
    below = [line for line in lines[head:] if not line.lstrip().startswith(COMMENTS)]
    found = [cells_of(line, separators) for line in below]
    rows = [*found[:1], *(cells for cells in found[1:] if _is_number(cells[0]))][:_ENOUGH]
    is_numeric = all(len(row) >= _ENOUGH and all(map(_is_number, row[:_ENOUGH])) for row in rows)
    is_log = any(map(is_clock, columns)) or (names.count("\t") > 0 and any(map(_is_curve, columns)))
    return len(rows) == _ENOUGH <= len(columns) and is_numeric and is_log


def _is_curve(name: str) -> bool:
    return read_alone(name).key is not None


def uncommented(line: str) -> str:
    """Return a line with spaces for what makes it a comment.

    >>> uncommented("# step loss")
    '  step loss'
    """
    return _MARK.sub(lambda match: " " * len(match[0]), line)


def spaced(header: str, separators: Sequence[str]) -> str:
    """Return a header with spaces between its names, whatever is between them.

    >>> spaced(" step, train loss", [","])
    'step  train loss'
    """
    return "  ".join(cells_of(header, separators)) if any(one in header for one in separators) else header


def cells_of(line: str, separators: Sequence[str]) -> list[str]:
    """Return the cells of a line, between the first separator that it has or else between spaces."""
    separator = next((one for one in separators if one in line), None)
    return [cell.strip() for cell in line.split(separator)] if separator else line.split()


def _is_number(cell: str) -> bool:
    return text_number(cell) is not None


def tabbed(lines: Sequence[str], header: str, *, where: str) -> Iterator[str]:
    r"""Yield the header and the rows of a table with a tab between cells; empty ones are told by their place.

    Args:
        lines: Below the header, without comments.
        header: As it stands in the file, with its spaces; the names are parted by two spaces or more if they
            hold single ones.
        where: What to call the source in an error.

    Raises:
        ImportingError: If the cells of a row belong to no columns.

    >>> list(tabbed(["  1   2.5", " 10        0.5"], "step  loss  acc", where="a.txt"))
    ['step\tloss\tacc', '1\t2.5\t', '10\t\t0.5']
    """
    width = max((len(line.split()) for line in lines), default=0)
    names = _fields(_TOKEN, header)
    if len(names) != width:
        phrases = _fields(_PHRASE, header)
        names = phrases if len(phrases) == width or len(names) > width > len(phrases) > 1 else names
    if width == len(names) + 1:  # a data frame was printed with its index
        names = [("", 0, 0), *names]
    if width > len(names):
        raise ImportingError(
            f"{where!r} has rows of {width:,} cells below a header of {len(names):,} names; write a name a "
            "column, without spaces in it"
        )
    yield "\t".join(name for name, _, _ in names)
    for line in lines:
        cells = line.split()
        whole = cells if len(cells) == len(names) else _placed(_fields(_TOKEN, line), names, where)
        yield "\t".join(whole)


def _fields(pattern: re.Pattern[str], line: str) -> _Fields:
    return [(match[0], match.start(), match.end()) for match in pattern.finditer(line.expandtabs())]


def _placed(row: _Fields, names: _Fields, where: str) -> list[str]:
    """Return the cells of a row under the names that they stand under."""
    cells = [""] * len(names)
    column = 0
    for cell, start, end in row:
        while column < len(names) - 1 and _apart(start, end, names[column]) > _apart(
            start, end, names[column + 1]
        ):
            column += 1
        if column == len(names) or cells[column]:
            raise ImportingError(
                f"{where!r} has a row in which {cell[:40]!r} stands under no name of its own; fill its empty "
                "cells with nan"
            )
        cells[column] = cell
    return cells


def _apart(start: int, end: int, name: tuple[str, int, int]) -> int:
    """Return how far a cell lies from a name: its nearer edge, as columns are flush left or right."""
    return min(abs(start - name[1]), abs(end - name[2]))
