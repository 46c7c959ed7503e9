"""A selection as one page for others: its runs, its groups, its figure, and what made it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl
import polars.selectors as cs

from grokscope.interventions.comparing.page import (
    Block,
    Drawing,
    Heading,
    Paragraph,
    Points,
    Table,
    as_html,
    as_markdown,
)

_NONE = "–"
_SHARE = 4
_LONGEST = 400
"""Letters of a cell; a name of megabytes is cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """What a report is of; all texts may be other people's.

    Attributes:
        title: Of the page.
        runs: A row a run, with dates and their intervals; columns of ids and of curves are left out.
        groups: A row a group; may be empty.
        sentences: What each run did, or all of them together.
        figures: What each shows -> its SVG for HTML, its PNG for Markdown, whose programs show no other.
        made_by: What it was made from (experiment, address, versions) -> its value.
    """

    title: str
    runs: pl.DataFrame
    groups: pl.DataFrame
    sentences: Sequence[str]
    figures: Mapping[str, bytes]
    made_by: Mapping[str, str]


def selection_report(selected: Selected, *, html: bool) -> str:
    """Return the page, as HTML that loads and runs nothing, or as Markdown; each is one file.

    >>> one = pl.DataFrame({"run": ["<b>"], "onset": [12000], "final": [None]})
    >>> page = Selected(title="t", runs=one, groups=pl.DataFrame(), sentences=[], figures={}, made_by={})
    >>> "<td>&lt;b&gt;</td><td>12,000</td><td>–</td>" in selection_report(page, html=True)
    True
    """
    blocks = list(_blocks(selected))
    return as_html(selected.title, blocks) if html else as_markdown(blocks)


def _blocks(selected: Selected) -> Iterator[Block]:
    yield Heading(selected.title, 1)
    if selected.sentences:
        yield Points(selected.sentences)
    for shown, content in selected.figures.items():
        yield Paragraph(shown)
        yield Drawing(content, shown)
    for title, frame in (("Groups", selected.groups), ("Runs", selected.runs)):
        if frame.height:
            yield Heading(title)
            yield table_of(frame)
    yield Paragraph("Dates are steps; between brackets, 95 % intervals. – is what is not known.")
    yield Heading("How it was made")
    yield Points([f"{name}: {value}" for name, value in selected.made_by.items()])


def table_of(frame: pl.DataFrame) -> Table:
    """Return a frame as a table of texts; ids of runs and lists are left out.

    >>> table_of(pl.DataFrame({"run_id": ["x"], "delay ratio": [13.33333], "seed": [0]}))
    Table(titles=['delay ratio', 'seed'], rows=[['13.33', '0']])
    """
    shown = frame.select(~cs.list()).drop("run_id", strict=False)
    return Table(shown.columns, [[_cell(value) for value in row] for row in shown.iter_rows()])


def _cell(value: object) -> str:
    if value is None or value == "":
        return _NONE
    if isinstance(value, float):
        return f"{value:.{_SHARE}g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    text = str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
