"""An answer as text, JSON and Markdown; as JSON it fits two kilobytes, whatever is in the store."""

import json
import math
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from grokscope.answers.record.answer import Answer, Number
from grokscope.answers.record.names import cut, marked_down, plain, shown

LIMIT = 2000
"""Bytes that an answer's JSON has at most, as UTF-8."""

_STORE_BYTES = 200
_SENTENCE_BYTES = 700
_MOST = 12
_LISTS = ("sentences", "missing", "numbers", "evidence")
"""In the order in which they count, item by item."""

_LABELS = {"numbers": "Numbers", "evidence": "Evidence", "missing": "Missing"}


def as_text(answer: Answer) -> str:
    """Return the answer as a paragraph, what is missing, and where to look on.

    >>> answer = Answer(question="when", sentences=["At step 9."], link="/run", store="sqlite:///a.db")
    >>> print(as_text(answer))
    At step 9.
    See /run in the app: grokscope up --store sqlite:///a.db
    """
    lines = [" ".join(plain(sentence) for sentence in answer.sentences)]
    lines += [f"Missing: {plain(one)}" for one in answer.missing]
    return "\n".join([*lines, _where(answer)]).rstrip()


def as_json(answer: Answer) -> str:
    """Return the answer as one line of JSON, at most ``LIMIT`` bytes long as UTF-8.

    What does not fit is left out, the least important first; ``left_out`` says of what and how many.
    Names are those that were logged, with what does not print written out, and cut.
    """
    return _written(as_dict(answer))


def as_dict(answer: Answer) -> dict[str, Any]:
    """Return the answer as plain JSON values, as ``as_json`` writes them."""
    kept: dict[str, list[Any]] = {name: [] for name in _LISTS}
    is_open = {name: bool(_items(answer, name)) for name in _LISTS}
    while any(is_open.values()):
        for name in (name for name in _LISTS if is_open[name]):
            items = _items(answer, name)
            kept[name].append(_value(items[len(kept[name])]))
            is_open[name] = len(kept[name]) < len(items)
            if len(_written(_document(answer, kept)).encode()) > LIMIT:
                kept[name].pop()
                is_open[name] = False
    return _document(answer, kept)


def as_markdown(answer: Answer) -> str:
    """Return the answer as Markdown: the paragraph, then lists of numbers, evidence and what is missing."""
    blocks = [" ".join(marked_down(sentence) for sentence in answer.sentences)]
    sections: Mapping[str, list[str]] = {
        "numbers": [_number_line(number) for number in answer.numbers],
        "evidence": [marked_down(one) for one in answer.evidence],
        "missing": [marked_down(one) for one in answer.missing],
    }
    for name, lines in sections.items():
        if lines:
            more = [f"and {len(lines) - _MOST:,} more"] if len(lines) > _MOST else []
            listed = "\n".join(f"- {line}" for line in (*lines[:_MOST], *more))
            blocks.append(f"{_LABELS[name]}:\n\n{listed}")
    command = _command(answer)
    where = [f"See `{answer.link}` in the app: `{command}`"] if answer.link and command else []
    return "\n\n".join([*blocks, *where])


RENDERINGS: Mapping[str, Callable[[Answer], str]] = {
    "text": as_text,
    "json": as_json,
    "markdown": as_markdown,
}
"""What an answer can be shown as."""


def _items(answer: Answer, name: str) -> Sequence[str | Number]:
    return getattr(answer, name)


def _value(item: str | Number) -> Any:
    return _number(item) if isinstance(item, Number) else cut(plain(item), _SENTENCE_BYTES)


def _document(answer: Answer, kept: Mapping[str, list[Any]]) -> dict[str, Any]:
    lost = {name: len(_items(answer, name)) - len(kept[name]) for name in _LISTS}
    left_out = {name: count for name, count in lost.items() if count}
    return {
        "question": answer.question,
        "experiment": shown(answer.experiment) if answer.experiment else None,
        "verdict": answer.verdict or None,
        "answer": " ".join(kept["sentences"]),
        "numbers": kept["numbers"],
        "evidence": kept["evidence"],
        "missing": kept["missing"],
        "link": answer.link,
        "open": _command(answer),
        **({"left_out": left_out} if left_out else {}),
    }


def _number(number: Number) -> dict[str, Any]:
    found: dict[str, Any] = {"what": number.what}
    if number.of:
        found["of"] = shown(number.of)
    found |= {name: _finite(getattr(number, name)) for name in ("value", "low", "high")}
    return found | {name: text for name in ("unit", "why") if (text := cut(getattr(number, name), 120))}


def _finite(value: float | None) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return int(value) if float(value).is_integer() and abs(value) < 2**53 else float(f"{value:.6g}")


def _written(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, allow_nan=False)


def _number_line(number: Number) -> str:
    whose = f"`{shown(number.of).replace('`', chr(39))}`: " if number.of else ""
    value = "–" if number.value is None else f"{number.value:,.6g}"
    interval = (
        "" if number.low is None and number.high is None else f" [{_end(number.low)}, {_end(number.high)}]"
    )
    unit = f" {number.unit}" if number.unit else ""
    return f"{whose}{number.what} {value}{interval}{unit}{f' ({number.why})' if number.why else ''}"


def _end(value: float | None) -> str:
    return "–" if value is None else f"{value:,.6g}"


def _command(answer: Answer) -> str:
    return (
        f"grokscope up --store {shlex.quote(shown(answer.store, size=_STORE_BYTES))}" if answer.store else ""
    )


def _where(answer: Answer) -> str:
    command = _command(answer)
    return f"See {answer.link} in the app: {command}" if answer.link and command else ""
