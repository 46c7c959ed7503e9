"""What may stand at the cursor of a query that somebody types."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from grokscope.schemas.runs.ordering import natural
from grokscope.schemas.runs.query.conditions import FUNCTIONS, Term
from grokscope.schemas.runs.query.errors import QueryError
from grokscope.schemas.runs.query.names import Named, Names, Of, last_part, meant, signs_of
from grokscope.schemas.runs.query.parser import LONGEST, Awaited, Parser
from grokscope.schemas.runs.query.tokens import Form, Token, is_plain, quoted, tokens_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A text that may replace ``query[start:end]``.

    Attributes:
        text: Quoted where it must be.
        kind: ``field``, ``param``, ``metric``, ``tag``, ``function``, ``sign``, ``word`` (and, or, not) or
            ``value``.
        start, end: What of the query it replaces; empty where nothing is typed yet.
    """

    text: str
    kind: str
    start: int
    end: int


def complete(text: str, cursor: int, names: Names, *, most: int = 20) -> list[Completion]:
    """Return what may stand at the cursor: what begins as it was typed first, then what contains it.

    Args:
        text: The query, as far as it is typed.
        cursor: A place in it, 0 to its length.
        names: What can be named; its values are what is offered.
        most: How many at most.

    Returns:
        Nothing where the text before the cursor is no begin of a query.

    >>> names = Names(params=["optimizer", "lr"], values={"optimizer": ["adam", "muon"]})
    >>> [[one.text for one in complete(text, len(text), names)] for text in ("op", "optimizer = ")]
    [['optimizer'], ['adam', 'muon']]
    """
    cursor = max(0, min(cursor, len(text)))
    if len(text) > LONGEST or any("\ud800" <= one <= "\udfff" for one in text):
        return []
    last = _typed(text[:cursor])
    start = cursor if last is None else last.start
    parser = Parser(text[:start], is_unfinished=True)
    try:
        parser.read()
    except QueryError as error:
        if error.place != start:
            return []
    typed = "" if last is None else last.text
    end = cursor if last is None or last.form is not Form.WORD else _word_end(text, cursor)
    found = _matching(
        typed.casefold(), _possible(parser, names, closing="" if text[end : end + 1] == ")" else ")")
    )
    return [
        Completion(text=offered, kind=kind, start=start, end=end)
        for _, (_, offered, kind) in zip(range(most), found, strict=False)
    ]


def _typed(before: str) -> Token | None:
    """Return the word or open quote that the cursor stands at the end of."""
    tokens = tokens_of(before, is_unfinished=True)
    last = tokens[-2] if len(tokens) > 1 else None
    if last is None or last.end < len(before) or last.form in (Form.SIGN, Form.MARK):
        return None
    return last if last.is_open or last.form is Form.WORD else None


def _word_end(text: str, cursor: int) -> int:
    return next((token.end for token in tokens_of(text, is_unfinished=True) if token.end >= cursor), cursor)


_Offer = tuple[str, str, str]
"""What is matched with what was typed, the text, its kind."""


def _matching(typed: str, offers: Iterable[_Offer]) -> list[_Offer]:
    held = [offer for offer in offers if typed in offer[0].casefold()]
    return sorted(held, key=lambda offer: not offer[0].casefold().startswith(typed))


def _possible(parser: Parser, names: Names, *, closing: str) -> Iterator[_Offer]:
    match parser.awaited:
        case Awaited.CONDITION:
            yield from _nameable(names)
        case Awaited.METRIC:
            for name in natural(names.metrics):
                yield name, f"{name if is_plain(name) else quoted(name, '`')}{closing}", Of.METRIC.value
        case Awaited.LIST:
            yield "(", "(", "sign"
        case Awaited.VALUE:
            yield from _values(parser.term, names)
        case _:
            named = _meant(parser.term, names)
            signs = () if named is None else signs_of(named)
            yield from ((sign, sign, "sign") for sign in signs)
            yield from ((word, word, "word") for word in ("and", "or"))


def _nameable(names: Names) -> Iterator[_Offer]:
    """Yield names so that each means what it is offered for, and the words that a condition begins with."""
    yield from ((name, name, Of.FIELD.value) for name in names.fields)
    for name in natural(names.params):
        short = last_part(name)
        told = next(
            (one for one in (short, name) if _means(one, Named(Of.PARAM, name), names)), f"param.{name}"
        )
        yield f"{short} {name}", str(Term(name=told)), Of.PARAM.value
    for name in natural(names.metrics):
        is_own = _means(name, Named(Of.METRIC, name, "last"), names)
        yield name, str(Term(name=name, function="" if is_own else "last")), Of.METRIC.value
    for tag in natural(names.tags or ()):
        yield f"tag.{tag}", str(Term(name=f"tag.{tag}")), Of.TAG.value
    if names.metrics:
        yield from ((name, f"{name}(", "function") for name in FUNCTIONS)
    yield "not", "not", "word"


def _values(term: Term | None, names: Names) -> Iterator[_Offer]:
    named = _meant(term, names)
    if named is None:
        return
    key = f"tag.{named.name}" if named.of is Of.TAG else named.name
    for value in names.values.get(key, ()) if named.of is not Of.METRIC else ():
        yield value, value if is_plain(value) else quoted(value), "value"


def _meant(term: Term | None, names: Names) -> Named | None:
    try:
        return None if term is None else meant(term, names)
    except QueryError:
        return None


def _means(name: str, named: Named, names: Names) -> bool:
    return _meant(Term(name=name), names) == named
