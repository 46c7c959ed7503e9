"""Lines of a text log: progress bars that overwrite themselves apart, colours taken out, none too long."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from grokscope.importing.encodings import encoding_of
from grokscope.importing.growing import may_be_half
from grokscope.importing.limits import Tally
from grokscope.importing.records import ImportingError

_BEGINNING = 64
LONGEST = 16 * 1024
"""Characters of a line that built-in patterns look at: no log writes its numbers in longer ones."""
_COLOUR = re.compile(r"\x1b\[[0-9;?]{0,20}[A-Za-z]")
_ERASED = re.compile(r"\x08+")


def lines_of(path: Path, tally: Tally) -> Iterator[str]:
    """Yield the lines of a file; what a carriage return or backspaces write over is a line of its own.

    A last one that may be half, as the file is being written, is left out.

    Raises:
        ImportingError: If a line is longer than the caps allow.
    """
    most = tally.limits.record_bytes
    with path.open("rb") as file:
        encoding = encoding_of(file.read(_BEGINNING))
    with path.open(encoding=encoding, errors="replace") as file:
        before = os.fstat(file.fileno())
        while line := file.readline(most + 1):
            if len(line) > most:
                raise ImportingError(f"{path.name!r} has a line of more than {most:,} characters")
            if not line.endswith("\n") and may_be_half(file, before):
                tally.half.add(path)
                return
            yield from cleaned(line)


def cleaned(line: str) -> Iterator[str]:
    r"""Yield the texts that a terminal showed of a line one after the other.

    >>> list(cleaned("\x1b[32m1/2 loss: 3\x1b[0m" + "\b" * 11 + "2/2 loss: 2"))
    ['1/2 loss: 3', '2/2 loss: 2']
    """
    if "\x1b" in line:
        line = _COLOUR.sub("", line)
    if "\x08" in line:
        yield from filter(None, _ERASED.split(line))
    else:
        yield line
