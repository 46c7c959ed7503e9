"""A comparison as a page for others: what was found, what a skeptic would ask, and how to make it again."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from grokscope.interventions.comparing.records import Comparison
from grokscope.interventions.comparing.sentences import amount, spread
from grokscope.interventions.comparing.skeptic import Question
from grokscope.interventions.estimate import Estimate
from grokscope.schemas.printable import written_out

_NONE = "–"
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;"
    "color-scheme:light dark}"
    "table{border-collapse:collapse}td,th{padding:.2rem .8rem;border-bottom:1px solid #8884;text-align:left}"
)
_MARKED = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_{}[]<>|#~&@$"})
_ADDRESS = re.compile(r"(?i)https?(?=:)|ftp(?=:)|www(?=\.)")
"""Where the colon or the dot after it is escaped, no renderer finds an address to make a link of."""
_BEGINS_LIST = re.compile(r"^([-+=]|\d+(?=[.)]\s))")


@dataclass(frozen=True, slots=True)
class _Heading:
    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class _Paragraph:
    text: str


@dataclass(frozen=True, slots=True)
class _Points:
    items: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Table:
    titles: Sequence[str]
    rows: Sequence[Sequence[str]]


_Block = _Heading | _Paragraph | _Points | _Table


def report(
    found: Comparison, questions: Sequence[Question], made_by: Mapping[str, str], *, html: bool
) -> str:
    """Return the page, as Markdown or as HTML that loads nothing.

    Names of runs and params are other people's text: they are escaped.

    Args:
        found: The comparison.
        questions: What a skeptic would ask of it.
        made_by: What is needed to make it again (command, version, digest of the source) -> its value.
        html: HTML instead of Markdown.
    """
    blocks = list(_blocks(found, questions, made_by))
    if not html:
        return "\n\n".join(map(_markdown, blocks)) + "\n"
    body = "\n".join(map(_html, blocks))
    title = _text(_title(found))
    head = f"<meta charset='utf-8'><title>{title}</title><style>{_STYLE}</style>"
    return f"<!doctype html>\n<html lang='en'><head>{head}</head>\n<body>\n{body}\n</body></html>\n"


def _title(found: Comparison) -> str:
    return f"What reaches {found.target} for the least" if found.target else "Scores by a published rule"


def _blocks(found: Comparison, questions: Sequence[Question], made_by: Mapping[str, str]) -> Iterator[_Block]:
    yield _Heading(_title(found), 1)
    yield _Paragraph(found.sentence)
    if found.trend is not None:
        yield _Paragraph(found.trend.sentence(found.count_in))
    yield from _tables(found)
    if found.caveats:
        yield _Heading("To be known with it")
        yield _Points(found.caveats)
    if questions:
        asked = [(one.asked, one.answer.value, one.because) for one in questions]
        yield _Heading("What a skeptic would ask")
        yield _Table(("question", "answer", "why"), asked)
    yield _Heading("How to make it again")
    yield _Points([f"{name}: {value}" for name, value in made_by.items()])


def _tables(found: Comparison) -> Iterator[_Block]:
    """Yield what there is of scores, groups, pairs and published results, each with its heading."""
    scores = [(name, f"{one.value or 0:.4f}", _ends(one)) for name, one in found.scores.items()]
    groups = [
        (one.group, f"{one.n:,}", f"{one.reached:,}", _cell(one.median), _cell(one.restricted_mean))
        for one in found.groups
    ]
    pairs = [
        (one.a, one.b, _cell(one.speed_up), _p(one.p), _p(one.adjusted_p), _p(one.attainable_p))
        for one in found.contrasts
    ]
    median = f"median {found.count_in}"
    for title, titles, rows in (
        ("Scores", ("group", "score", "95 %"), scores),
        ("Groups", ("group", "runs", "reached", median, "mean within the common budget"), groups),
        (
            "Pairs",
            ("cheaper", "dearer", "times as much", "p", "p of all pairs", "smallest p possible"),
            pairs,
        ),
        (
            "Published results",
            ("result", "published steps", "steps", "e-value", "why not the same"),
            _claims(found),
        ),
    ):
        if rows:
            yield _Heading(title)
            yield _Table(titles, rows)


def _claims(found: Comparison) -> list[tuple[str, ...]]:
    return [
        (
            row["number"],
            f"{row['published_steps']:,}",
            _p(row["steps"]),
            _p(row["e_value"]),
            row["explanation"] or "",
        )
        for row in found.claims.iter_rows(named=True)
    ]


def _ends(estimate: Estimate) -> str:
    return ", ".join(_NONE if end is None else f"{end:.3f}" for end in (estimate.low, estimate.high))


def _cell(estimate: Estimate) -> str:
    return _NONE if estimate.value is None else spread(estimate)


def _p(value: float | None) -> str:
    return _NONE if value is None else amount(value)


def _markdown(block: _Block) -> str:
    if isinstance(block, _Heading):
        return f"{'#' * block.level} {_marked(block.text)}"
    if isinstance(block, _Paragraph):
        return _marked(block.text)
    if isinstance(block, _Points):
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


def _html(block: _Block) -> str:
    if isinstance(block, _Heading):
        return f"<h{block.level}>{_text(block.text)}</h{block.level}>"
    if isinstance(block, _Paragraph):
        return f"<p>{_text(block.text)}</p>"
    if isinstance(block, _Points):
        return "<ul>" + "".join(f"<li>{_text(item)}</li>" for item in block.items) + "</ul>"
    head = "".join(f"<th>{_text(title)}</th>" for title in block.titles)
    rows = ("".join(f"<td>{_text(cell)}</td>" for cell in row) for row in block.rows)
    return f"<table><tr>{head}</tr>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>"
