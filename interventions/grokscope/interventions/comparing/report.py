"""A comparison as a page for others: what was found, what a skeptic would ask, and how to make it again."""

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from grokscope.interventions.amounts import amount
from grokscope.interventions.comparing.page import (
    Block,
    Heading,
    Paragraph,
    Points,
    Table,
    as_html,
    as_markdown,
)
from grokscope.interventions.comparing.records import Comparison
from grokscope.interventions.comparing.sentences import spread
from grokscope.interventions.comparing.skeptic import Question
from grokscope.interventions.estimate import Estimate

_NONE = "–"
_TRIALS = (1, 2, 5, 10, 20)


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
    return as_html(_title(found), blocks) if html else as_markdown(blocks)


def _title(found: Comparison) -> str:
    return f"What reaches {found.target} for the least" if found.target else "Scores by a published rule"


def _blocks(found: Comparison, questions: Sequence[Question], made_by: Mapping[str, str]) -> Iterator[Block]:
    yield Heading(_title(found), 1)
    yield Paragraph(found.sentence)
    if found.trend is not None:
        yield Paragraph(found.trend.sentence(found.count_in))
    yield from _tables(found)
    if found.exchange_rates:
        yield Heading("What steps are worth")
        yield Points([one.sentence for one in found.exchange_rates])
    if found.caveats:
        yield Heading("To be known with it")
        yield Points(found.caveats)
    if questions:
        asked = [(one.asked, one.answer.value, one.because) for one in questions]
        yield Heading("What a skeptic would ask")
        yield Table(("question", "answer", "why"), asked)
    yield Heading("How to make it again")
    yield Points([f"{name}: {value}" for name, value in made_by.items()])


def _tables(found: Comparison) -> Iterator[Block]:
    """Yield what there is of scores, groups, pairs and published results, each with its heading."""
    scores = [(name, f"{one.value or 0:.4f}", _ends(one)) for name, one in found.scores.items()]
    groups = [
        (one.group, f"{one.n:,}", f"{one.reached:,}", _cell(one.median), _cell(one.restricted_mean))
        for one in found.groups
    ]
    median = f"median {found.count_in}"
    for title, titles, rows in (
        ("Scores", ("group", "score", "95 %"), scores),
        ("Groups", ("group", "runs", "reached", median, "mean within the common budget"), groups),
        (
            "Pairs",
            ("cheaper", "dearer", "times as much", "p", "p of all pairs", "smallest p possible"),
            _pairs(found),
        ),
        (
            "What a tuning budget buys: runs of a group taken for trials of one search",
            ("group", "best of", f"{median} of the best", "95 %", "chance that one reaches it"),
            _tuning(found),
        ),
        (
            "Published results",
            ("result", "published steps", "steps", "e-value", "why not the same"),
            _claims(found),
        ),
    ):
        if rows:
            yield Heading(title)
            yield Table(titles, rows)


def _pairs(found: Comparison) -> list[tuple[str, ...]]:
    return [
        (one.a, one.b, _cell(one.speed_up), _p(one.p), _p(one.adjusted_p), _p(one.attainable_p))
        for one in found.contrasts
    ]


def _claims(found: Comparison) -> list[tuple[str, ...]]:
    return [
        (
            row["number"],
            f"{row['published_steps']:,}",
            _NONE if row["steps"] is None else f"{row['steps']:,}",
            _NONE if row["e_value"] is None else f"{row['e_value']:.3g}",
            row["explanation"] or "",
        )
        for row in found.claims.iter_rows(named=True)
    ]


def _tuning(found: Comparison) -> list[tuple[str, ...]]:
    """Return what the best of 1, 2, 5, 10 and 20 runs of each group costs."""
    rows = found.tuning.filter(pl.col("trials").is_in(_TRIALS)).iter_rows(named=True)
    return [
        (
            row["group"],
            str(row["trials"]),
            _NONE if row["median"] is None else amount(row["median"]),
            ", ".join(_NONE if row[end] is None else amount(row[end]) for end in ("low", "high")),
            f"{row['reached']:.0%}",
        )
        for row in rows
    ]


def _ends(estimate: Estimate) -> str:
    return ", ".join(_NONE if end is None else f"{end:.3f}" for end in (estimate.low, estimate.high))


def _cell(estimate: Estimate) -> str:
    return _NONE if estimate.value is None else spread(estimate)


def _p(value: float | None) -> str:
    return _NONE if value is None else f"{value:.2g}"
