"""Reads a query by recursive descent: each token once, brackets to a bounded depth."""

from enum import StrEnum

from grokscope.schemas.runs.query.conditions import (
    FUNCTIONS,
    Clause,
    Comparison,
    Mention,
    Presence,
    Term,
    all_of,
    any_of,
    asks_presence,
    negated,
)
from grokscope.schemas.runs.query.errors import QueryError, shown
from grokscope.schemas.runs.query.tokens import Form, Token, tokens_of

LONGEST = 4000
"""Characters of a query."""

DEEPEST = 50
"""Brackets within brackets."""

_COMPARED = "=, !=, <, <=, >, >=, ~ or in"
_QUOTE_IT = "a text with spaces or signs stands in quotes"


class Awaited(StrEnum):
    """What may stand at a place, as an error calls it."""

    CONDITION = "a condition such as lr > 1e-3, or a part of a run's name"
    SIGN = "=, !=, <, <=, >, >=, ~, in, 'and', 'or' or the end"
    JOINT = "'and', 'or' or the end"
    VALUE = "a value"
    LIST = "values in brackets: in (A, B)"
    METRIC = "the name of a metric"


class Parser:
    """Reads one text. After an error at its end, ``awaited`` and ``term`` say what was to come there.

    Args:
        text: The query.
        is_unfinished: Somebody still types: a missing closing quote is no error.

    Raises:
        QueryError: If it is too long, or a quote is not closed.
    """

    def __init__(self, text: str, *, is_unfinished: bool = False) -> None:
        if len(text) > LONGEST:
            raise QueryError(f"a query has at most {LONGEST:,} characters, got {len(text):,}; shorten it")
        self.text = text
        self.awaited = Awaited.CONDITION
        self.term: Term | None = None
        self._tokens = tokens_of(text, is_unfinished=is_unfinished)
        self._at = 0
        self._depth = 0

    def read(self) -> Clause:
        """Return what the text says.

        Raises:
            QueryError: If it is no query.
        """
        found = self._any()
        if self._next.form is not Form.END:
            raise self._wrong()
        return found

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._next
        self._at += token.form is not Form.END
        return token

    def _any(self) -> Clause:
        clauses = [self._all()]
        while self._next.is_word("or"):
            self._take()
            clauses.append(self._all())
        return any_of(*clauses)

    def _all(self) -> Clause:
        clauses = [self._one()]
        while self._next.is_word("and"):
            self._take()
            clauses.append(self._one())
        return all_of(*clauses)

    def _one(self) -> Clause:
        self.awaited, self.term = Awaited.CONDITION, None
        is_negated = False
        while self._next.is_word("not"):
            self._take()
            is_negated = not is_negated
        found = self._bracketed() if self._next.is_mark("(") else self._condition()
        return negated(found) if is_negated else found

    def _bracketed(self) -> Clause:
        opened = self._take()
        if self._depth == DEEPEST:
            raise QueryError(f"brackets stand at most {DEEPEST} deep; use fewer", place=opened.start)
        self._depth += 1
        found = self._any()
        if not self._next.is_mark(")"):
            raise self._wrong()
        self._take()
        self._depth -= 1
        self.awaited, self.term = Awaited.JOINT, None
        return found

    def _condition(self) -> Clause:
        first = self._next
        if first.form in (Form.SIGN, Form.MARK, Form.END) or first.is_word("and", "or", "in"):
            raise self._wrong()
        self._take()
        function = first.text.lower() if first.form is Form.WORD else ""
        if function in FUNCTIONS and self._next.is_mark("("):
            self.term = Term(name=self._metric(), function=function, place=first.start)
        else:
            text = self._widened(first)
            self.term = Term(name=text, place=first.start)
        self.awaited = Awaited.SIGN
        return self._compared(self.term, first)

    def _compared(self, term: Term, first: Token) -> Clause:
        """Return the condition that begins with a term, which is taken already."""
        following = self._next
        if not term.name:
            raise self._wrong(Awaited.CONDITION, at=first)
        if following.form is Form.SIGN:
            self._take()
            sign = "=" if following.text == "==" else following.text
            value = self._value(may_be_bracketed=sign in ("=", "!="))
            found: Clause = Comparison(term=term, sign=sign, values=(value,), place=following.start)
        elif following.is_word("in", "not"):
            self._take()
            if following.is_word("not") and not self._next.is_word("in"):
                raise self._wrong(_COMPARED, at=following)
            sign = "not in" if following.is_word("not") else "in"
            self._at += sign == "not in"
            found = Comparison(term=term, sign=sign, values=self._list(), place=following.start)
        else:
            return self._alone(term, first)
        self.awaited, self.term = Awaited.JOINT, None
        return found

    def _alone(self, term: Term, first: Token) -> Clause:
        is_asked = first.form is Form.WORD and asks_presence(term.name)
        if term.function or first.form is Form.NAME or is_asked:
            return Presence(term=term)
        return Mention(text=term.name, place=first.start)

    def _metric(self) -> str:
        """Return the name between the brackets that follow a function; the first of these comes next."""
        self._take()
        self.awaited = Awaited.METRIC
        inner = self._up_to_bracket()
        name = _text_of(inner, self.text) if inner else ""
        if not name:
            raise self._wrong()
        self._take()
        return name

    def _value(self, *, may_be_bracketed: bool) -> str:
        self.awaited = Awaited.VALUE
        first = self._next
        if first.is_mark("(") and may_be_bracketed:  # a tuple, as (0.9, 0.999)
            self._take()
            self._up_to_bracket()
            return self.text[first.start : self._take().end]
        is_value = first.form in (Form.WORD, Form.TEXT, Form.NAME)
        if not is_value or first.is_word("and", "or", "not"):
            raise self._wrong()
        return self._widened(self._take())

    def _list(self) -> tuple[str, ...]:
        self.awaited = Awaited.LIST
        if not self._next.is_mark("("):
            raise self._wrong()
        self._take()
        self.awaited = Awaited.VALUE
        values, part = list[str](), list[Token]()
        while True:
            token = self._next
            if token.is_mark(",") or token.is_mark(")"):
                if not part:
                    raise self._wrong()
                values.append(_text_of(part, self.text))
                part.clear()
                self._take()
                if token.text == ")":
                    return tuple(values)
            elif token.form in (Form.END, Form.MARK):
                raise self._wrong("',' or ')'" if part else None)
            else:
                part.append(self._take())

    def _up_to_bracket(self) -> list[Token]:
        """Take and return what stands before the next closing bracket, which comes next."""
        inner = list[Token]()
        while not self._next.is_mark(")"):
            if self._next.form is Form.END or self._next.is_mark("("):
                raise self._wrong("')'" if inner else None)
            inner.append(self._take())
        return inner

    def _widened(self, first: Token) -> str:
        """Return a word with the commas and words that touch it: ``0.9,0.95`` is one text."""
        last = first
        while first.form is Form.WORD and self._next.start == last.end:
            if not (self._next.form is Form.WORD or self._next.is_mark(",")):
                break
            last = self._take()
        return self.text[first.start : last.end] if first.form is Form.WORD else first.text

    def _wrong(self, expected: str | None = None, *, at: Token | None = None) -> QueryError:
        token = at or self._next
        got = shown(self.text[token.start : token.end]) if token.form is not Form.END else "the end"
        awaited = self.awaited.value.replace("the end", "')'") if self._depth else self.awaited.value
        is_text = token.form not in (Form.END, Form.MARK)
        hint = f"; {_QUOTE_IT}" if is_text and self.awaited in (Awaited.JOINT, Awaited.SIGN) else ""
        return QueryError(f"got {got}, expected {expected or f'{awaited}{hint}'}", place=token.start)


def _text_of(part: list[Token], text: str) -> str:
    """Return what a quoted text says, or what stands between the first and the last of several tokens."""
    return part[0].text if len(part) == 1 else text[part[0].start : part[-1].end]
