r"""What commands print: the one door to the terminal.

Names of runs, metrics, files and stores, and the words of servers, were written by other people and programs.
A terminal obeys control characters in them: they colour, overwrite what stands above, set links and titles.
Here what does not print is written out (``\x1b``), as in the errors that quote a name.
"""

import json
import shutil
import sys
import textwrap
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from threading import Timer
from typing import IO

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from grokscope.schemas.printable import written_out

_CELL = 200
_SENTENCE = 4000
_LINE = 1 << 16
_LINE_WIDTH, _TABLE_WIDTH = 120, 140
_GAP = 2
_NARROW = 12
_READABLE = 23
"""A text that is folded into so many columns can still be read."""
_UNBROKEN = "\N{NO-BREAK SPACE}"


def shown(text: str, *, limit: int = _CELL) -> str:
    r"""Return a text of others on one line, with what does not print written out, cut at ``limit``.

    Use it for each name that stands beside words that are ours; ``say`` guards lines only.

    >>> shown("a\x1b[31m\u202e\tb\n"), shown("é 学 👍"), shown("x" * 300, limit=3)
    ('a\\x1b[31m\\u202e\\tb\\n', 'é 学 👍', 'xx…')
    """
    line = written_out(text[: limit + 1])
    return line if len(line) <= limit else line[: limit - 1] + "…"


def say(line: str, *, err: bool = False) -> None:
    """Print one line, with tabs between its columns."""
    typer.echo("\t".join(map(written_out, line.split("\t"))), err=err)


_SOON_S = 1.0


def complain(sentence: str) -> None:
    """Print a sentence about what is wrong on stderr, after the command's name."""
    typer.echo(f"grokscope: {shown(sentence, limit=_SENTENCE)}", err=True)


@contextmanager
def waiting(sentence: str) -> Generator[None]:
    """Say on stderr what is waited for, if the block takes more than a second."""
    timer = Timer(_SOON_S, complain, [sentence])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def say_json(line: str) -> None:
    r"""Print one JSON value on a line; what does not print stands in it as ``\u001b``, which is the same.

    >>> say_json('{"run": "a\u202eb"}')
    {"run": "a\u202eb"}
    """
    typer.echo("".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in line))


def line_width() -> int:
    """Return how many columns a line has: those of the terminal, or of one of a usual width."""
    return shutil.get_terminal_size((_LINE_WIDTH, 24)).columns


def fits(titles: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Sequence[str] = ()) -> bool:
    """Return whether a table has its place in the terminal, with long texts folded; see ``say_table``."""
    widths = [
        width if title in numbers else min(width, _READABLE)
        for title, width in zip(titles, _cell_widths(titles, rows), strict=True)
    ]
    return sum(widths) + _GAP * (len(widths) - 1) <= line_width()


def say_block(head: str, items: Sequence[str], *, notes: Sequence[str] = ()) -> None:
    """Print a line, and indented under it what belongs to it: where a table's row would not fit.

    Args:
        head: The line.
        items: Short texts, set one after another; none is broken.
        notes: Sentences, each from a line of its own.
    """
    listed = " · ".join(shown(item).replace(" ", _UNBROKEN) for item in items)
    lines = [shown(head, limit=_SENTENCE)]
    for text, indent in ((listed, "  "), *((shown(note, limit=_SENTENCE), "  ") for note in notes)):
        lines += textwrap.wrap(
            text,
            max(line_width(), 2 * _NARROW),
            initial_indent=indent,
            subsequent_indent=2 * indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
    typer.echo("\n".join(line.replace(_UNBROKEN, " ") for line in lines))


def say_table(
    titles: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numbers: Sequence[str] = (),
    notes: Sequence[Sequence[str]] = (),
    width: int = _TABLE_WIDTH,
) -> None:
    """Print a table.

    Args:
        titles: Of its columns.
        rows: Cells as text.
        numbers: Titles of the columns whose cells stand at the right.
        notes: Of each row, lines that stand under it.
        width: Beyond so many columns, texts are folded.
    """
    widths = _widths(titles, rows, numbers=numbers, most=width)
    console = Console(width=max(sum(widths) + _GAP * len(widths), width), no_color=True, highlight=False)
    with console.capture() as captured:
        console.print(_lines(titles, [], numbers, widths, has_head=True))
        for place, row in enumerate(rows):
            console.print(_lines(titles, row, numbers, widths))
            for note in notes[place] if notes else ():
                console.print(Text(f"  {shown(note, limit=_SENTENCE)}"), soft_wrap=True)
    typer.echo("\n".join(line.rstrip() for line in captured.get().rstrip("\n").split("\n")))


def _cell_widths(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    cells = [[title, *(row[i] for row in rows)] for i, title in enumerate(titles)]
    return [max(Text(shown(cell, limit=_SENTENCE)).cell_len for cell in column) for column in cells]


def _widths(
    titles: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Sequence[str], most: int
) -> list[int]:
    """Return how wide each column is; of a table too wide, the texts are folded."""
    widths = _cell_widths(titles, rows)
    texts = [i for i, title in enumerate(titles) if title not in numbers]
    while sum(widths) + _GAP * (len(widths) - 1) > most:
        widest = max(texts, key=lambda i: widths[i], default=None)
        if widest is None or widths[widest] <= _NARROW:
            break
        widths[widest] -= 1
    return widths


def _lines(
    titles: Sequence[str],
    row: Sequence[str],
    numbers: Sequence[str],
    widths: Sequence[int],
    *,
    has_head: bool = False,
) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", show_header=has_head)
    for title, width in zip(titles, widths, strict=True):
        if title in numbers:
            table.add_column(title, justify="right", min_width=width)
        else:
            table.add_column(title, overflow="fold", width=width)
    # Text, not markup: a run may be called "[bold]".
    if row:
        table.add_row(*(Text(shown(cell, limit=_SENTENCE)) for cell in row))
    return table


def pass_on(words: IO[bytes]) -> None:
    """Print what another process says, line by line, until it has ended and nobody speaks for it."""
    with words:
        for line in iter(partial(words.readline, _LINE), b""):
            with suppress(OSError, ValueError):  # it must not wait because nobody listens here
                say(line.decode(errors="replace").rstrip("\r\n"), err=True)


def progress(*, is_counted: bool = True, transient: bool = False) -> Progress:
    """Return a bar on stderr; without a count, something that turns."""
    # A description is no markup: the address of a store may hold "[link=…]".
    words, clock = TextColumn("{task.description}", markup=False), TimeElapsedColumn()
    counted: tuple[ProgressColumn, ...] = (words, BarColumn(), MofNCompleteColumn(), clock)
    columns = counted if is_counted else (SpinnerColumn(), words, clock)
    console = Console(file=sys.stderr)
    # One that leaves nothing behind on a terminal leaves nothing in a file either: no empty line.
    return Progress(
        *columns, console=console, transient=transient, disable=transient and not console.is_terminal
    )
