"""A page for others, as Markdown or as HTML that loads nothing: headings, paragraphs, lists, tables, figures.

Whatever stands in it may be other people's text: it is written letter for letter, never as markup.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from grokscope.schemas.printable import written_out

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;"
    "color-scheme:light dark}"
    "table{border-collapse:collapse}td,th{padding:.2rem .8rem;border-bottom:1px solid #8884;text-align:left}"
)
_MARKED = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_{}[]<>|#~&@$"})
_ADDRESS = re.compile(r"(?i)https?(?=:)|ftp(?=:)|www(?=\.)")
"""Where the colon or the dot after it is escaped, no renderer finds an address to make a link of."""
_NAMED = re.compile(r"""(\bid="|url\(["']?#|href="#)""")
_BEGINS_LIST = re.compile(r"^([-+=]|\d+(?=[.)]\s))")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a level from 1 to 6."""

    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure that we drew, an SVG for HTML or a PNG for Markdown, and what it shows."""

    content: bytes
    text: str


@dataclass(frozen=True, slots=True)
class Points:
    """A list of items."""

    items: Sequence[str]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; a row has as many cells as there are titles."""

    titles: Sequence[str]
    rows: Sequence[Sequence[str]]


Block = Heading | Paragraph | Drawing | Points | Table


def as_markdown(blocks: Iterable[Block]) -> str:
    r"""Return the page as Markdown.

    >>> print(as_markdown([Heading("a *b*", 1), Points(["1. <c>"])]))
    # a \*b\*
    <BLANKLINE>
    - 1\. \<c\>
    <BLANKLINE>
    """
    return "\n\n".join(map(_markdown, blocks)) + "\n"


def as_html(title: str, blocks: Iterable[Block]) -> str:
    """Return the page as HTML that holds all of itself; its policy lets nothing be loaded or run."""
    body = "\n".join(_html(block, i) for i, block in enumerate(blocks))
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    head = (
        f'<meta charset=\'utf-8\'><meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<title>{_text(title)}</title><style>{_STYLE}</style>"
    )
    return f"<!doctype html>\n<html lang='en'><head>{head}</head>\n<body>\n{body}\n</body></html>\n"


def _markdown(block: Block) -> str:
    if isinstance(block, Heading):
        return f"{'#' * block.level} {_marked(block.text)}"
    if isinstance(block, Paragraph):
        return _marked(block.text)
    if isinstance(block, Drawing):
        return f"![{_marked(block.text)}](data:image/png;base64,{b64encode(block.content).decode()})"
    if isinstance(block, Points):
        return "\n".join(f"- {_marked(item)}" for item in block.items)
    lines = [block.titles, ["---"] * len(block.titles), *block.rows]
    return "\n".join(
        "| " + " | ".join(cell if cell == "---" else _marked(cell) for cell in line) + " |" for line in lines
    )


def _marked(text: str) -> str:
    marked = _ADDRESS.sub(r"\g<0>\\", _on_a_line(text).translate(_MARKED))
    return _BEGINS_LIST.sub(
        lambda found: f"{found[1]}\\" if found[1].isdecimal() else f"\\{found[1]}", marked
    )


def _on_a_line(text: str) -> str:
    """Return a text on one line, with what does not print written out: no mark of direction turns it."""
    return written_out(" ".join(text.split()))


def _text(text: str) -> str:
    return escape(_on_a_line(text))


def _html(block: Block, place: int) -> str:
    if isinstance(block, Heading):
        return f"<h{block.level}>{_text(block.text)}</h{block.level}>"
    if isinstance(block, Paragraph):
        return f"<p>{_text(block.text)}</p>"
    if isinstance(block, Drawing):
        svg = _of_its_own(block.content.decode(), place)
        return f"<figure role='img' aria-label=\"{_text(block.text)}\">{svg}</figure>"
    if isinstance(block, Points):
        return "<ul>" + "".join(f"<li>{_text(item)}</li>" for item in block.items) + "</ul>"
    head = "".join(f"<th>{_text(title)}</th>" for title in block.titles)
    rows = ("".join(f"<td>{_text(cell)}</td>" for cell in row) for row in block.rows)
    return f"<table><tr>{head}</tr>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>"


def _of_its_own(svg: str, place: int) -> str:
    """Return an SVG whose names within are those of no other on the page."""
    return _NAMED.sub(rf"\g<1>figure{place}-", svg)
